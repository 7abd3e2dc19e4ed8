"""Exact nearest neighbours by a fast matrix-product filter whose answer is proved for every query.

The expanded form |x|² + |y|² − 2x·y costs one matrix product but loses digits where norms are large
against neighbour distances. Here it only proposes ``k + margin`` candidates; their distances are
computed from differences in float64, and an a-priori rounding bound decides for every query whether
a point outside the candidates could be nearer. Queries that fail go to a float64 filter, and those
that still fail (exact ties, mostly) are compared with every row.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

Rows = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_STRIPES = 16
_CACHE_BYTES = 2**21


@dataclass(frozen=True)
class _Frame:
    """Centred coordinates ``(x - center) * scale``, at most about 1 in absolute value."""

    center: Floats
    scale: float

    @classmethod
    def of(cls, rows: Rows) -> "_Frame":
        total = np.zeros(rows.shape[1])
        for part in _parts(len(rows), rows.shape[1]):
            total += rows[part].sum(axis=0, dtype=np.float64)
        center = total / len(rows)
        low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
        spread = float(np.maximum(high - center, center - low).max())
        # A power of two, so that scaling rounds nothing.
        return cls(center, float(np.ldexp(1.0, -int(np.frexp(spread)[1]))))

    def place(self, rows: Rows) -> Floats:
        placed = rows.astype(np.float64)
        placed -= self.center
        placed *= self.scale
        return placed


@dataclass(frozen=True)
class _Blocks:
    """How many keys and queries are in memory at a time."""

    keys: int
    queries: int

    @classmethod
    def fitting(cls, n: int, features: int, itemsize: int, memory_mb: float) -> "_Blocks":
        words = int(memory_mb * 2**20) // itemsize
        keys = max(_STRIPES, min(n, words // 2 // (features + 1)))
        keys = -(-keys // _STRIPES) * _STRIPES
        queries = min(words // 4 // keys, words // 8 // (features + 1), 2048)
        return cls(keys, max(1, queries))


def _parts(count: int, features: int) -> list[slice]:
    """Return slices of ``count`` rows that fit the processor's cache as float64."""
    step = max(1, _CACHE_BYTES // (8 * max(1, features)))
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]


def _fill_keys(keys: npt.NDArray[Any], rows: Rows, frame: _Frame) -> None:
    """Write (y, |y|²) into ``keys [count, D + 1]``; keys beyond the rows become infinitely far."""
    keys[len(rows) :, :-1] = 0
    keys[len(rows) :, -1] = np.inf
    for part in _parts(*rows.shape):
        keys[part, :-1] = frame.place(rows[part])
        rounded = keys[part, :-1].astype(np.float64)
        keys[part, -1] = np.einsum("nd,nd->n", rounded, rounded)


def _queries(
    rows: Rows, numbers: Integers, frame: _Frame, dtype: type[np.floating[Any]]
) -> npt.NDArray[Any]:
    """Return ``[len(numbers), D + 1]``: (−2x, 1), whose product with a key is |y|² − 2x·y."""
    queries = np.ones((len(numbers), rows.shape[1] + 1), dtype)
    for part in _parts(len(numbers), rows.shape[1]):
        queries[part, :-1] = frame.place(rows[numbers[part]])
    queries[:, :-1] *= -2
    return queries


