"""Named parameters as one matrix ``[M, P]``, so that an optimizer step is a handful of calls."""

import math
from dataclasses import dataclass

import torch

from dimlaws.models.model import Params


@dataclass(frozen=True)
class Layout:
    """Names and shapes (without the leading axis) of the parameters in a flat row."""

    shapes: dict[str, tuple[int, ...]]

    @classmethod
    def of(cls, params: Params) -> "Layout":
        """Read the layout of an ensemble's parameters."""
        return cls({name: tuple(value.shape[1:]) for name, value in params.items()})

    def flatten(self, params: Params) -> torch.Tensor:
        """Copy parameters into a new ``[M, P]`` tensor."""
        return torch.cat([params[name].flatten(1) for name in self.shapes], dim=1)

    def unflatten(self, theta: torch.Tensor) -> Params:
        """Return views of ``theta [M, P]`` by name; differentiable."""
        sizes = [math.prod(shape) for shape in self.shapes.values()]
        pieces = theta.split_with_sizes(sizes, dim=1)
        return {
            name: piece.view(len(theta), *shape)
            for (name, shape), piece in zip(self.shapes.items(), pieces, strict=True)
        }
