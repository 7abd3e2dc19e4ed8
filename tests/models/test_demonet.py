import numpy as np
import pytest
import torch
from torch import nn

from dimlaws.models.demonet import DemoNet


class PlainBlock(nn.Module):
    def __init__(self, model):
        super().__init__()
        branch = model.expansion * model.width
        self.norm = nn.LayerNorm(model.width)
        self.f = nn.Linear(model.width, 2 * branch)
        self.g = nn.Linear(branch, model.width)
        self.act = nn.ReLU() if model.activation == "relu" else nn.Identity()
        self.star = model.operation == "star"

    def forward(self, x):
        a, b = self.f(self.norm(x)).chunk(2, dim=1)
        return x + self.g(self.act(a) * b if self.star else self.act(a) + b)


class PlainDemoNet(nn.Module):
    def __init__(self, model, inputs, outputs):
        super().__init__()
        self.stem = nn.Linear(inputs, model.width)
        for i in range(model.depth):
            self.add_module(f"block{i}", PlainBlock(model))
        self.norm = nn.LayerNorm(model.width)
        self.head = nn.Linear(model.width, outputs)

    def forward(self, x):
        x = self.stem(x.flatten(1))
        for name, block in self.named_children():
            x = block(x) if name.startswith("block") else x
        hidden = self.norm(x)
        return self.head(hidden), hidden


def transposed(value):
    """Swap torch's layout of a weight and ours."""
    return value.T if value.dim() == 2 else value


@pytest.mark.parametrize("operation", ["star", "sum"])
@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_equals_torch_modules_run_by_run(operation, activation):
    """Outputs, hidden values and gradients, in float64."""
    model = DemoNet(width=5, depth=2, operation=operation, activation=activation, expansion=2)
    draws = [model.init(np.random.default_rng(seed), (2, 3), 4) for seed in (0, 1)]
    rng = np.random.default_rng(2)
    params = {
        # Larger than they start, so that no part of the result hides in another.
        name: (10 * torch.stack([draw[name] for draw in draws]).double()).requires_grad_()
        for name in draws[0]
    }
    x = torch.from_numpy(rng.standard_normal((2, 7, 2, 3)))
    results = model.forward(params, x)
    slopes = [torch.from_numpy(rng.standard_normal(result.shape)) for result in results]
    total = sum((r * s).sum() for r, s in zip(results, slopes, strict=True))
    gradients = dict(zip(params, torch.autograd.grad(total, list(params.values())), strict=True))
    for m in range(2):
        plain = PlainDemoNet(model, 6, 4).double()
        own = dict(plain.named_parameters())
        assert own.keys() == params.keys()
        for name, parameter in own.items():
            parameter.data = transposed(params[name][m].detach()).clone()
        expected = plain(x[m])
        for result, value in zip(results, expected, strict=True):
            torch.testing.assert_close(result[m], value, rtol=1e-10, atol=1e-10)
        sum((e * s[m]).sum() for e, s in zip(expected, slopes, strict=True)).backward()
        for name, parameter in own.items():
            torch.testing.assert_close(
                transposed(gradients[name][m]), parameter.grad, rtol=1e-9, atol=1e-10
            )


def test_initial_values_and_names():
    model = DemoNet(width=40, depth=1)
    params = model.init(np.random.default_rng(0), (50,), 10)
    assert model.prunable(params) == [
        "stem.weight",
        "block0.f.weight",
        "block0.g.weight",
        "head.weight",
    ]
    for name in model.prunable(params):
        # The standard error of a standard deviation is 1 / sqrt(2 n) of it; n is 400 or more.
        assert params[name].std() == pytest.approx(0.02, rel=4 / np.sqrt(2 * params[name].numel()))
    assert model.rate_scales(params, adaptive=True) == dict.fromkeys(params, 1.0)
