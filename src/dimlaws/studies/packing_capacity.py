"""How nearly orthogonal k unit vectors in d dimensions can be (Guha 2026)."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from dimlaws.errors import ConfigError
from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.theory.spherical_caps import median_random_coherence, welch_bound
from dimlaws.training.blocks import Block
from dimlaws.training.optimizer import make_optimizer
from dimlaws.training.recipe import Recipe
from dimlaws.types import PositiveFloat, PositiveInt

Floats = npt.NDArray[np.float64]

RANDOM_DRAWS = 11
"""Random sets of vectors whose median coherence is taken."""

ROWS = 256
"""Rows of the matrix of cosines that are worked on at a time: they stay in cache."""


def packing_capacity(
    seed: int,
    *,
    vectors: list[PositiveInt],
    dims: list[PositiveInt],
    steps: PositiveInt = 300,
    learning_rate: PositiveFloat = 0.05,
) -> list[Record]:
    """Coherence, the largest |cosine|, of optimized and of random vectors, and laws for it.

    Index columns: ``vectors`` k and ``dim`` d. Quantities of both: ``coherence`` of optimized
    vectors; ``random_coherence``, its median over sets of as many random ones, and what theory says
    of that, ``predicted_random_coherence``; ``welch_bound``, and ``coherence_over_welch``.

    Quantities of the run, over all k and d, for two laws of one constant C each, fitted to
    coherence by least squares: ``ratio_constant``, ``ratio_r2`` and ``ratio_error`` of
    sqrt(C ln(k/d) / d); ``count_constant``, ``count_r2`` and ``count_error`` of the form of the
    Johnson-Lindenstrauss lemma, sqrt(C ln(k) / d). Errors are means of |law / coherence - 1|. Then
    ``random_constant``, C of the latter for random vectors, and how many times the error of the
    former the error of the latter is: ``count_over_ratio_error`` and, with the constant of random
    vectors, ``random_over_ratio_error``.

    Parameters
    ----------
    vectors : numbers k of vectors.
    dims : dimensions d, at least 3 and below every k.
    steps : steps of Adam.
    learning_rate : rate at the first step; falls linearly to zero.
    """
    if min(dims) < 3 or max(dims) >= min(vectors) or len(vectors) * len(dims) < 3:
        raise ConfigError(
            f"packing_capacity: vectors {vectors}, dims {dims}; valid: dims of 3 or more, fewer "
            "than the vectors, and three pairs or more"
        )
    k, d = (x.ravel() for x in np.meshgrid(np.array(vectors), np.array(dims), indexing="ij"))
    packed, scattered = np.empty(len(k)), np.empty(len(k))
    for place, (count, dim) in enumerate(zip(k.tolist(), d.tolist(), strict=True)):
        rng = np.random.default_rng(stream(seed, "packing", [count, dim]))
        draws = (rng.standard_normal((count, dim), dtype=np.float32) for _ in range(RANDOM_DRAWS))
        random_sets = [torch.from_numpy(draw) for draw in draws]
        scattered[place] = np.median([coherence(x) for x in random_sets])
        packed[place] = coherence(packed_vectors(random_sets[0], steps, learning_rate))
    bound = welch_bound(k, d)
    columns = {
        "coherence": packed,
        "random_coherence": scattered,
        "predicted_random_coherence": median_random_coherence(k, d),
        "welch_bound": bound,
        "coherence_over_welch": packed / bound,
    }
    rows: list[Record] = [
        {"vectors": int(k[i]), "dim": int(d[i]), "quantity": quantity, "value": float(values[i])}
        for quantity, values in columns.items()
        for i in range(len(k))
    ]
    by_ratio, by_count = np.log(k / d) / d, np.log(k) / d
    ratio, count_law = fit_root_law(by_ratio, packed), fit_root_law(by_count, packed)
    random = fit_root_law(by_count, scattered)
    transferred = np.mean(np.abs(np.sqrt(random.constant * by_count) / packed - 1))
    summary = {
        "ratio_constant": ratio.constant,
        "ratio_r2": ratio.r2,
        "ratio_error": ratio.error,
        "count_constant": count_law.constant,
        "count_r2": count_law.r2,
        "count_error": count_law.error,
        "random_constant": random.constant,
        "count_over_ratio_error": count_law.error / ratio.error,
        "random_over_ratio_error": float(transferred) / ratio.error,
    }
    return rows + [{"quantity": name, "value": value} for name, value in summary.items()]


@dataclass(frozen=True)
class RootLaw:
    """``y = sqrt(constant * x)``, with R² of y and the mean of |law / y - 1|."""

    constant: float
    r2: float
    error: float


def fit_root_law(x: Floats, y: Floats) -> RootLaw:
    """Fit ``y = sqrt(C x)`` by least squares in y; all of ``x`` and ``y`` positive."""
    root = float(y @ np.sqrt(x) / x.sum())
    predicted = root * np.sqrt(x)
    r2 = 1 - np.sum((y - predicted) ** 2) / np.sum((y - y.mean()) ** 2)
    return RootLaw(root**2, float(r2), float(np.mean(np.abs(predicted / y - 1))))


def packed_vectors(start: torch.Tensor, steps: int, learning_rate: float) -> torch.Tensor:
    """Return ``start`` [k, d] after minimizing the sum of |cosine|^p over pairs by Adam.

    p = 40 / ln d, rounded down and at most 20, as in the author's code for up to 4000 vectors. The
    gradient is scaled to a root-mean-square of 1 per vector, so that Adam's ε does not matter.
    """
    exponent = min(int(40 / math.log(start.shape[1])), 20)
    recipe = Recipe(optimizer="adam", learning_rate=learning_rate, steps=steps)
    theta = Block.of({"vectors": start[None]})
    gradient = theta.zeros_like()
    x, slope = theta.views["vectors"][0], gradient.views["vectors"][0]
    optimizer = make_optimizer(theta, [recipe], {"vectors": 1.0})
    for step in range(steps):
        lengths = x.norm(dim=1, keepdim=True)
        unit = x / lengths
        for first in range(0, len(unit), ROWS):
            cosines = _cosines(unit, first)
            weights = cosines.abs().pow_(exponent - 2).mul_(cosines)
            torch.mm(weights, unit, out=slope[first : first + ROWS])
        slope *= math.sqrt(len(slope)) / slope.norm()
        slope -= (slope * unit).sum(dim=1, keepdim=True) * unit
        slope /= lengths
        optimizer.step(gradient, [learning_rate * (1 - step / steps)])
    return x


def coherence(vectors: torch.Tensor) -> float:
    """Return the largest |cosine| between two rows of ``vectors`` [k, d]."""
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    found = [float(_cosines(unit, i).abs().max()) for i in range(0, len(unit), ROWS)]
    return max(found)


def _cosines(unit: torch.Tensor, first: int) -> torch.Tensor:
    """Return products [block, k] of the rows from ``first`` on with all rows, 0 with themselves."""
    rows = unit[first : first + ROWS]
    products = rows @ unit.T
    places = torch.arange(len(rows))
    products[places, places + first] = 0
    return products
