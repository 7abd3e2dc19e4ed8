"""Ranks and their correlation.

They stand in ``scipy.stats`` too, whose import takes longer than most figures and verdicts.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from dimlaws.arrays import real_array
from dimlaws.errors import EstimationError


def ranks(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the ranks 1 to n of ``values [n]``; equal values share the mean of theirs, NaN is NaN.

    Raises ``EstimationError`` unless they are a vector of real numbers.
    """
    vector = real_array(values)
    if vector.ndim != 1:
        raise EstimationError(f"ranks of data of shape {vector.shape}; valid: a vector")
    native = vector.astype(vector.dtype.newbyteorder("="))  # pandas reads no other
    return np.asarray(pd.Series(native).rank(), dtype=np.float64)


def spearman(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Return Spearman's rank correlation of ``x [n]`` and ``y [n]``.

    It is NaN where one of them is constant, or holds NaN. Raises ``EstimationError`` unless they
    are vectors of one length.

    Spearman (1904), "The proof and measurement of association between two things": Pearson's
    correlation of the ranks.
    """
    found = ranks(x), ranks(y)
    if len(found[0]) != len(found[1]) or not len(found[0]):
        raise EstimationError(
            f"a correlation of {len(found[0])} and {len(found[1])} values; valid: equally many"
        )
    a, b = (one - one.mean() for one in found)
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else float("nan")
