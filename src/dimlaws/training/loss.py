"""Losses, one value per run."""

from typing import Literal

import torch
from torch.nn import functional

LossName = Literal["cross_entropy", "mse"]


def row_losses(name: LossName, output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the loss of every row, ``[M, B]``, from ``output [M, B, outputs]``.

    ``y`` is ``int64 [M, B]`` (class) or ``float32 [M, B, outputs]``. "cross_entropy" is in nats;
    "mse" is the squared error averaged over outputs, with one-hot targets for classes.
    """
    if name == "cross_entropy":
        flat = functional.cross_entropy(output.flatten(0, 1), y.flatten(), reduction="none")
        return flat.view(y.shape)
    if y.dtype == torch.int64:
        y = functional.one_hot(y, output.shape[-1]).to(output.dtype)
    return (output - y).square().mean(2)
