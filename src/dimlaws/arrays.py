"""Arrays of numbers out of whatever a caller hands over, or a sentence that says why not."""

from typing import Any

import numpy as np
import numpy.typing as npt

from dimlaws.errors import EstimationError

_EXACT = 2**53
"""Up to here float64 holds every integer."""


class NotNumbersError(EstimationError, TypeError):
    """Data that no array of numbers can be made of; scikit-learn expects a ``TypeError`` there."""


def real_array(X: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return ``X`` as an array of bool, integers or floating-point numbers; objects as float64.

    Raises
    ------
    EstimationError
        text, dates, complex numbers, lists of unequal length, masked values, tensors that NumPy
        cannot read, and integers that float64 does not hold exactly.
    """
    if np.ma.is_masked(X):
        raise EstimationError("data have masked values; valid: rows without any")
    try:
        values = np.asarray(X)
        if values.dtype.kind in "OSU":
            # Text that reads like a number is a column that was read wrongly.
            values = np.asarray(_objects(values), dtype=np.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise NotNumbersError(f"data are not numbers ({reason}); valid: real numbers") from error
    if values.dtype.kind == "c":
        raise EstimationError("data are complex numbers; valid: real numbers")
    if values.dtype.kind not in "biuf":
        raise EstimationError(f"data have type {values.dtype}; valid: real numbers")
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8 and values.size:
        low, high = int(values.min()), int(values.max())
        if not -_EXACT <= low <= high <= _EXACT:
            raise EstimationError(
                f"data hold integers from {low} to {high}, which float64 would round; "
                "valid: within ±2**53"
            )
    return values


def float_array(X: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return ``real_array(X)`` in float64; what float64 cannot hold becomes infinite."""
    with np.errstate(over="ignore"):
        return np.asarray(real_array(X), dtype=np.float64)


def _objects(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if values.dtype.kind != "O" or any(isinstance(item, str | bytes) for item in values.flat):
        raise TypeError("text")
    return values


def moderate(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return finite values, times a power of two where their fourth powers overflow or vanish."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0 or 1e-70 < largest < 1e70:
        return values
    # In two steps, since the factor itself may be too large for float64.
    exponent = -int(np.frexp(largest)[1])
    return np.ldexp(np.ldexp(values, exponent // 2), exponent - exponent // 2)
