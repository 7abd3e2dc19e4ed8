"""Learning-rate schedules."""

from typing import Literal

import numpy as np
import numpy.typing as npt


def rate_factor(
    schedule: Literal["constant", "linear", "cosine", "step"],
    step: npt.NDArray[np.int64],
    steps: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Return the factor on the learning rate at ``step`` (from 0) of runs with ``steps`` steps.

    The arguments broadcast. "linear" and "cosine" (Loshchilov & Hutter 2017, eq. 5, without
    restarts) would reach 0 at ``step == steps``, one after the last; "step" is 1, 0.1, 0.01 from
    0, 50 %, 75 %.
    """
    progress = step / steps
    if schedule == "linear":
        return 1.0 - progress
    if schedule == "cosine":
        return np.asarray(0.5 * (1.0 + np.cos(np.pi * progress)))
    if schedule == "step":
        return np.where(progress < 0.5, 1.0, np.where(progress < 0.75, 0.1, 0.01))
    return np.ones_like(progress)
