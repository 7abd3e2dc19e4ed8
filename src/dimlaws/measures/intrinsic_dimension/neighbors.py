"""Exact nearest neighbours of the distinct rows of a data set, shared by all estimators."""

import hashlib
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dimlaws.errors import ConfigError, EstimationError
from dimlaws.measures.intrinsic_dimension.certified_search import search


@dataclass(frozen=True)
class Neighbors:
    """The nearest neighbours of some rows (the anchors) among all distinct rows.

    Attributes
    ----------
    distances : float64 ``[q, k]``, Euclidean, in the units of the data, nearest first, never 0.
    indices : int64 ``[q, k]``, row numbers in the data as given; a row's duplicates never appear.
    anchors : int64 ``[q]``, the row number of each query in the data as given.
    n : number of distinct rows that were searched.
    duplicates_removed : rows left out because an equal row stands before them.
    """

    distances: npt.NDArray[np.float64]
    indices: npt.NDArray[np.int64]
    anchors: npt.NDArray[np.int64]
    n: int
    duplicates_removed: int


def nearest_neighbors(
    X: npt.ArrayLike,
    k: int,
    *,
    anchors: npt.ArrayLike | None = None,
    memory_mb: float = 256,
) -> Neighbors:
    """Return the ``k`` nearest neighbours of every distinct row, or of the anchors.

    Distances are Euclidean and right to about 1e-12 relative for the values as stored, whatever
    their offset and scale; the neighbours are exact, and ties go to the lower row number, so the
    result depends neither on ``memory_mb`` nor on the number of threads. Rows equal to an earlier
    row are left out first, with a ``UserWarning``: a zero distance has no logarithm, and one
    duplicate in a thousand ruins most estimators of dimension. The cost is one matrix product,
    2 q n D floating-point operations in float32, and O(q k D).

    Parameters
    ----------
    X : real ``[n, *features]``; uint8 and float32 are converted block by block, never as a whole.
    k : neighbours of each row, the row itself not counted.
    anchors : int64 ``[q]``, rows to use as queries against the full set; None means all rows.
        Anchors that are duplicates become the row that is kept, and no row is asked twice.
    memory_mb : mebibytes for temporary arrays, besides O(q k).

    Raises
    ------
    ConfigError : ``k`` or ``memory_mb`` is not positive.
    EstimationError : NaN or infinity, fewer than two axes, not numbers, fewer than ``k + 1``
        distinct rows, or anchors that are no row numbers.
    """
    if k < 1:
        raise ConfigError(f"k = {k} neighbours were asked for; valid: 1 or more")
    if not memory_mb > 0:
        raise ConfigError(f"memory_mb = {memory_mb} is no amount of memory; valid: above 0")
    rows, scale = _rows(X)
    asked = _asked(anchors, len(rows))
    kept, first = _distinct(rows)
    removed = len(rows) - len(kept)
    if removed:
        warnings.warn(
            f"{removed} of {len(rows)} rows are duplicates of an earlier row and were left out",
            UserWarning,
            stacklevel=2,
        )
        rows = rows[kept]
    if len(rows) <= k:
        raise EstimationError(
            f"{k} neighbours need at least {k + 1} distinct rows; got n_samples = "
            f"{len(kept) + removed}, of which {len(kept)} distinct"
        )
    if asked is None:
        queries = np.arange(len(kept))
    else:
        mapped = first[asked]
        queries = mapped[np.sort(np.unique(mapped, return_index=True)[1])]
    distances, columns = search(rows, queries, k, memory_mb)
    return Neighbors(distances / scale, kept[columns], kept[queries], len(kept), removed)


def _rows(X: npt.ArrayLike) -> tuple[npt.NDArray[Any], float]:
    """Return the data as ``[n, D]`` of uint8, float32 or float64, and the factor put on it."""
    values = np.asarray(X)
    if values.ndim < 2:
        raise EstimationError(f"data have shape {values.shape}; valid: [rows, features]")
    if values.size == 0:
        raise EstimationError(f"data have shape {values.shape}, so no values; valid: [n, D > 0]")
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    elif values.dtype not in (np.uint8, np.float32, np.float64):
        if values.dtype.kind == "c":
            raise EstimationError("data are complex numbers; valid: real numbers")
        try:
            values = values.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise EstimationError(f"data are not numbers ({error}); valid: real numbers") from error
    rows = values.reshape(len(values), -1)
    largest = max(abs(float(rows.min())), abs(float(rows.max())))
    if not np.isfinite(largest):
        bad = np.flatnonzero([not np.isfinite(row).all() for row in rows])
        raise EstimationError(
            f"data contain NaN or infinity in {len(bad)} of {len(rows)} rows, "
            f"the first is row {bad[0]}; valid: finite values"
        )
    # Squares of numbers outside this range overflow or vanish; a power of two rounds nothing.
    if rows.dtype == np.float64 and largest > 0 and not 1e-140 < largest < 1e140:
        exponent = -int(np.frexp(largest)[1])
        return np.ldexp(rows, exponent), float(np.ldexp(1.0, exponent))
    return rows, 1.0


def _asked(anchors: npt.ArrayLike | None, n: int) -> npt.NDArray[np.int64] | None:
    """Return the anchors as row numbers, or None for all rows."""
    if anchors is None:
        return None
    numbers = np.asarray(anchors)
    if numbers.ndim != 1 or numbers.size == 0 or numbers.dtype.kind not in "iu":
        raise EstimationError(
            f"anchors have shape {numbers.shape} and type {numbers.dtype}; "
            "valid: a non-empty list of row numbers"
        )
    if numbers.min() < 0 or numbers.max() >= n:
        raise EstimationError(
            f"anchors lie between {numbers.min()} and {numbers.max()}; valid: 0 to {n - 1}"
        )
    return numbers.astype(np.int64)


def _distinct(
    rows: npt.NDArray[Any],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the rows that equal no earlier row, and each row's place among them.

    Rows are compared by 128-bit digests of their bytes, so no second copy of the data is needed.
    """
    places: dict[bytes, int] = {}
    kept: list[int] = []
    first = np.empty(len(rows), np.int64)
    for number, row in enumerate(rows):
        # Adding zero turns -0.0, equal to 0.0 but of other bytes, into 0.0.
        digest = hashlib.blake2b((row + row.dtype.type(0)).tobytes(), digest_size=16).digest()
        place = places.setdefault(digest, len(kept))
        if place == len(kept):
            kept.append(number)
        first[number] = place
    return np.array(kept, np.int64), first
