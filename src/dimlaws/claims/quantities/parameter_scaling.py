"""Quantities for the exponent of loss in parameters, where parameters are what limits a network.

As in ``quantities``: each takes records, averages over seeds first, and returns one number.

Which sizes are fitted says one rule for every dimension, ``laws.size_limit.resolved_sizes``.
"""

from typing import Any

import numpy as np

from dimlaws.claims.records import Records, Undecidable, Vector, matched
from dimlaws.errors import nearest
from dimlaws.laws.power_law import fit_power_law
from dimlaws.laws.size_limit import LEAST_SIZES, resolved_sizes
from dimlaws.types import NonNegativeFloat, PositiveFloat


def slope_of_inverse_exponent(
    records: Records,
    *,
    measure: str,
    quantity: str,
    abscissa: str,
    size: str,
    dim: str,
    numerator: PositiveFloat,
    measured_dim: dict[str, Any] | None = None,
    min_dim: NonNegativeFloat = 0.0,
    max_dim: PositiveFloat | None = None,
    floor: NonNegativeFloat = 1e-6,
) -> float:
    """Return the slope of ``numerator / a_d`` in d, by least squares: 1 if ``a_d = numerator / d``.

    ``a_d`` is the exponent of ``value ~ abscissa^-a_d`` over the sizes that ``resolved_sizes``
    leaves, at least three for each d.

    Parameters
    ----------
    measure : measure that gives all quantities
    quantity : quantity that is the value, such as the test loss
    abscissa : quantity that is the abscissa, such as the number of parameters
    size : index column or swept key along which both change
    dim : swept key of the dimension ``d``
    numerator : what theory puts over the dimension, such as 4
    measured_dim : rows of the quantity ``dimension`` of the measure, such as
        ``{estimator: two_nn}``, to take in place of the swept ``d``; null for the swept one
    min_dim : leave out smaller swept dimensions
    max_dim : leave out larger ones; null for none
    floor : values at or below count as limited by something else

    """
    used = (min_dim, np.inf if max_dim is None else max_dim)
    dims, exponents = _exponents(records, measure, quantity, abscissa, size, dim, floor, used)
    if len(dims) < 2:
        raise Undecidable(f"a slope needs two values of {dim}; there are {len(dims)}")
    if (exponents <= 0).any():
        raise Undecidable(f"the value does not fall with {abscissa} at every {dim}")
    across = dims
    if measured_dim is not None:
        line = records.cells(measure, "dimension", measured_dim).only_line(dim)
        means = records.cells(measure, "dimension", measured_dim).finite_means()
        found = dict(zip(line.x, means[line.positions], strict=True))
        across = np.array([found[d] for d in dims])
    return float(np.polyfit(across, numerator / exponents, 1)[0])


def exponent_bound_fraction(
    records: Records,
    *,
    measure: str,
    quantity: str,
    abscissa: str,
    size: str,
    dim: str,
    numerator: PositiveFloat,
    floor: NonNegativeFloat = 1e-6,
) -> float:
    """Return the fraction of dimensions d whose exponent is at least ``numerator / d``.

    Parameters
    ----------
    measure : measure that gives both quantities
    quantity : quantity that is the value, such as the test loss
    abscissa : quantity that is the abscissa, such as the number of parameters
    size : index column or swept key along which both change
    dim : swept key of the dimension ``d``
    numerator : what the bound puts over the dimension
    floor : values at or below count as limited by something else

    """
    dims, exponents = _exponents(records, measure, quantity, abscissa, size, dim, floor)
    return float(np.mean(exponents >= numerator / dims))


def _exponents(
    records: Records,
    measure: str,
    quantity: str,
    abscissa: str,
    size: str,
    dim: str,
    floor: float,
    used: tuple[float, float] = (0.0, np.inf),
) -> tuple[Vector, Vector]:
    """Return the dimensions within ``used``, ascending, and the exponent at each."""
    cells = records.cells(measure, quantity)
    across = records.cells(measure, abscissa)
    partner = dict(matched(cells, across, pinned=set()).tolist())
    means, sizes = cells.geometric_means(), across.finite_means()
    found = {}
    for line in cells.along(size):
        if set(line.held) != {dim}:
            raise Undecidable(f"the records need {dim} and no other key; {nearest(dim, line.held)}")
        if not used[0] <= line.held[dim] <= used[1]:
            continue
        kept = line.positions[: resolved_sizes(cells.measured[line.positions], floor)]
        if len(kept) < LEAST_SIZES:
            raise Undecidable(
                f"only {len(kept)} sizes are limited by parameters at {dim} = "
                f"{line.held[dim]:g}; an exponent needs {LEAST_SIZES}"
            )
        places = [partner[position] for position in kept.tolist()]
        found[float(line.held[dim])] = fit_power_law(sizes[places], means[kept]).exponent
    dims = sorted(found)
    return np.array(dims), np.array([found[d] for d in dims])
