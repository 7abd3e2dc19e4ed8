"""How many documents fit if every pair of them must be some query's best two."""

import numpy as np
import torch

from dimlaws.studies import Record
from dimlaws.studies.free_embeddings import FreeEmbeddings, Setting, subsets
from dimlaws.theory.retrieval import (
    fitted_critical_documents,
    least_dimension,
    moment_curve,
    pair_queries,
)
from dimlaws.types import PerRun, PositiveFloat, PositiveInt

RELEVANT = 2
CURVE_DIM = 4

CHECK_EVERY = 50
"""Steps between two looks at what is realized."""
PATIENCE = 20
"""Looks without progress after which a setting counts as failed: 1,000 steps."""
PROGRESS = 1e-5
TOLERATED_SHARE, TOLERATED_DOCUMENTS = 0.3, 3.0


def embedding_limit(
    seed: int,
    *,
    dim: PerRun[PositiveInt],
    curve_documents: list[PositiveInt],
    steps: PositiveInt = 20000,
    block: PositiveInt = 8,
    learning_rate: PositiveFloat = 0.01,
    temperature: PositiveFloat = 0.1,
) -> list[Record]:
    """Train unit vectors of n documents and of all pairs of them; find the largest n that succeeds.

    Success: every query scores its two documents above all others. Settings with ``block``
    consecutive n, from d on, are trained side by side, until a block's two largest n fail; full
    batches of InfoNCE at a constant rate, as in the authors' code (Weller et al. 2025), which stops
    as well once the loss has not fallen by 1e-5 for 1,000 steps.

    Quantities: ``dim``; ``critical_documents``, the largest n; ``fitted_documents``, the authors'
    fit; ``miss``, how far they differ, over the larger of 3 documents and 30 % of the fit;
    ``bound_ratio``, the least over successful n of d over the dimension that the margin reached
    needs at least (see ``theory.retrieval.least_dimension``). Nothing random, and at d = 4 only: of
    the moment curve, per ``documents``, ``curve_gap``, the least score difference between a pair
    and the rest, and ``curve_realized``, the share of pairs where it is positive.

    Parameters
    ----------
    dim : dimension d of the vectors.
    curve_documents : numbers of documents on the moment curve; each at least 5.
    steps : most steps of Adam.
    block : settings that are trained side by side.
    learning_rate : rate of Adam.
    temperature : temperature T of the softmax.
    """
    critical, bounds, first = RELEVANT, [], max(dim, RELEVANT + 1)
    while True:
        counts = range(first, first + block)
        settings = [Setting(n, dim, subsets(n, RELEVANT, seed)) for n in counts]
        embeddings = FreeEmbeddings(settings, seed, temperature=temperature)
        gaps = best_gaps(embeddings, steps, learning_rate)
        solved = {n: gap for n, gap in zip(counts, gaps, strict=True) if gap > 0}
        critical = max(solved, default=critical)
        bounds += [dim / least_dimension(n, RELEVANT, gap / 2) for n, gap in solved.items()]
        first += block
        if critical < first - 2:
            break
    fitted = fitted_critical_documents(dim)
    tolerated = max(TOLERATED_DOCUMENTS, TOLERATED_SHARE * fitted)
    found = {
        "dim": float(dim),
        "critical_documents": float(critical),
        "fitted_documents": fitted,
        "miss": abs(critical - fitted) / tolerated,
        **({"bound_ratio": min(bounds)} if bounds else {}),
    }
    records: list[Record] = [{"quantity": name, "value": value} for name, value in found.items()]
    for documents in curve_documents if dim == CURVE_DIM else []:
        gaps_of_pairs = curve_gaps(documents)
        values = {
            "curve_gap": float(gaps_of_pairs.min()),
            "curve_realized": float(np.mean(gaps_of_pairs > 0)),
        }
        records += [
            {"quantity": name, "value": value, "documents": documents}
            for name, value in values.items()
        ]
    return records


def best_gaps(embeddings: FreeEmbeddings, steps: int, learning_rate: float) -> list[float]:
    """Train until each setting has succeeded or stalled; return the first gap above 0, or 0."""
    found = torch.zeros_like(embeddings.gaps())
    lowest = embeddings.losses()
    stalled = torch.zeros_like(lowest)
    for step in range(1, steps + 1):
        embeddings.step(learning_rate)
        if step % CHECK_EVERY:
            continue
        found = torch.where(found > 0, found, embeddings.gaps().clamp_min(0))
        losses = embeddings.losses()
        stalled = torch.where(losses < lowest - PROGRESS, 0, stalled + 1)
        lowest = torch.minimum(losses, lowest)
        if ((found > 0) | (stalled >= PATIENCE)).all():
            break
    return [float(gap) for gap in found]


def curve_gaps(documents: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the gap of the pairs of document 0 with every other [n - 1].

    A rotation by 2 π/n maps the curve's documents on each other, so these are all pairs there are.
    """
    partners = np.arange(1, documents)
    scores = pair_queries(documents, 0, partners) @ moment_curve(documents).T
    pairs = np.arange(len(partners))
    inside = np.minimum(scores[:, 0], scores[pairs, partners])
    scores[:, 0] = scores[pairs, partners] = -np.inf
    return np.asarray(inside - scores.max(axis=1))
