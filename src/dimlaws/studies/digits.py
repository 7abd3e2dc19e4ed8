"""The 8 x 8 digits of scikit-learn as data to train on, for studies of networks."""

import numpy as np
from sklearn.datasets import load_digits

from dimlaws.data.realization import Realization
from dimlaws.errors import ConfigError
from dimlaws.seeds import stream
from dimlaws.training.runs import EnsembleData

CLASSES = 10


def digits(seed: int, rows: int, runs: int = 1) -> EnsembleData:
    """Return ``rows`` random images for training, the others for testing, for equal runs.

    Grays are in [0, 1]. Smaller numbers of rows are prefixes of larger ones.
    """
    images = load_digits()
    count = len(images.target)
    if not 0 < rows < count:
        raise ConfigError(f"{rows} training rows of the digits; valid: 1 to {count - 1}")
    order = np.random.default_rng(stream(seed, "rows", "digits")).permutation(count)
    part = Realization(
        (images.data / 16).astype(np.float32),
        images.target.astype(np.int64),
        order[:rows],
        order[rows:],
    )
    return EnsembleData.of([part] * runs, CLASSES)
