"""How wide a sum-pooled embedding must be to tell which set it came from."""

import itertools
from typing import Literal

import numpy as np
import numpy.typing as npt

from dimlaws.errors import ConfigError
from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.theory.set_representation import jacobian_rank, smallest_power_width
from dimlaws.types import PerRun, PositiveFloat, PositiveInt

Floats = npt.NDArray[np.float64]
Embedding = Literal["power", "exponential"]

EMBEDDINGS: tuple[Embedding, ...] = ("power", "exponential")

SOLVED = 1e-9
"""Relative difference of embeddings below which a decoded set counts as a solution."""


def set_representation_width(
    seed: int,
    *,
    set_size: PerRun[PositiveInt],
    features: PerRun[PositiveInt],
    draws: PositiveInt = 100,
    starts: PositiveInt = 16,
    iterations: PositiveInt = 60,
    rank_tolerance: PositiveFloat = 1e-12,
    error_level: PositiveFloat = 0.1,
) -> list[Record]:
    """Rank and invertibility of embeddings of random sets, against their width L.

    A set of N elements x in R^D has the embedding Σ φ(x), where φ are L random units (Wang et al.
    2023, arXiv:2307.04001): "power" takes the powers 1 to N of L / N random projections (their LP),
    "exponential" the exponential of L random projections (LE). Elements and directions are
    Gaussian; directions have length 1. A set is decoded by Levenberg-Marquardt from ``starts``
    sets that are drawn as it was, all at once, until one has its embedding; if none does, the
    closest is the answer. An embedding that several sets share is so decoded to any of them.

    Index columns: ``embedding``; ``width`` L = N K for K = 1 to D + 2, and N D; ``bound``, which L
    that is: "below" N D, "ND", "N(D+1)", "N^2 D", or "between". Quantities: ``rank`` of the
    Jacobian, mean over draws; ``full_rank``, the share of draws where it is min(L, N D);
    ``error``, the distance from the set to the one decoded, over the norm of the set, elements
    matched, averaged over draws; ``failure``, the share of draws where that is above
    ``error_level``; ``solved``, the share where the answer has the embedding of the set to 1e-9.

    Parameters
    ----------
    set_size : number N of elements, 2 to 5.
    features : number D of features of an element, at least 2.
    draws : sets and embeddings, drawn anew together, per width.
    starts : sets to start decoding from.
    iterations : steps of Levenberg-Marquardt.
    rank_tolerance : singular values below this share of the largest one count as 0.
    error_level : relative error above which decoding failed.
    """
    if not 2 <= set_size <= 5 or features < 2:
        raise ConfigError(
            f"set_representation_width: set_size {set_size}, features {features}; "
            "valid: 2 to 5 elements, which are matched by trying all orders, of 2 or more features"
        )
    n, d = set_size, features
    records: list[Record] = []
    for embedding in EMBEDDINGS:
        for width in sorted({*(n * k for k in range(1, d + 3)), n * n * d}):
            content = [embedding, n, d, width]
            rng = np.random.default_rng(stream(seed, "sets", content))
            sets = rng.standard_normal((draws, n, d))
            directions = _directions(rng, embedding, draws, width, n, d)
            ranks = _ranks(embedding, sets, directions, rank_tolerance)
            initial = rng.standard_normal((draws, starts, n, d))
            decoded, solved = decode(embedding, sets, directions, initial, iterations)
            errors = matched_error(sets, decoded)
            found = {
                "rank": ranks.mean(),
                "full_rank": np.mean(ranks == jacobian_rank(width, n, d)),
                "error": errors.mean(),
                "failure": np.mean(errors > error_level),
                "solved": solved.mean(),
            }
            index = {"embedding": embedding, "width": width, "bound": _bound(width, n, d)}
            records += [
                {**index, "quantity": quantity, "value": float(value)}
                for quantity, value in found.items()
            ]
    return records


