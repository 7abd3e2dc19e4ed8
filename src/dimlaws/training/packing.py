"""How many runs to train together."""

from functools import partial

import numpy as np
import torch

from dimlaws.models.model import Model

# Measured on one core with 2 MB of L2 (only a part of the working set is live at once): time per
# model-step is flat around this size, and rises on both sides of it.
_CACHE_BYTES = 8 * 2**20
_LARGEST = 64


def pack_size(model: Model, input_shape: tuple[int, ...], outputs: int, batch_size: int) -> int:
    """Return how many runs train fastest together on one core.

    A run's working set is its parameters (values, gradient, optimizer state) plus what
    automatic differentiation keeps of one minibatch and the gradients of that.
    """
    params = model.init(np.random.default_rng(0), input_shape, outputs)
    weights = sum(value.numel() for value in params.values())
    leaves = {name: value.unsqueeze(0).requires_grad_() for name, value in params.items()}
    own = {value.data_ptr() for value in leaves.values()}
    saved: dict[int, int] = {}
    record = partial(_record, saved=saved, own=own)
    with torch.autograd.graph.saved_tensors_hooks(record, lambda tensor: tensor):
        model.forward(leaves, torch.zeros(1, batch_size, *input_shape))
    working_set = 5 * 4 * weights + 2 * sum(saved.values())
    return min(max(1, round(_CACHE_BYTES / working_set)), _LARGEST)


def _record(tensor: torch.Tensor, *, saved: dict[int, int], own: set[int]) -> torch.Tensor:
    if tensor.data_ptr() not in own:
        saved[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
    return tensor
