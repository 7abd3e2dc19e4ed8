"""Small convolutional networks of the LeNet type."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from dimlaws.errors import ConfigError
from dimlaws.models.model import Params, draw_weight
from dimlaws.types import PositiveInt


@dataclass(frozen=True)
class CNN:
    """Two convolutions with 2x2 max pooling, one hidden layer, ReLU, and a linear output.

    The layout of LeNet-5 (LeCun et al. 1998) with ``channels`` and ``2 channels`` maps and "same"
    padding. Weights start from N(0, 2 / fan_in), biases from 0. Runs are computed one after
    the other: on a CPU grouped convolutions are slower than a loop.

    Attributes
    ----------
    channels : maps of the first convolution; the second has twice as many.
    kernel : side of the convolution kernels in pixels; odd.
    hidden : units of the fully connected layer.
    """

    channels: PositiveInt = 8
    kernel: PositiveInt = 5
    hidden: PositiveInt = 64

    def __post_init__(self) -> None:
        if self.kernel % 2 == 0:
            raise ConfigError(
                f"model.kernel is {self.kernel}; it must be odd, to keep maps centred"
            )

    def init(self, rng: np.random.Generator, input_shape: tuple[int, ...], outputs: int) -> Params:
        """Draw the parameters of one run; raise ``ConfigError`` unless inputs are images."""
        if len(input_shape) != 3 or min(input_shape[1:]) < 4:
            raise ConfigError(
                f"model CNN got inputs of shape {list(input_shape)}; it needs "
                "[channels, height, width] with height and width of at least 4"
            )
        depth, height, width = input_shape
        flat = 2 * self.channels * (height // 4) * (width // 4)
        shapes = {
            "conv0": (self.channels, depth, self.kernel, self.kernel),
            "conv1": (2 * self.channels, self.channels, self.kernel, self.kernel),
            "dense": (self.hidden, flat),
            "output": (outputs, self.hidden),
        }
        params: Params = {}
        for name, shape in shapes.items():
            fan_in = int(np.prod(shape[1:]))
            params[f"{name}.weight"] = draw_weight(rng, shape, fan_in, gain=2.0)
            params[f"{name}.bias"] = torch.zeros(shape[0])
        return params

    def forward(self, params: Params, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map ``x [M, B, c, h, w]`` to ``(output [M, B, outputs], penultimate [M, B, hidden])``."""
        # unbind, not indexing: its gradient is one stack instead of M padded tensors.
        parts = {name: value.unbind() for name, value in params.items()}
        outputs, hiddens = [], []
        for m, images in enumerate(x.unbind()):
            output, hidden = self._single({name: part[m] for name, part in parts.items()}, images)
            outputs.append(output)
            hiddens.append(hidden)
        return torch.stack(outputs), torch.stack(hiddens)

    def _single(self, params: Params, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = x.contiguous(memory_format=torch.channels_last)
        for name in ("conv0", "conv1"):
            maps = functional.conv2d(
                maps, params[f"{name}.weight"], params[f"{name}.bias"], padding=self.kernel // 2
            )
            # Pooling first: ReLU then touches a quarter of the values, with the same result.
            maps = functional.relu(functional.max_pool2d(maps, 2))
        hidden = functional.relu(
            functional.linear(maps.flatten(1), params["dense.weight"], params["dense.bias"])
        )
        return functional.linear(hidden, params["output.weight"], params["output.bias"]), hidden

    def prunable(self, params: Params) -> list[str]:
        """All kernels and weight matrices, from input to output."""
        return [f"{name}.weight" for name in ("conv0", "conv1", "dense", "output")]