def embed(embedding: Embedding, sets: Floats, directions: Floats) -> tuple[Floats, Floats]:
    """Return embeddings ``[..., L]`` of ``sets [..., N, D]`` and their Jacobians ``[..., L, ND]``.

    ``directions`` are ``[..., K, D]``, with K = L / N for powers and K = L for exponentials.
    """
    projected = directions @ np.swapaxes(sets, -1, -2)  # [..., K, N]
    n = sets.shape[-2]
    if embedding == "exponential":
        slopes = values = np.exp(projected)
    else:
        powers = np.arange(1, n + 1)[:, None]
        low = projected[..., None, :] ** (powers - 1)  # [..., K, power, N]
        values = low * projected[..., None, :]
        slopes = powers * low
        values, slopes = (part.reshape(*part.shape[:-3], -1, n) for part in (values, slopes))
        directions = np.repeat(directions, n, axis=-2)
    jacobian = slopes[..., :, None] * directions[..., :, None, :]  # [..., L, N, D]
    return values.sum(-1), jacobian.reshape(*jacobian.shape[:-2], -1)


def decode(
    embedding: Embedding, sets: Floats, directions: Floats, initial: Floats, iterations: int
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the decoded sets ``[draws, N, D]`` and which of them have the embedding of the set.

    ``initial`` are the sets ``[draws, starts, N, D]`` to start from. Each has its own damping,
    which falls after a step that was taken and rises after one that would have gone up.
    """
    target = embed(embedding, sets, directions)[0][:, None]
    norm = np.linalg.norm(target, axis=-1)
    answers, solved = np.empty_like(sets), np.zeros(len(sets), dtype=bool)
    going = np.arange(len(sets))  # draws without an answer
    x, damping = initial.copy(), np.ones(initial.shape[:2])
    values, jacobian = embed(embedding, x, directions[:, None])
    residual = target - values
    cost = np.linalg.norm(residual, axis=-1) / norm
    identity = np.eye(sets.shape[-1] * sets.shape[-2])
    for _ in range(iterations):
        transposed = np.swapaxes(jacobian, -1, -2)
        gram = transposed @ jacobian + damping[..., None, None] * identity
        step = np.linalg.solve(gram, transposed @ residual[..., None])[..., 0]
        trial = x + step.reshape(x.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            values, slopes = embed(embedding, trial, directions[going, None])
            difference = target[going] - values
            trial_cost = np.linalg.norm(difference, axis=-1) / norm[going]
        better = trial_cost < cost  # False where the trial overflowed
        x[better], jacobian[better] = trial[better], slopes[better]
        residual[better], cost[better] = difference[better], trial_cost[better]
        damping = np.clip(np.where(better, damping / 5, damping * 4), 1e-14, 1e14)
        best = cost.argmin(axis=1)
        answers[going] = x[np.arange(len(x)), best]
        solved[going] = done = cost.min(axis=1) < SOLVED
        going = going[~done]
        x, jacobian, residual, cost, damping = (
            part[~done] for part in (x, jacobian, residual, cost, damping)
        )
        if not len(going):
            break
    return answers, solved


def matched_error(sets: Floats, decoded: Floats) -> Floats:
    """Return the relative distance ``[draws]`` of sets from the best order of the decoded ones."""
    orders = [list(order) for order in itertools.permutations(range(sets.shape[1]))]
    distances = [np.linalg.norm(decoded[:, order] - sets, axis=(1, 2)) for order in orders]
    errors: Floats = np.min(distances, axis=0) / np.linalg.norm(sets, axis=(1, 2))
    return errors


def _directions(
    rng: np.random.Generator, embedding: Embedding, draws: int, width: int, n: int, d: int
) -> Floats:
    count = width if embedding == "exponential" else width // n
    drawn = rng.standard_normal((draws, count, d))
    directions: Floats = drawn / np.linalg.norm(drawn, axis=-1, keepdims=True)
    return directions


def _ranks(
    embedding: Embedding, sets: Floats, directions: Floats, tolerance: float
) -> npt.NDArray[np.int64]:
    singular = np.linalg.svd(embed(embedding, sets, directions)[1], compute_uv=False)
    ranks: npt.NDArray[np.int64] = (singular > tolerance * singular[:, :1]).sum(axis=1)
    return ranks


def _bound(width: int, n: int, d: int) -> str:
    names = {n * d: "ND", smallest_power_width(n, d): "N(D+1)", n * n * d: "N^2 D"}
    return names.get(width, "below" if width < n * d else "between")