def _smallest(values: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the ``count`` smallest entries of every row, in any order, and their columns.

    The number of columns is a multiple of the number of stripes.

    The ``count`` smallest lie in the ``count`` stripes with the smallest minima, so most entries
    are only ever looked at by a minimum, which is several times faster than a selection.
    """
    queries, columns = values.shape
    width = columns // _STRIPES
    if width < 2 * count:
        return torch.topk(values, min(count, columns), dim=1, largest=False, sorted=False)
    striped = values.view(queries, _STRIPES, width)
    stripes = torch.topk(striped.amin(dim=1), count, dim=1, largest=False, sorted=False)[1]
    members = striped.gather(2, stripes[:, None, :].expand(-1, _STRIPES, -1))
    best, where = torch.topk(members.flatten(1), count, dim=1, largest=False, sorted=False)
    return best, where // count * width + stripes.gather(1, where % count)


def _propose(
    rows: Rows,
    numbers: Integers,
    count: int,
    frame: _Frame,
    dtype: type[np.floating[Any]],
    memory_mb: float,
) -> tuple[Floats, Integers]:
    """Return for each query the ``count`` best rows and the worst filter value among them."""
    n, features = rows.shape
    blocks = _Blocks.fitting(n, features, np.dtype(dtype).itemsize, memory_mb)
    best = torch.from_numpy(np.full((len(numbers), count), np.inf, dtype))
    columns = torch.zeros((len(numbers), count), dtype=torch.int64)
    keys = np.empty((blocks.keys, features + 1), dtype)
    products = np.empty((min(blocks.queries, len(numbers)), blocks.keys), dtype)
    for first in range(0, n, blocks.keys):
        _fill_keys(keys, rows[first : first + blocks.keys], frame)
        for start in range(0, len(numbers), blocks.queries):
            part = slice(start, min(start + blocks.queries, len(numbers)))
            product = products[: part.stop - part.start]
            np.matmul(_queries(rows, numbers[part], frame, dtype), keys.T, out=product)
            own = numbers[part] - first
            inside = np.flatnonzero((own >= 0) & (own < blocks.keys))
            product[inside, own[inside]] = np.inf
            found, where = _smallest(torch.from_numpy(product), count)
            joined = torch.cat([best[part], found], dim=1)
            sources = torch.cat([columns[part], where + first], dim=1)
            best[part], chosen = torch.topk(joined, count, dim=1, largest=False, sorted=False)
            columns[part] = sources.gather(1, chosen)
    return best.amax(dim=1).numpy().astype(np.float64), columns.numpy()


def _distances(rows: Rows, numbers: Integers, columns: Integers) -> Floats:
    """Return ``[q, m]`` Euclidean distances from differences in float64.

    One pair gives the same bits whatever else is computed with it.
    """
    features = rows.shape[1]
    distances = np.empty(columns.shape)
    for part in _parts(len(numbers), columns.shape[1] * features):
        points = rows[columns[part].ravel()].astype(np.float64)
        distances[part] = torch.cdist(
            torch.from_numpy(rows[numbers[part]].astype(np.float64))[:, None],
            torch.from_numpy(points).view(-1, columns.shape[1], features),
            compute_mode="donot_use_mm_for_euclid_dist",
        )[:, 0].numpy()
    return distances


def _nearest(distances: Floats, columns: Integers, k: int) -> tuple[Floats, Integers]:
    """Return the ``k`` nearest of each row; equal distances in the order of their indices."""
    order = np.lexsort((columns, distances), axis=-1)[:, :k]
    return np.take_along_axis(distances, order, 1), np.take_along_axis(columns, order, 1)


def _rounding(features: int, dtype: type[np.floating[Any]]) -> float:
    """Return c such that a filter value is off by less than c (|x| + |y|)².

    γ_m = m u / (1 − m u) bounds any order of summation of m terms (Higham, Accuracy and Stability
    of Numerical Algorithms, 2nd ed., §3.1). The product has D + 1 terms that sum, in absolute
    value, to at most (|x| + |y|)²; rounding the coordinates and |y|² adds 4 u; 16 leaves room.
    """
    total = (features + 16) * float(np.finfo(dtype).eps) / 2
    return total / (1 - total) if total < 1 else np.inf


def _certified(
    rows: Rows,
    numbers: Integers,
    kth: Floats,
    worst: Floats,
    frame: _Frame,
    dtype: type[np.floating[Any]],
) -> npt.NDArray[np.bool_]:
    """Whether no row outside the candidates can be as near as the k-th candidate.

    Suppose such a row y has |x − y| <= R. Then |y| <= |x| + R, so its filter value is less than
    R² − |x|² + c (2|x| + R)². But outside rows have values of at least ``worst``.
    """
    squares = np.empty(len(numbers))
    for part in _parts(len(numbers), rows.shape[1]):
        placed = frame.place(rows[numbers[part]])
        squares[part] = np.einsum("nd,nd->n", placed, placed)
    radius = kth * frame.scale
    slack = _rounding(rows.shape[1], dtype) + _rounding(rows.shape[1], np.float64)
    # Products that underflow lose up to the smallest normal number each.
    lost = 4 * rows.shape[1] * float(np.finfo(dtype).tiny)
    needed = slack * (2 * np.sqrt(squares) + radius) ** 2 + lost
    proved: npt.NDArray[np.bool_] = worst + squares - radius**2 > needed
    return proved


def search(rows: Rows, numbers: Integers, k: int, memory_mb: float) -> tuple[Floats, Integers]:
    """Return the ``k`` nearest rows of each query, itself left out by its number.

    Parameters
    ----------
    rows : uint8, float32 or float64 ``[n, D]``, distinct and finite, ``n > k``.
    numbers : int64 ``[q]``, the rows that are queries.
    k : number of neighbours.
    memory_mb : mebibytes for temporary arrays, besides O(q k).

    Returns
    -------
    distances, columns : float64 and int64 ``[q, k]``, nearest first, ties by row number.
    """
    count = min(len(rows) - 1, k + 8 + k // 4)
    frame = _Frame.of(rows)
    distances = np.empty((len(numbers), k))
    columns = np.empty((len(numbers), k), np.int64)
    pending = np.arange(len(numbers))
    for dtype in (np.float32, np.float64):
        if len(pending) == 0:
            break
        asked = numbers[pending]
        worst, proposed = _propose(rows, asked, count, frame, dtype, memory_mb)
        near, where = _nearest(_distances(rows, asked, proposed), proposed, k)
        proved = _certified(rows, asked, near[:, -1], worst, frame, dtype)
        if count == len(rows) - 1:
            proved[:] = True
        distances[pending[proved]], columns[pending[proved]] = near[proved], where[proved]
        pending = pending[~proved]
    for query in pending:
        distances[query], columns[query] = _compare_with_all(rows, int(numbers[query]), k)
    return distances, columns


def _compare_with_all(rows: Rows, number: int, k: int) -> tuple[Floats, Integers]:
    """Return the ``k`` nearest rows of one query by differences with every row."""
    one = np.array([number], np.int64)
    everything = np.empty(len(rows))
    for part in _parts(*rows.shape):
        block = np.arange(part.start, part.stop)[None]
        everything[part] = _distances(rows, one, block)[0]
    everything[number] = np.inf
    near = np.flatnonzero(everything <= np.partition(everything, k - 1)[k - 1])
    distances, columns = _nearest(everything[near][None], near[None], k)
    return distances[0], columns[0]
