import numpy as np
import pytest
import torch
from torch import nn

from dimlaws.errors import ConfigError
from dimlaws.models.cnn import CNN


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_forward_equals_torch_modules_run_by_run(kernel):
    model = CNN(channels=3, kernel=kernel, hidden=6)
    draws = [model.init(np.random.default_rng(seed), (2, 9, 8), 4) for seed in (0, 1)]
    x = torch.from_numpy(np.random.default_rng(7).standard_normal((2, 5, 2, 9, 8))).float()
    output, penultimate = model.forward(
        {name: torch.stack([draw[name] for draw in draws]) for name in draws[0]}, x
    )
    for m, draw in enumerate(draws):
        layers = {
            "conv0": nn.Conv2d(2, 3, kernel, padding="same"),
            "conv1": nn.Conv2d(3, 6, kernel, padding="same"),
            "dense": nn.Linear(6 * 2 * 2, 6),
            "output": nn.Linear(6, 4),
        }
        for name, layer in layers.items():
            layer.weight.data, layer.bias.data = draw[f"{name}.weight"], draw[f"{name}.bias"]
        # ReLU before pooling: the textbook order.
        body = nn.Sequential(
            *(layers["conv0"], nn.ReLU(), nn.MaxPool2d(2)),
            *(layers["conv1"], nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), layers["dense"], nn.ReLU()),
        )
        torch.testing.assert_close(penultimate[m], body(x[m]), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(output[m], layers["output"](body(x[m])), rtol=1e-5, atol=1e-6)


def test_initial_weights_have_the_variance_of_he():
    params = CNN(channels=32, hidden=100).init(np.random.default_rng(0), (3, 8, 8), 10)
    fans = {"conv0": 3 * 25, "conv1": 32 * 25, "dense": 64 * 4, "output": 100}
    for name, fan_in in fans.items():
        weight = params[f"{name}.weight"].numpy().astype(float)
        assert abs(weight.var() * fan_in / 2 - 1) < 4 * np.sqrt(2 / weight.size)
        assert not params[f"{name}.bias"].any()


def test_refuses_even_kernels():
    with pytest.raises(ConfigError, match="must be odd"):
        CNN(kernel=4)


@pytest.mark.parametrize("shape", [(784,), (1, 3, 8)])
def test_refuses_what_is_not_an_image(shape):
    with pytest.raises(ConfigError, match=r"height and width of at least 4"):
        CNN().init(np.random.default_rng(0), shape, 2)
