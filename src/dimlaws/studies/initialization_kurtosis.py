"""How far random networks of finite width and depth are from Gaussian."""

import math
from typing import Literal

import numpy as np
import torch

from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.theory.initialization_kurtosis import layer_variance, moment_ratio
from dimlaws.types import PerRun, PositiveFloat, PositiveInt

GAINS = {"relu": 2.0, "linear": 1.0}
"""Variance of the weights times fan-in, which keeps the mean square of activations."""

CHUNK = 1 << 20
"""Weights drawn at a time: as many as fit in a cache."""


def initialization_kurtosis(
    seed: int,
    *,
    width: PerRun[PositiveInt],
    depths: list[PositiveInt],
    activation: PerRun[Literal["relu", "linear"]] = "relu",
    weights: Literal["drawn", "integrated"] = "drawn",
    precision: PositiveFloat = 0.03,
) -> list[Record]:
    """E[q^2] / E[q]^2 over random networks, q the mean square of the last hidden layer.

    q has a heavy tail: in 16 layers of 16 units a standard error of 3 % would take 10^9 networks.
    So networks are grown by layers, and after each layer those with growing activations are
    continued more often, in proportion to the growth of q^2 (importance splitting; Del Moral
    2004, Feynman-Kac Formulae). The product over layers of the mean growth is an unbiased
    estimate of E[q_L^2] / q_0^2, whatever the law of the layers. E[q_L] = q_0 is exact: weights
    are scaled such that a layer keeps the mean of q.

    Index column ``depth``. Quantities: ``moment_ratio``, ``predicted_moment_ratio`` (see
    ``theory.initialization_kurtosis``), ``log_moment_ratio`` and ``depth_over_width``.

    Parameters
    ----------
    width : units n of the input and of every hidden layer.
    depths : numbers L of hidden layers.
    activation : nonlinearity of every hidden layer.
    weights : whether weights are drawn, or only what a layer makes of its input, which has the
        same law: the product of a Gaussian matrix and a given vector is a Gaussian vector.
    precision : relative standard error of ``moment_ratio`` at the largest depth that decides how
        many networks are drawn, by the exact variance.
    """
    sequence = stream(seed, "random networks", [activation, width])
    rng = torch.Generator().manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> 1))
    deepest = max(depths)
    networks = math.ceil(deepest * layer_variance(activation, width) / precision**2)
    values = torch.randn(width, generator=rng).expand(networks, width)
    ratio = 1.0
    records: list[Record] = []
    for depth in range(1, deepest + 1):
        # Networks are positively homogeneous, so the scale of a network's activations is free.
        values = values / values.square().mean(dim=1, keepdim=True).sqrt()
        values = _layer(rng, values, activation, weights)
        growth = values.square().mean(dim=1).double().square()
        ratio *= float(growth.mean())
        values = values[_systematic(rng, growth)]
        if depth in depths:
            found = {
                "moment_ratio": ratio,
                "predicted_moment_ratio": moment_ratio(activation, width, depth),
                "log_moment_ratio": math.log(ratio),
                "depth_over_width": depth / width,
            }
            records += [
                {"depth": depth, "quantity": name, "value": value} for name, value in found.items()
            ]
    return records


def _layer(
    rng: torch.Generator, values: torch.Tensor, activation: str, weights: str
) -> torch.Tensor:
    """Return the activations [K, n] of a new random layer for each row of ``values`` [K, n]."""
    networks, width = values.shape
    sums = torch.empty(networks, width)
    if weights == "integrated":
        sums.normal_(generator=rng).mul_(values.norm(dim=1, keepdim=True))
    else:
        step = max(1, CHUNK // width**2)
        matrices = torch.empty(min(step, networks), width, width)
        for start in range(0, networks, step):
            rows = values[start : start + step]
            drawn = matrices[: len(rows)].normal_(generator=rng)
            sums[start : start + step] = torch.bmm(drawn, rows[:, :, None])[:, :, 0]
    sums *= math.sqrt(GAINS[activation] / width)
    return sums.relu() if activation == "relu" else sums


def _systematic(rng: torch.Generator, masses: torch.Tensor) -> torch.Tensor:
    """Return as many positions as there are ``masses``, each in proportion to its mass.

    Systematic resampling: numbers of copies differ from their expectation by less than one.
    """
    steps = torch.arange(len(masses)) + torch.rand((), generator=rng, dtype=torch.float64)
    cumulated = masses.cumsum(0)
    positions = torch.searchsorted(cumulated / cumulated[-1], steps / len(masses), right=True)
    return positions.clamp_(max=len(masses) - 1)
