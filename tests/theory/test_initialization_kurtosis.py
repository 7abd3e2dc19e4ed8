import numpy as np
import pytest
import torch

from dimlaws.models.mlp import MLP
from dimlaws.theory.initialization_kurtosis import MOMENTS, layer_variance, moment_ratio


def test_moments_are_those_of_a_rectified_normal_variable():
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    for activation, gain in (("relu", 2.0), ("linear", 1.0)):
        passed = nodes > 0 if activation == "relu" else np.ones_like(nodes, dtype=bool)
        # Powers of ReLU are even functions on half of the axis, so half of the full integral.
        found = [weights @ (gain * nodes**2 * passed) ** k for k in (1, 2, 3, 4)]
        assert found == pytest.approx(MOMENTS[activation], rel=1e-9)


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_variance_of_one_layer(activation):
    """Against sums of many draws, term by term: the mean of n independent Y, to the fourth."""
    n = 8
    normal = np.random.default_rng(0).standard_normal((200_000, n))
    ys = 2.0 * np.maximum(normal, 0) ** 2 if activation == "relu" else normal**2
    squares = ys.mean(axis=1) ** 2
    variance = squares.var() / squares.mean() ** 2
    assert layer_variance(activation, n) == pytest.approx(variance, rel=0.05)
    assert moment_ratio(activation, n, 1) == pytest.approx(squares.mean(), rel=0.01)


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_whole_networks_of_the_package(activation):
    """Mean and second moment of the mean square of the last hidden layer of plain networks."""
    width, depth, count = 16, 2, 3000
    model = MLP(width=width, depth=depth, activation=activation, bias=False)
    rng = np.random.default_rng(1)
    networks = [model.init(rng, (width,), 1) for _ in range(count)]
    params = {name: torch.stack([n[name] for n in networks]) for name in networks[0]}
    x = torch.linspace(-1, 2, width).expand(count, 1, width)
    _, hidden = model.forward(params, x)
    q = (hidden.square().mean(dim=2)[:, 0] / x.square().mean(dim=2)[:, 0]).double().numpy()
    predicted = moment_ratio(activation, width, depth)
    assert q.mean() == pytest.approx(1.0, abs=4 * np.sqrt((predicted - 1.0) / count))
    assert np.mean(q**2) == pytest.approx(predicted, abs=4 * np.std(q**2) / np.sqrt(count))
