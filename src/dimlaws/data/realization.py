"""What a data set hands to training and measuring: a pool of rows and who uses which."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Realization:
    """One realized data set.

    ``x`` is ``float32 [n, *features]``, or ``uint8 [n, *features]`` that stands for ``x / 255``.
    ``y`` is ``int64 [n]`` (class) or ``float32 [n, targets]`` (regression).
    ``train`` and ``test`` are ``int64`` row numbers. Data sets return the same ``x`` object for
    every run that can share it, so an ensemble holds it once.
    """

    x: npt.NDArray[Any]
    y: npt.NDArray[Any]
    train: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]


class Dataset(Protocol):
    """A configured data set."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one row of ``x``."""

    @property
    def outputs(self) -> int:
        """Number of classes, or of regression targets."""

    def realize(self, seed: int) -> Realization:
        """Return the data of the run with this seed; the same seed gives the same bits."""
