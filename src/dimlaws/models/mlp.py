"""Fully connected networks, many at once."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch.nn import functional

from dimlaws.models.model import Params, draw_weight
from dimlaws.types import PositiveInt

_ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": functional.relu,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
}


@dataclass(frozen=True)
class MLP:
    """Fully connected network with hidden layers of equal width and a linear output.

    Weights start from N(0, 2 / fan_in) with ReLU and from N(0, 1 / fan_in) otherwise, biases
    from 0. Inputs of any shape are flattened.

    Attributes
    ----------
    width : units per hidden layer.
    depth : number of hidden layers.
    activation : nonlinearity after each hidden layer.
    bias : whether layers have a bias.
    """

    width: PositiveInt = 64
    depth: PositiveInt = 2
    activation: Literal["relu", "tanh", "gelu"] = "relu"
    bias: bool = True

    def init(self, rng: np.random.Generator, input_shape: tuple[int, ...], outputs: int) -> Params:
        """Draw one run's ``layer<i>.weight [in, out]`` and ``layer<i>.bias [out]``."""
        sizes = [math.prod(input_shape), *[self.width] * self.depth, outputs]
        gain = 2.0 if self.activation == "relu" else 1.0
        params: Params = {}
        for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
            params[f"layer{i}.weight"] = draw_weight(rng, (fan_in, fan_out), fan_in, gain)
            if self.bias:
                params[f"layer{i}.bias"] = torch.zeros(fan_out)
        return params

    def forward(self, params: Params, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map ``x [M, B, *features]`` to ``output [M, B, outputs]`` and ``[M, B, width]``."""
        activation = _ACTIVATIONS[self.activation]
        hidden = x.flatten(2)
        for i in range(self.depth):
            hidden = activation(self._affine(params, i, hidden))
        return self._affine(params, self.depth, hidden), hidden

    def _affine(self, params: Params, layer: int, x: torch.Tensor) -> torch.Tensor:
        weight = params[f"layer{layer}.weight"]
        if not self.bias:
            return torch.bmm(x, weight)
        return torch.baddbmm(params[f"layer{layer}.bias"].unsqueeze(1), x, weight)

    def prunable(self, params: Params) -> list[str]:
        """All weight matrices, from input to output."""
        return [f"layer{i}.weight" for i in range(self.depth + 1)]
