"""Precision and recall of samples from a support that is too small or too large."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from dimlaws.errors import ConfigError
from dimlaws.measures.intrinsic_dimension.neighbors import nearest_neighbors
from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.types import Fraction, PerRun, PositiveInt

Matrix = npt.NDArray[np.float64]


def precision_recall_asymmetry(
    seed: int,
    *,
    dims: list[PositiveInt],
    offsets: list[Fraction],
    support: PerRun[Literal["sphere", "cube"]] = "sphere",
    rows: PositiveInt = 1000,
    k: PositiveInt = 5,
) -> list[Record]:
    """Precision and recall by k nearest neighbours of supports scaled by 1 - e and 1 + e.

    The real rows are uniform on the unit sphere, or on the surface of the cube [-1, 1]^d; the
    generated ones are uniform on the same support times a scale (the hypersphere and hypercube
    experiments of Khayatkhoei & AbdAlmageed 2023). One generated sample serves all scales.

    Index columns: ``dim``, ``offset`` e and ``side``, ``inside`` for the scale 1 - e and
    ``outside`` for 1 + e (an offset of 0 has the side ``on``). Quantities: those of
    ``support_metrics``.

    Parameters
    ----------
    dims : dimensions d of the space, at least 2.
    offsets : distances e of the generated support from the real one, below 1.
    support : what both supports are.
    rows : number of real rows, and of generated ones; more than ``k``.
    k : neighbours whose distance is the radius of a row's ball.
    """
    if min(dims) < 2 or max(offsets) >= 1 or rows <= k:
        raise ConfigError(
            f"precision_recall_asymmetry: dims {dims}, offsets {offsets}, {rows} rows, k {k}; "
            "valid: dims of 2 or more, offsets below 1, more rows than k"
        )
    records: list[Record] = []
    for dim in dims:
        rng = np.random.default_rng(stream(seed, "precision recall", [support, dim]))
        real, unit = (_sample(rng, support, rows, dim) for _ in range(2))
        radii = [nearest_neighbors(x, k).distances[:, -1] for x in (real, unit)]
        products = real @ unit.T
        squares = [np.square(x).sum(axis=1) for x in (real, unit)]
        for offset in sorted(set(offsets)):
            sides = {"inside": 1 - offset, "outside": 1 + offset} if offset else {"on": 1.0}
            for side, scale in sides.items():
                distances = squares[0][:, None] + scale**2 * squares[1] - 2 * scale * products
                found = support_metrics(distances, radii[0], scale * radii[1])
                index = {"dim": dim, "offset": offset, "side": side}
                records += [{**index, "quantity": q, "value": v} for q, v in found.items()]
    return records


def support_metrics(
    squared_distances: Matrix, real_radii: Matrix, generated_radii: Matrix
) -> dict[str, float]:
    """Return precision, recall, and what makes them symmetric.

    ``precision`` is the share of generated rows within the ball of a real row, ``recall`` the
    share of real rows within the ball of a generated row (Kynkäänniemi et al. 2019). Turned around,
    ``complement_precision`` is the share of generated rows whose own ball holds a real row, and
    ``coverage`` the share of real rows whose own ball holds a generated row.
    ``symmetric_precision`` and ``symmetric_recall`` are the smaller of each pair (Khayatkhoei &
    AbdAlmageed 2023, and their code). Balls are open.

    Parameters
    ----------
    squared_distances : ``[real, generated]``.
    real_radii : distance of each real row to its k-th neighbour among the real rows.
    generated_radii : distance of each generated row to its k-th neighbour among those.
    """
    in_real = squared_distances < np.square(real_radii)[:, None]
    in_generated = squared_distances < np.square(generated_radii)
    precision, coverage = in_real.any(axis=0).mean(), in_real.any(axis=1).mean()
    complement, recall = in_generated.any(axis=0).mean(), in_generated.any(axis=1).mean()
    return {
        "precision": float(precision),
        "recall": float(recall),
        "complement_precision": float(complement),
        "coverage": float(coverage),
        "symmetric_precision": float(min(precision, complement)),
        "symmetric_recall": float(min(recall, coverage)),
    }


def _sample(rng: np.random.Generator, support: str, rows: int, dim: int) -> Matrix:
    """Return uniform rows on the unit sphere, or on the surface of the cube [-1, 1]^d."""
    if support == "sphere":
        points: Matrix = rng.standard_normal((rows, dim))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        return points
    points = rng.uniform(-1, 1, (rows, dim))
    points[np.arange(rows), rng.integers(dim, size=rows)] = rng.choice([-1.0, 1.0], rows)
    return points
