"""Exact nearest neighbours of the distinct rows of a data set, shared by all estimators."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dimlaws.arrays import real_array
from dimlaws.errors import ConfigError, EstimationError
from dimlaws.measures.intrinsic_dimension.certified_search import search
from dimlaws.measures.intrinsic_dimension.duplicate_rows import (
    first_equal,
    implausibly_near,
    rounding_copies,
)


@dataclass(frozen=True)
class Neighbors:
    """The nearest neighbours of some rows (the anchors) among all distinct rows.

    Attributes
    ----------
    distances : float64 ``[q, k]``, Euclidean, in the units of the data, nearest first, never 0.
    indices : int64 ``[q, k]``, row numbers in the data as given; a row's duplicates never appear.
    anchors : int64 ``[q]``, the row number of each query in the data as given.
    n : number of distinct rows that were searched.
    duplicates_removed : rows left out because a row that is equal, or equal up to rounding, is
        kept.
    near_duplicates_removed : those of them that are equal only up to rounding.
    near_duplicates_flagged : anchors, not left out, whose first neighbour is nearer, against the
        second, than chance explains.
    """

    distances: npt.NDArray[np.float64]
    indices: npt.NDArray[np.int64]
    anchors: npt.NDArray[np.int64]
    n: int
    duplicates_removed: int
    near_duplicates_removed: int = 0
    near_duplicates_flagged: int = 0

    @property
    def near_duplicates(self) -> int:
        """Number of rows whose nearest neighbour was implausibly near, left out or flagged."""
        return self.near_duplicates_removed + self.near_duplicates_flagged


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
    result depends neither on ``memory_mb`` nor on the number of threads nor on the processor.

    A zero distance has no logarithm, and one copy in a thousand rows ruins most estimators of
    dimension. So, each with a ``UserWarning``:

    - rows equal to an earlier row are left out;
    - rows equal to an earlier row up to rounding are left out: r₁ <= 2 ε |x|, with ε the spacing of
      stored numbers near 1, and |x| the norm over the columns that vary, offset included. Integers
      have no rounding. Where rows lie so densely that chance brings neighbours as near (a curve of
      some 500 rows or more in float32), none is left out. With ``anchors``, only copies of anchors
      are found;
    - rows with a ratio r₂/r₁ so large that fewer than 0.01 are expected by chance are counted, not
      left out (``near_duplicates_flagged``; needs ``k >= 2``).

    The cost is one matrix product, 2 q n D floating-point operations, in bfloat16 where the
    processor has matrix units and this precision proves most neighbours, else in float32, and
    O(q k D) in float64. The neighbours of copies up to rounding are searched twice.

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
    EstimationError : NaN or infinity, fewer than two axes, not numbers (see ``real_array``), fewer
        than ``k + 1`` distinct rows, anchors that are no row numbers, or data most of whose rows
        are no farther from another than their rounding.
    """
    if k < 1:
        raise ConfigError(f"k = {k} neighbours were asked for; valid: 1 or more")
    if not memory_mb > 0:
        raise ConfigError(f"memory_mb = {memory_mb} is no amount of memory; valid: above 0")
    values = real_array(X)
    rows, scale = as_rows(values)
    resolution = _resolution(values.dtype)
    n = len(rows)
    asked = _asked(anchors, n)
    kept = first_equal(rows)
    equal = int(np.count_nonzero(kept != np.arange(n)))
    if equal:
        _warn(f"{equal} of {n} rows are duplicates of an earlier row and were left out")
    excluded = _excluded(kept, k)
    queries = _once(kept if asked is None else kept[asked])
    while True:
        distances, columns = search(rows, queries, k, memory_mb, excluded)
        copies = rounding_copies(rows, queries, distances, columns, resolution)
        if copies is None:
            break
        kept = copies[kept]
        excluded = _excluded(kept, k)
        queries = _once(kept[queries])
    removed = int(np.count_nonzero(excluded))
    if removed > equal:
        _warn(
            f"{removed - equal} of {n} rows are near-duplicates, equal to an earlier row up to "
            "rounding, and were left out"
        )
    flagged = implausibly_near(distances)
    if flagged:
        _warn(
            f"{flagged} of {len(queries)} rows have a neighbour so near against the next that they "
            "may be near-duplicates, and were kept"
        )
    return Neighbors(
        distances / scale, columns, queries, n - removed, removed, removed - equal, flagged
    )


def nearest_neighbors_batch(X: npt.ArrayLike, k: int, *, memory_mb: float = 256) -> list[Neighbors]:
    """Return the neighbours within each of many representations, as single calls would.

    Parameters
    ----------
    X : real ``[R, n, *features]``, R representations of n rows each.
    k, memory_mb : as in ``nearest_neighbors``.

    Raises
    ------
    ConfigError : as ``nearest_neighbors``.
    EstimationError : as ``nearest_neighbors``, naming the first representation without an answer,
        or fewer than three axes.
    """
    values = real_array(X)
    if values.ndim < 3:
        raise EstimationError(
            f"data have shape {values.shape}; valid: [representations, rows, features]"
        )
    found = []
    for number, rows in enumerate(values):
        try:
            found.append(nearest_neighbors(rows, k, memory_mb=memory_mb))
        except EstimationError as error:
            raise EstimationError(f"representation {number}: {error}") from error
    return found


def _warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=3)


def _once(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the numbers without repetitions, in the order of first occurrence."""
    return numbers[np.sort(np.unique(numbers, return_index=True)[1])]


def _excluded(kept: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.bool_]:
    """Return which rows are left out, given the row kept for each."""
    excluded: npt.NDArray[np.bool_] = kept != np.arange(len(kept))
    distinct = len(kept) - np.count_nonzero(excluded)
    if distinct <= k:
        raise EstimationError(
            f"{k} neighbours need at least {k + 1} distinct rows; got n_samples = {len(kept)}, "
            f"of which {distinct} distinct"
        )
    return excluded


def as_rows(X: npt.ArrayLike) -> tuple[npt.NDArray[Any], float]:
    """Return the data as ``[n, D]`` of uint8, float32 or float64, and the factor put on it."""
    values = real_array(X)
    if values.ndim < 2:
        raise EstimationError(f"data have shape {values.shape}; valid: [rows, features]")
    if values.size == 0:
        raise EstimationError(f"data have shape {values.shape}, so no values; valid: [n, D > 0]")
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    elif values.dtype not in (np.uint8, np.float32, np.float64):
        with np.errstate(over="ignore"):  # what float64 cannot hold is refused below
            values = values.astype(np.float64)
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


def _resolution(stored: np.dtype[Any]) -> float:
    """Return the spacing near 1 of stored numbers, or 0 for integers."""
    # What is more exact than float64 is converted to it.
    return max(float(np.finfo(stored).eps), 2.0**-52) if stored.kind == "f" else 0.0


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
