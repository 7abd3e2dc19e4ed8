"""Quantities for claims about how one value scales with another.

As in every module here: each takes records, averages over seeds first, and returns one number.
"""

from typing import Any

import numpy as np

from dimlaws.claims.records import Records, Undecidable, Vector, varying
from dimlaws.errors import nearest
from dimlaws.laws.power_law import fit_offset_power_law, fit_power_law
from dimlaws.laws.ranks import ranks
from dimlaws.types import PositiveFloat


def scaling_exponent(
    records: Records, *, measure: str, quantity: str, x: str, where: dict[str, Any] | None = None
) -> float:
    """Return the exponent ``a`` of ``value ~ x^-a``, from geometric means over seeds.

    Parameters
    ----------
    measure : measure that gives the value
    quantity : quantity of that measure
    x : swept key or index column that is the abscissa; no other key may vary
    where : rows to use

    """
    cells = records.cells(measure, quantity, where)
    line = cells.only_line(x)
    return fit_power_law(line.x, cells.geometric_means()[line.positions]).exponent


def exponent_in_quantity(
    records: Records,
    *,
    measure: str,
    quantity: str,
    abscissa: str,
    x: str,
    where: dict[str, Any] | None = None,
) -> float:
    """Return the exponent ``a`` of ``value ~ abscissa^-a`` for two quantities of one measure.

    Parameters
    ----------
    measure : measure that gives both quantities
    quantity : quantity that is the value
    abscissa : quantity that is the abscissa, such as the number of parameters
    x : swept key along which both change; no other key may vary
    where : rows to use

    """
    cells = records.cells(measure, quantity, where)
    line = cells.only_line(x)
    sizes = records.cells(measure, abscissa, where)
    across = sizes.only_line(x)
    return fit_power_law(
        sizes.geometric_means()[across.positions], cells.geometric_means()[line.positions]
    ).exponent


def offset_exponent(
    records: Records, *, measure: str, quantity: str, x: str, where: dict[str, Any] | None = None
) -> float:
    """Return the exponent ``a`` of ``value = L_inf + c x^-a``: how fast the floor is approached.

    Parameters
    ----------
    measure : measure that gives the value
    quantity : quantity of that measure
    x : swept key or index column that is the abscissa; no other key may vary
    where : rows to use

    """
    cells = records.cells(measure, quantity, where)
    line = cells.only_line(x)
    return fit_offset_power_law(line.x, cells.means()[line.positions]).exponent


def log_slope(
    records: Records,
    *,
    measure: str,
    quantity: str,
    x: str,
    where: dict[str, Any] | None = None,
    censored: str | None = "censored",
) -> float:
    """Return the slope of ``ln value`` in ``ln x``, averaged over the settings of all other keys.

    Undecidable if the measure flags more than 20 % of a cell's values as censored.

    Parameters
    ----------
    measure : measure that gives the value
    quantity : quantity of that measure
    x : swept key or index column that is the abscissa
    where : rows to use
    censored : quantity of the same measure that is 1 where the value is only a bound; null for none

    """
    if censored is not None:
        records.refuse_censored(measure, censored, where)
    cells = records.cells(measure, quantity, where)
    means = cells.geometric_means()
    lines = [line for line in cells.along(x) if len(np.unique(line.x)) >= 2]
    if not lines:
        raise Undecidable(f"{x} has one value only; a slope needs two")
    slopes = [-fit_power_law(line.x, means[line.positions]).exponent for line in lines]
    return float(np.mean(slopes))


def exponent_against_inverse_dimension(
    records: Records,
    *,
    measure: str,
    quantity: str,
    size: str,
    dim: str,
    numerator: PositiveFloat,
    max_dim: PositiveFloat | None = None,
    where: dict[str, Any] | None = None,
) -> float:
    """Return the geometric mean over dimensions of ``a_d * d / numerator``.

    It is 1 where the exponents obey ``a_d = numerator / d``.

    Parameters
    ----------
    measure : measure that gives the value whose scaling exponent in ``size`` is ``a_d``
    quantity : quantity of that measure
    size : swept key of the abscissa (sample count, width, parameters)
    dim : swept key of the dimension ``d``
    numerator : what theory puts over the dimension, such as 1 or 4
    max_dim : leave out larger dimensions
    where : rows to use

    """
    dims, exponents = _exponents(records, measure, quantity, size, dim, where)
    used = dims <= (np.inf if max_dim is None else max_dim)
    if not used.any():
        raise Undecidable(f"no {dim} is at most {max_dim:g}")
    if (exponents[used] <= 0).any():
        raise Undecidable(f"the value does not fall with {size} at every {dim}")
    return float(np.exp(np.mean(np.log(exponents[used] * dims[used] / numerator))))


def exponent_dimension_rank_correlation(
    records: Records,
    *,
    measure: str,
    quantity: str,
    size: str,
    dim: str,
    where: dict[str, Any] | None = None,
) -> float:
    """Return Spearman's correlation between ``1/d`` and the scaling exponent at ``d``.

    Parameters
    ----------
    measure : measure that gives the value whose scaling exponent in ``size`` is taken
    quantity : quantity of that measure
    size : swept key of the abscissa (sample count, width, parameters)
    dim : swept key of the dimension ``d``; three or more values
    where : rows to use

    """
    dims, exponents = _exponents(records, measure, quantity, size, dim, where)
    if len(dims) < 3:
        raise Undecidable(f"a rank correlation needs three values of {dim}; there are {len(dims)}")
    if len(np.unique(exponents)) == 1:
        raise Undecidable("all exponents are equal")
    middle = (len(dims) + 1) / 2
    falling, rank = ranks(-dims) - middle, ranks(exponents) - middle
    return float(falling @ rank / np.sqrt((falling @ falling) * (rank @ rank)))


def bound_holds_fraction(
    records: Records,
    *,
    measure: str,
    quantity: str,
    size: str,
    dim: str,
    numerator: PositiveFloat = 1.0,
    where: dict[str, Any] | None = None,
) -> float:
    """Return the fraction of dimensions whose scaling exponent is at least ``numerator / d``.

    Parameters
    ----------
    measure : measure that gives the value whose scaling exponent in ``size`` is taken
    quantity : quantity of that measure
    size : swept key of the abscissa (sample count, width, parameters)
    dim : swept key of the dimension ``d``
    numerator : what the bound puts over the dimension
    where : rows to use

    """
    dims, exponents = _exponents(records, measure, quantity, size, dim, where)
    return float(np.mean(exponents >= numerator / dims))


def _exponents(
    records: Records,
    measure: str,
    quantity: str,
    size: str,
    dim: str,
    where: dict[str, Any] | None,
) -> tuple[Vector, Vector]:
    """Return the dimensions, ascending, and the scaling exponent at each."""
    cells = records.cells(measure, quantity, where)
    lines = cells.along(size)
    others = [name for name in varying([line.held for line in lines]) if name != dim]
    if others:
        raise Undecidable(f"the records also vary in {', '.join(others)}; fix that in where")
    if any(dim not in line.held for line in lines):
        raise Undecidable(f"the records have no {dim}; {nearest(dim, lines[0].held)}")
    means = cells.geometric_means()
    fits = {
        float(line.held[dim]): fit_power_law(line.x, means[line.positions]).exponent
        for line in lines
    }
    dims = sorted(fits)
    return np.array(dims), np.array([fits[d] for d in dims])
