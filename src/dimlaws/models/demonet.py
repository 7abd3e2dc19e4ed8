"""A residual network whose blocks multiply, or add, two branches: the demonstration of Ma et al."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch.nn import functional

from dimlaws.models.model import Params, draw_weight
from dimlaws.types import NonNegativeInt, PositiveInt

INITIAL_SCALE = 0.02


@dataclass(frozen=True)
class DemoNet:
    """Fully connected DemoNet (Ma et al. 2024, arXiv:2403.19967, the authors' code for 2-D points).

    A linear stem, blocks ``x + g(act(a) * b)`` and a linear head, where a and b are the halves of
    ``f(norm(x))`` and norm is layer normalization, also before the head; or with a sum instead of
    the product, and as many parameters. Weights start from N(0, 0.02²), where the authors cut the
    normal distribution at 100 standard deviations; biases from 0. Inputs of any shape are
    flattened.

    Attributes
    ----------
    width : units of the stem, and so of the sum that the blocks add to.
    depth : number of blocks.
    operation : "star" for the product of the two branches, "sum" for their sum.
    activation : what the first branch passes; "linear" for a network without activations.
    expansion : units of each branch, as a multiple of ``width``.
    """

    width: PositiveInt = 64
    depth: NonNegativeInt = 4
    operation: Literal["star", "sum"] = "star"
    activation: Literal["relu", "linear"] = "relu"
    expansion: PositiveInt = 3

    def init(self, rng: np.random.Generator, input_shape: tuple[int, ...], outputs: int) -> Params:
        """Draw one run's ``<layer>.weight [in, out]`` and ``.bias [out]``, norms ``[width]``."""
        branch = self.expansion * self.width
        sizes = {"stem": (math.prod(input_shape), self.width)}
        for block in range(self.depth):
            sizes[f"block{block}.f"] = (self.width, 2 * branch)
            sizes[f"block{block}.g"] = (branch, self.width)
        sizes["head"] = (self.width, outputs)
        params: Params = {}
        for name, (fan_in, fan_out) in sizes.items():
            params[f"{name}.weight"] = draw_weight(
                rng, (fan_in, fan_out), fan_in, INITIAL_SCALE**2 * fan_in
            )
            params[f"{name}.bias"] = torch.zeros(fan_out)
        for name in [*(f"block{block}.norm" for block in range(self.depth)), "norm"]:
            params[f"{name}.weight"] = torch.ones(self.width)
            params[f"{name}.bias"] = torch.zeros(self.width)
        return params

    def forward(self, params: Params, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map ``x [M, B, *features]`` to ``output [M, B, outputs]`` and ``[M, B, width]``."""
        values = _affine(params, "stem", x.flatten(2))
        for block in range(self.depth):
            name = f"block{block}"
            branches = _affine(params, f"{name}.f", _normalize(params, f"{name}.norm", values))
            a, b = branches.chunk(2, dim=2)
            if self.activation == "relu":
                a = functional.relu(a)
            joined = a * b if self.operation == "star" else a + b
            values = values + _affine(params, f"{name}.g", joined)
        hidden = _normalize(params, "norm", values)
        return _affine(params, "head", hidden), hidden

    def prunable(self, params: Params) -> list[str]:
        """All weight matrices, from input to output."""
        blocks = [f"block{block}.{part}" for block in range(self.depth) for part in "fg"]
        return [f"{name}.weight" for name in ("stem", *blocks, "head")]

    def rate_scales(self, params: Params, adaptive: bool) -> dict[str, float]:
        """Return 1 for every parameter: the standard parametrization."""
        return dict.fromkeys(params, 1.0)


def _affine(params: Params, name: str, x: torch.Tensor) -> torch.Tensor:
    return torch.baddbmm(params[f"{name}.bias"].unsqueeze(1), x, params[f"{name}.weight"])


def _normalize(params: Params, name: str, x: torch.Tensor) -> torch.Tensor:
    normal = functional.layer_norm(x, x.shape[2:])
    weight, bias = params[f"{name}.weight"], params[f"{name}.bias"]
    return torch.addcmul(bias.unsqueeze(1), normal, weight.unsqueeze(1))
