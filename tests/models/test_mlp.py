import numpy as np
import pytest
import torch
from torch import nn

from dimlaws.models.mlp import MLP


@pytest.mark.parametrize(
    ("activation", "module"), [("relu", nn.ReLU), ("tanh", nn.Tanh), ("gelu", nn.GELU)]
)
@pytest.mark.parametrize("bias", [True, False])
def test_forward_equals_torch_modules_run_by_run(activation, module, bias):
    model = MLP(width=5, depth=3, activation=activation, bias=bias)
    draws = [model.init(np.random.default_rng(seed), (2, 3), 4) for seed in (0, 1)]
    rng = np.random.default_rng(7)
    for draw in draws:
        for name in draw:
            if name.endswith("bias"):
                draw[name] = torch.from_numpy(rng.standard_normal(draw[name].shape)).float()
    x = torch.from_numpy(rng.standard_normal((2, 9, 2, 3))).float()
    output, penultimate = model.forward(
        {name: torch.stack([draw[name] for draw in draws]) for name in draws[0]}, x
    )
    for m, draw in enumerate(draws):
        layers: list[nn.Module] = [nn.Flatten()]
        for i, (a, b) in enumerate([(6, 5), (5, 5), (5, 5), (5, 4)]):
            linear = nn.Linear(a, b, bias=bias)
            linear.weight.data = draw[f"layer{i}.weight"].T
            if bias:
                linear.bias.data = draw[f"layer{i}.bias"]
            layers += [linear, module()]
        reference = nn.Sequential(*layers[:-1])
        torch.testing.assert_close(output[m], reference(x[m]), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(penultimate[m], reference[:-1](x[m]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("activation", "gain"), [("relu", 2.0), ("tanh", 1.0), ("gelu", 1.0)])
def test_initial_weights_have_the_stated_variance(activation, gain):
    model = MLP(width=200, depth=2, activation=activation)
    params = model.init(np.random.default_rng(0), (100,), 50)
    for i, fan_in in enumerate([100, 200, 200]):
        weight = params[f"layer{i}.weight"].numpy().astype(float)
        assert weight.shape[0] == fan_in
        # Variance of n normal draws: relative standard error sqrt(2 / n).
        assert abs(weight.var() * fan_in / gain - 1) < 4 * np.sqrt(2 / weight.size)
        assert abs(weight.mean()) < 4 * np.sqrt(gain / fan_in / weight.size)
        assert not params[f"layer{i}.bias"].any()


def test_prunable_are_the_weights_from_input_to_output():
    model = MLP(depth=2)
    params = model.init(np.random.default_rng(0), (3,), 2)
    assert model.prunable(params) == ["layer0.weight", "layer1.weight", "layer2.weight"]
