"""Quantities for the number of training rows that reach a given error.

As in ``quantities``: each takes records, averages over seeds first, and returns one number.
"""

from typing import Any

import numpy as np

from dimlaws.claims.records import Records, Undecidable, Vector
from dimlaws.errors import nearest
from dimlaws.laws.crossing import crossing_point
from dimlaws.laws.power_law import fit_power_law
from dimlaws.laws.ranks import spearman
from dimlaws.types import PositiveFloat


def sample_size_slope(
    records: Records,
    *,
    measure: str,
    quantity: str,
    size: str,
    x: str,
    level: PositiveFloat,
    where: dict[str, Any] | None = None,
) -> float:
    """Return the slope in ln x of the ln of the size needed, averaged over all other keys.

    The size needed is the smallest at which the mean value, falling with size, is ``level``
    (see ``laws.crossing``).

    Parameters
    ----------
    measure : measure that gives the value
    quantity : quantity of that measure, such as the test error
    size : swept key of the number of training rows
    x : swept key that is the abscissa, such as the intrinsic dimension
    level : the value to be reached
    where : rows to use

    """
    curves = _sizes_needed(records, measure, quantity, size, x, level, where)
    return float(np.mean([-fit_power_law(at, needed).exponent for at, needed in curves]))


def sample_size_rank_correlation(
    records: Records,
    *,
    measure: str,
    quantity: str,
    size: str,
    x: str,
    level: PositiveFloat,
    where: dict[str, Any] | None = None,
) -> float:
    """Return Spearman's correlation of the size needed with ``x``, averaged over all other keys.

    Parameters
    ----------
    measure : measure that gives the value
    quantity : quantity of that measure, such as the test error
    size : swept key of the number of training rows
    x : swept key that is the abscissa; three or more values
    level : the value to be reached
    where : rows to use

    """
    curves = _sizes_needed(records, measure, quantity, size, x, level, where)
    if min(len(at) for at, _ in curves) < 3:
        raise Undecidable(f"a rank correlation needs three values of {x}")
    return float(np.mean([spearman(at, needed) for at, needed in curves]))


def _sizes_needed(
    records: Records,
    measure: str,
    quantity: str,
    size: str,
    x: str,
    level: float,
    where: dict[str, Any] | None,
) -> list[tuple[Vector, Vector]]:
    """Return ``x``, ascending, and the sizes needed, for each setting of all other keys."""
    cells = records.cells(measure, quantity, where)
    means = cells.finite_means()
    curves: dict[tuple[Any, ...], list[tuple[float, float]]] = {}
    for line in cells.along(size):
        if x not in line.held:
            raise Undecidable(f"the records have no {x}; {nearest(x, line.held)}")
        others = tuple((name, value) for name, value in line.held.items() if name != x)
        needed = crossing_point(line.x, -means[line.positions], -level, size)
        curves.setdefault(others, []).append((float(line.held[x]), needed))
    found = [np.array(sorted(points)).T for points in curves.values()]
    if min(points.shape[1] for points in found) < 2:
        raise Undecidable(f"{x} has one value only; a relation needs more")
    return [(points[0], points[1]) for points in found]
