"""Where a measured curve reaches a level."""

import numpy as np
import numpy.typing as npt

from dimlaws.arrays import float_array
from dimlaws.errors import EstimationError

Vector = npt.NDArray[np.float64]


def crossing_point(x: Vector, values: Vector, level: float, name: str) -> float:
    """Return where ``values`` over ascending ``x`` first reach ``level``, linear in log x.

    Raises ``EstimationError``, which says what ``name`` is too small or too large for, if they
    start at or above the level, never reach it, or reach it from a value that is not finite or an
    ``x`` that is not positive, and unless ``x`` ascends and is of their length.
    """
    x, values = float_array(x), float_array(values)
    if x.ndim != 1 or x.shape != values.shape or not len(x):
        raise EstimationError(
            f"{name} {x.shape} and values {values.shape} must be vectors of one length"
        )
    if not (np.diff(x) > 0).all():
        raise EstimationError(f"a crossing needs every {name} larger than the one before")
    reached = np.flatnonzero(values >= level)
    if len(reached) == 0:
        raise EstimationError(f"{level:g} is not reached at any {name} up to {x[-1]:g}")
    first = int(reached[0])
    ends = slice(max(first - 1, 0), first + 1)
    if not (np.isfinite(values[ends]).all() and (x[ends] > 0).all() and np.isfinite(x[first])):
        raise EstimationError(
            f"{level:g} is reached at {name} {x[first]:g} from {values[ends][0]:g} at "
            f"{x[ends][0]:g}; a crossing needs finite values and a positive {name}"
        )
    if first == 0:
        raise EstimationError(f"{level:g} is reached at the smallest {name}, {x[0]:g}")
    share = (level - values[first - 1]) / (values[first] - values[first - 1])
    return float(x[first - 1] * (x[first] / x[first - 1]) ** share)
