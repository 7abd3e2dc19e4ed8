"""False positives of dense retrieval as the index grows (Reimers & Gurevych 2021)."""

import math

import numpy as np
import numpy.typing as npt

from dimlaws.errors import ConfigError
from dimlaws.laws.crossing import crossing_point
from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.theory.spherical_caps import (
    false_positive_probability,
    mean_reciprocal_rank,
    median_index_size,
)
from dimlaws.types import Fraction, PositiveInt

BLOCK = 4096
"""Documents compared with all queries at a time."""


def dense_retrieval_curse(
    seed: int,
    *,
    dims: list[PositiveInt],
    index_sizes: list[PositiveInt],
    loss_range: list[PositiveInt],
    cosine: Fraction = 0.5,
    queries: PositiveInt = 500,
) -> list[Record]:
    """Retrieval by cosine where irrelevant documents are uniform on the sphere of R^d.

    Every query has one relevant document, at the cosine c. A false positive is an irrelevant
    document that is nearer; the reciprocal rank of a query is 1/(1 + their number).

    Index columns: ``dim`` and ``index_size``, the number n of irrelevant documents. Quantities of
    both: ``false_positive``, the share of queries that have one, ``reciprocal_rank``, its mean,
    and what theory predicts for them, ``predicted_false_positive`` and
    ``predicted_reciprocal_rank``. Of ``dim``: ``median_size``, the n at which half of the queries
    have a false positive, with ``predicted_median_size``; and ``loss_per_decade``, the fall of the
    mean reciprocal rank over ``loss_range`` per factor of ten in n, with
    ``predicted_loss_per_decade``. Of the run: ``slope_ratio``, the slope of ln ``median_size`` in
    d over its limit for large d, -½ ln(1 - c²).

    Parameters
    ----------
    dims : dimensions d of the embedding, two or more.
    index_sizes : numbers n of irrelevant documents, ascending; in every dimension they must go
        from less than half of the queries with a false positive to more.
    loss_range : the two of ``index_sizes`` between which the loss per decade is taken.
    cosine : cosine c of a query and its relevant document, above 0 and below 1.
    queries : number of queries, which share the documents.
    """
    if len(dims) < 2 or len(loss_range) != 2 or not set(loss_range) <= set(index_sizes):
        raise ConfigError(
            f"dense_retrieval_curse: dims {dims}, loss_range {loss_range}; valid: two or more "
            "dims, and two of index_sizes"
        )
    if sorted(set(index_sizes)) != index_sizes or not 0 < cosine < 1:
        raise ConfigError(
            f"dense_retrieval_curse: index_sizes {index_sizes}, cosine {cosine}; valid: ascending "
            "sizes, and a cosine between 0 and 1"
        )
    rows: list[Record] = []
    medians = []
    low, high = (index_sizes.index(size) for size in sorted(loss_range))
    decades = math.log10(index_sizes[high] / index_sizes[low])
    for dim in dims:
        rng = np.random.default_rng(stream(seed, "dense retrieval", dim))
        nearer = counts_nearer(rng, dim, cosine, queries, index_sizes)
        share = (nearer > 0).mean(axis=1)
        rank = (1 / (1 + nearer)).mean(axis=1)
        predicted_rank = mean_reciprocal_rank(cosine, dim, index_sizes)
        for quantity, values in (
            ("false_positive", share),
            ("reciprocal_rank", rank),
            ("predicted_false_positive", false_positive_probability(cosine, dim, index_sizes)),
            ("predicted_reciprocal_rank", predicted_rank),
        ):
            rows += [
                {"dim": dim, "index_size": size, "quantity": quantity, "value": float(value)}
                for size, value in zip(index_sizes, values, strict=True)
            ]
        sizes = np.array(index_sizes, dtype=np.float64)
        medians.append(crossing_point(sizes, share, 0.5, "index size"))
        for name, number in (
            ("median_size", medians[-1]),
            ("predicted_median_size", median_index_size(cosine, dim)),
            ("loss_per_decade", (rank[low] - rank[high]) / decades),
            ("predicted_loss_per_decade", (predicted_rank[low] - predicted_rank[high]) / decades),
        ):
            rows.append({"dim": dim, "quantity": name, "value": float(number)})
    slope = np.polyfit(dims, np.log(medians), 1)[0]
    ratio = float(slope / (-0.5 * math.log1p(-cosine * cosine)))
    return [*rows, {"quantity": "slope_ratio", "value": ratio}]


def counts_nearer(
    rng: np.random.Generator, dim: int, cosine: float, queries: int, index_sizes: list[int]
) -> npt.NDArray[np.int64]:
    """Return ``[sizes, queries]``: how many of the first n documents are nearer than ``cosine``."""
    asked = rng.standard_normal((queries, dim), dtype=np.float32)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    counts = np.zeros((len(index_sizes), queries), dtype=np.int64)
    start = 0
    for place, size in enumerate(index_sizes):
        if place:
            counts[place] = counts[place - 1]
        for first in range(start, size, BLOCK):
            shape = (min(BLOCK, size - first), dim)
            documents = rng.standard_normal(shape, dtype=np.float32)
            levels = cosine * np.linalg.norm(documents, axis=1)
            counts[place] += np.count_nonzero(asked @ documents.T >= levels, axis=1)
        start = size
    return counts
