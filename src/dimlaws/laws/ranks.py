"""Ranks and their correlation.

They stand in ``scipy.stats`` too, whose import takes longer than most figures and verdicts.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd


def ranks(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the ranks 1 to n of ``values [n]``; equal values share the mean of theirs."""
    return np.asarray(pd.Series(np.asarray(values)).rank(), dtype=np.float64)


def spearman(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Return Spearman's rank correlation of ``x [n]`` and ``y [n]``; NaN where one is constant.

    Spearman (1904), "The proof and measurement of association between two things": Pearson's
    correlation of the ranks.
    """
    a, b = (found - found.mean() for found in (ranks(x), ranks(y)))
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else float("nan")
