"""Quantities of scaling exponents where another key than the dimension varies too.

As in ``quantities``: each takes records, averages over seeds first, and returns one number.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from dimlaws.claims.records import Cells, Key, Records, Undecidable
from dimlaws.errors import nearest
from dimlaws.laws.power_law import fit_power_law
from dimlaws.laws.ranks import spearman
from dimlaws.types import PositiveFloat


def bound_holds_cell_fraction(
    records: Records,
    *,
    measure: str,
    quantity: str,
    size: str,
    dim: str,
    numerator: PositiveFloat = 1.0,
    where: dict[str, Any] | None = None,
) -> float:
    """Return the fraction of cells whose scaling exponent is at least ``numerator / d``.

    A cell is one setting of ``dim`` and of every other key but ``size``.

    Parameters
    ----------
    measure : measure that gives the value whose scaling exponent in ``size`` is taken
    quantity : quantity of that measure
    size : swept key of the abscissa (sample count, width, parameters)
    dim : swept key of the dimension ``d``
    numerator : what the bound puts over the dimension
    where : rows to use

    """
    cells = records.cells(measure, quantity, where)
    return float(np.mean([a >= numerator / key[dim] for key, a in _exponents(cells, size, dim)]))


def mean_exponent_rank_correlation(
    records: Records,
    *,
    measure: str,
    quantity: str,
    size: str,
    dim: str,
    where: dict[str, Any] | None = None,
) -> float:
    """Return Spearman's correlation of the exponent with ``1/d``, averaged over the other keys.

    Parameters
    ----------
    measure : measure that gives the value whose scaling exponent in ``size`` is taken
    quantity : quantity of that measure
    size : swept key of the abscissa (sample count, width, parameters)
    dim : swept key of the dimension ``d``; three or more values
    where : rows to use

    """
    groups: dict[tuple[Any, ...], list[tuple[float, float]]] = {}
    for key, exponent in _exponents(records.cells(measure, quantity, where), size, dim):
        others = tuple(sorted((name, value) for name, value in key.items() if name != dim))
        groups.setdefault(others, []).append((1 / key[dim], exponent))
    found = []
    for points in groups.values():
        inverse, exponents = np.array(points).T
        if len(inverse) < 3:
            raise Undecidable(
                f"a rank correlation needs three values of {dim}; there are {len(inverse)}"
            )
        if np.ptp(exponents) == 0:
            raise Undecidable("all exponents are equal")
        found.append(spearman(inverse, exponents))
    return float(np.mean(found))


def _exponents(cells: Cells, size: str, dim: str) -> Iterator[tuple[Key, float]]:
    """Yield the key and the scaling exponent in ``size`` of every line of cells."""
    means = cells.geometric_means()
    for line in cells.along(size):
        if dim not in line.held:
            raise Undecidable(f"the records have no {dim}; {nearest(dim, line.held)}")
        yield line.held, fit_power_law(line.x, means[line.positions]).exponent
