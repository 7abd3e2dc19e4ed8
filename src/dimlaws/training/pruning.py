"""Masks of magnitude pruning."""

from collections.abc import Sequence
from typing import Literal

import torch

from dimlaws.models.model import Params

Scope = Literal["global", "layer"]


def kept(total: int, fraction: float, level: int) -> int:
    """Return how many of ``total`` weights survive ``level`` rounds: (1 - fraction)^level, rounded.

    At least one survives.
    """
    return max(1, round((1.0 - fraction) ** level * total))


def dense_masks(params: Params, names: Sequence[str]) -> Params:
    """Return masks ``bool [M, ...]`` that keep every weight of ``names``."""
    return {name: torch.ones_like(params[name], dtype=torch.bool) for name in names}


def magnitude_masks(
    params: Params, masks: Params, *, fraction: float, level: int, scope: Scope
) -> Params:
    """Keep the largest magnitudes among the survivors of ``masks``, run by run.

    "global" ranks all weights of ``masks`` together (Frankle & Carbin 2019), "layer" each tensor
    alone. Of equal magnitudes the earlier weight stays. The number kept is exactly ``kept`` of
    all weights, or of each layer's, whatever the values (NaN ranks highest), and new masks
    lie within old ones.
    """
    groups = [masks] if scope == "global" else [{name: mask} for name, mask in masks.items()]
    result: Params = {}
    for group in groups:
        result.update(_keep_largest(params, group, fraction, level))
    return result


def _keep_largest(params: Params, masks: Params, fraction: float, level: int) -> Params:
    scores = torch.cat(
        [torch.where(mask, params[name].abs(), -1.0).flatten(1) for name, mask in masks.items()],
        dim=1,
    )
    count = kept(scores.shape[1], fraction, level)
    flat = torch.zeros_like(scores, dtype=torch.bool)
    for row, score in zip(flat, scores, strict=True):
        # One run at a time: sorting all at once would hold an index as large as the ensemble.
        row[torch.sort(score, descending=True, stable=True).indices[:count]] = True
    pieces = flat.split_with_sizes([mask[0].numel() for mask in masks.values()], dim=1)
    return {
        name: piece.reshape(mask.shape)
        for (name, mask), piece in zip(masks.items(), pieces, strict=True)
    }


def surviving(masks: Params, names: Sequence[str]) -> torch.Tensor:
    """Return the number of surviving weights in the layers ``names``, ``int64 [M]``."""
    return torch.stack([masks[name].flatten(1).sum(1) for name in names]).sum(0)
