"""How much training has changed what a network computes inside: the check of a width sweep."""

import math
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse.linalg import svds

from dimlaws.measures.batch import Record, TrainedBatch
from dimlaws.measures.representation import penultimate
from dimlaws.types import PositiveInt

SMALL = 256
"""Up to this many rows or columns the largest singular value comes from the Gram matrix."""


def feature_change(
    batch: TrainedBatch,
    *,
    split: Literal["train", "test"] = "train",
    rows: PositiveInt | None = None,
) -> list[Record]:
    """Measure the change of the last hidden layer and of every dense weight matrix by training.

    A network learns features at every width if neither shrinks nor grows with the width (Yang,
    Simon & Bernstein 2023, arXiv:2310.17813), so the slopes of these quantities in log width tell
    whether a width sweep is parametrized well. Quantities: ``feature_change``, |H - H0| / |H0| of
    the last hidden activations H of the rows and H0 before training, in the Frobenius norm. Per
    ``layer``, the name of a matrix W: ``weight_norm``, |W0| / sqrt(fan_out / fan_in) of the initial
    values in the spectral norm; ``update_norm``, likewise of W - W0; ``relative_update``,
    |W - W0| / |W0|. The spectral condition is that the first two depend on no width. NaN for a run
    that diverged; convolutions are left out.

    Parameters
    ----------
    split : rows of which part of the data.
    rows : at most this many rows of a run, the first of its own; null for all.

    Raises
    ------
    ConfigError : the untrained networks were not kept.
    """
    start = batch.untrained("feature_change")
    _, trained = batch.networks()
    before = replace(batch, trained=replace(trained, params=start))
    changes = [
        relative_change(penultimate(before, run, split, rows), penultimate(batch, run, split, rows))
        for run in range(len(batch.runs))
    ]
    records = batch.records("feature_change", np.array(changes))
    for name, weights in start.items():
        if not name.endswith(".weight") or weights.ndim != 3:
            continue
        layer = name.removesuffix(".weight")
        initial, final = weights.cpu().numpy(), trained.params[name].cpu().numpy()
        unit = math.sqrt(weights.shape[2] / weights.shape[1])
        norms = np.array([spectral_norm(w) for w in initial])
        updates = np.array([spectral_norm(w) for w in final - initial])
        records += batch.records("weight_norm", norms / unit, layer=layer)
        records += batch.records("update_norm", updates / unit, layer=layer)
        records += batch.records("relative_update", updates / norms, layer=layer)
    return records


def relative_change(before: npt.NDArray[np.float32], after: npt.NDArray[np.float32]) -> float:
    """Return |after - before| / |before| in the Frobenius norm; NaN where ``before`` is zero."""
    scale = float(np.linalg.norm(before.astype(np.float64)))
    change = float(np.linalg.norm(after.astype(np.float64) - before))
    return change / scale if scale > 0 else math.nan


def spectral_norm(matrix: npt.NDArray[np.float32]) -> float:
    """Return the largest singular value to a relative error of 1e-4; NaN for values not finite."""
    if not np.isfinite(matrix).all():
        return math.nan
    if min(matrix.shape) <= SMALL or not matrix.any():
        long = (matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T).astype(np.float64)
        return math.sqrt(max(float(np.linalg.eigvalsh(long.T @ long)[-1]), 0.0))
    start = np.random.default_rng(0).standard_normal(min(matrix.shape)).astype(matrix.dtype)
    return float(svds(matrix, k=1, tol=1e-4, v0=start, return_singular_vectors=False)[0])
