"""The 8 x 8 digits of scikit-learn as data to train on, for studies of networks."""

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits

from dimlaws.data.realization import Realization
from dimlaws.errors import ConfigError
from dimlaws.seeds import stream
from dimlaws.training.runs import EnsembleData

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

CLASSES = 10


def digits(seed: int, rows: int, runs: int = 1) -> EnsembleData:
    """Return ``rows`` random images for training, the others for testing, for equal runs.

    Grays are in [0, 1]. Smaller numbers of rows are prefixes of larger ones.
    """
    grays, classes, order = shuffled_digits(seed)
    count = len(order)
    if not 0 < rows < count:
        raise ConfigError(f"{rows} training rows of the digits; valid: 1 to {count - 1}")
    part = Realization(grays.astype(np.float32), classes, order[:rows], order[rows:])
    return EnsembleData.of([part] * runs, CLASSES)


def shuffled_digits(seed: int) -> tuple[Floats, Integers, Integers]:
    """Return all grays in [0, 1], ``[n, 64]``, their classes, and a random order of the rows."""
    images = load_digits()
    order = np.random.default_rng(stream(seed, "rows", "digits")).permutation(len(images.target))
    return images.data / 16, images.target.astype(np.int64), order
