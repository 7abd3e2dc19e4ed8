"""Which margin retrieval reaches in few dimensions, by construction and by training."""

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from dimlaws.errors import ConfigError
from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.studies.free_embeddings import FreeEmbeddings, Setting, Subset, subsets
from dimlaws.theory.retrieval import largest_margin, shared_component
from dimlaws.types import Fraction, PositiveFloat, PositiveInt

CHECK_EVERY = 50

TEMPERATURES: dict[Literal["infonce", "sigmoid"], float] = {"infonce": 0.1, "sigmoid": 1.0}
"""The temperature that training with each loss starts from."""

Floats = npt.NDArray[np.float64]


def retrieval_margin(
    seed: int,
    *,
    relevant: list[PositiveInt],
    documents: list[PositiveInt],
    queries: PositiveInt = 2016,
    trained_documents: list[PositiveInt],
    trained_dims: list[PositiveInt],
    trained_queries: PositiveInt = 256,
    reached: Fraction = 0.5,
    steps: PositiveInt = 2000,
    learning_rate: PositiveFloat = 0.01,
) -> list[Record]:
    """Find margins of unit vectors where each subset of k of n documents has a query.

    The margin is the largest m such that scores are >= m inside a query's subset and <= -m outside.

    Construction, per ``relevant`` k and ``documents`` n: the documents that are best if dimension
    is no limit (see ``theory.retrieval.largest_margin``, m_inf), projected on a random subspace,
    with the best query for each subset. ``needed_dim`` is the smallest dimension d with a margin of
    ``reached`` m_inf, ``dimension_constant`` is d / (k ln(n/k)).

    Training, per k, n, ``dim``, ``loss`` and ``steps``: Adam at a rate that falls to zero as a
    cosine, temperatures learned from 0.1 (InfoNCE) and 1 (sigmoid) on, as in the code of Bangachev
    et al. (2026), who take 100,000 steps. ``margin`` is the largest that was met, with the
    threshold that suits it best: half the lowest relevant minus the highest other score.

    Parameters
    ----------
    relevant : numbers k of documents of each query; at most half of every n.
    documents : numbers n of documents of the construction.
    queries : most subsets of the construction; random ones where there are more.
    trained_documents : numbers n of documents that are trained.
    trained_dims : dimensions d that are trained.
    trained_queries : most subsets that are trained; random ones where there are more.
    reached : share of m_inf that the construction must reach.
    steps : steps of Adam, on all pairs.
    learning_rate : rate at the first step.
    """
    if 2 * max(relevant) > min(*documents, *trained_documents):
        raise ConfigError(
            f"retrieval_margin: relevant {relevant}; valid: at most half of the fewest documents, "
            f"{min(*documents, *trained_documents)}"
        )
    records: list[Record] = []
    for k in relevant:
        for n in documents:
            needed = needed_dimension(n, subsets(n, k, seed, queries), reached, seed)
            found = {
                "needed_dim": float(needed),
                "dimension_constant": needed / (k * math.log(n / k)),
            }
            records += [
                {"quantity": name, "value": value, "relevant": k, "documents": n}
                for name, value in found.items()
            ]
    cells = [(k, n, d) for k in relevant for n in trained_documents for d in trained_dims]
    settings = [Setting(n, d, subsets(n, k, seed, trained_queries)) for k, n, d in cells]
    for loss, temperature in TEMPERATURES.items():
        embeddings = FreeEmbeddings(
            settings, seed, loss=loss, temperature=temperature, learn_temperature=True
        )
        margins = best_margins(embeddings, steps, learning_rate)
        records += [
            {
                "quantity": "margin",
                "value": value,
                "relevant": k,
                "documents": n,
                "dim": d,
                "loss": loss,
                "steps": steps,
            }
            for (k, n, d), value in zip(cells, margins, strict=True)
        ]
    return records


def best_margins(embeddings: FreeEmbeddings, steps: int, learning_rate: float) -> list[float]:
    """Train; return the largest margin of each setting, at any of the looks at it."""
    best = embeddings.margins()
    for step in range(steps):
        embeddings.step(learning_rate * (1 + math.cos(math.pi * step / steps)) / 2)
        if step % CHECK_EVERY == CHECK_EVERY - 1 or step == steps - 1:
            best = torch.maximum(best, embeddings.margins())
    return [float(margin) for margin in best]


def needed_dimension(documents: int, chosen: tuple[Subset, ...], reached: float, seed: int) -> int:
    """Return the smallest dimension where projected documents reach a share of m_inf.

    The subspaces are nested, so the margin all but grows with the dimension; it is m_inf at n.
    """
    relevant = len(chosen[0])
    target = reached * largest_margin(documents, relevant)
    rng = np.random.default_rng(stream(seed, "projection", documents))
    centred = rng.standard_normal((documents, documents - 1))
    frame = np.linalg.qr(centred - centred.mean(axis=0))[0]
    signs = -np.ones((len(chosen), documents))
    signs[np.arange(len(chosen))[:, None], np.array(chosen)] = 1.0
    low, high = 1, documents
    while high - low > 1:
        middle = (low + high) // 2
        vectors = projected_documents(frame, middle, relevant)
        low, high = (low, middle) if attains(vectors, signs, target) else (middle, high)
    return high


def projected_documents(frame: Floats, dim: int, relevant: int) -> Floats:
    """Return the documents [n, dim] of m_inf, their simplex projected on dim - 1 directions.

    ``frame`` [n, n - 1] has orthonormal columns, all orthogonal to the ones.
    """
    shared = shared_component(len(frame), relevant)
    own = frame[:, : dim - 1]
    own = own / np.linalg.norm(own, axis=1, keepdims=True)
    column = np.full((len(frame), 1), shared)
    return np.hstack([column, math.sqrt(1 - shared**2) * own])


def attains(vectors: Floats, signs: Floats, target: float, iterations: int = 3000) -> bool:
    """Whether for each row y of ``signs`` some unit u has y_i <u, v_i> >= ``target`` for all i.

    The largest least value is the distance from 0 to the convex hull of the points y_i v_i, since
    by duality u is the direction of the closest point. Accelerated projected gradient on the dual
    of min |u|^2 with y_i <u, v_i> >= 1: every iterate is a proof of attainment where its direction
    passes, and of the contrary where a point of the hull is closer than ``target``. Rows that are
    proved are dropped; if some are left after all iterations, they count as not attained.
    """
    gram = vectors @ vectors.T
    rate = 1 / np.linalg.eigvalsh(gram)[-1]
    left = signs
    weights = np.full_like(left, 1.0)
    moving, momentum = weights, 1.0
    for iteration in range(iterations):
        fields = left * ((moving * left) @ gram)
        if iteration % 10 == 0:
            norms = np.sqrt(np.maximum(np.sum(moving * fields, axis=1), 1e-300))
            if np.any(norms < target * moving.sum(axis=1)):
                return False
            rest = fields.min(axis=1) < target * norms
            if not rest.any():
                return True
            left, weights, moving, fields = left[rest], weights[rest], moving[rest], fields[rest]
        latest = np.maximum(moving + rate * (1 - fields), 0.0)
        following = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        moving = np.maximum(latest + (momentum - 1) / following * (latest - weights), 0.0)
        weights, momentum = latest, following
    return False
