"""Quantities for claims that relate cells to an axis, to each other, or to a theory.

As in every module here: each takes records, averages over seeds first, and returns one number.
"""

from typing import Any, Literal

import numpy as np

from dimlaws.claims.records import Cells, Records, Undecidable, Vector, matched
from dimlaws.laws.ranks import spearman


def rank_correlation(
    records: Records, *, measure: str, quantity: str, x: str, where: dict[str, Any] | None = None
) -> float:
    """Return Spearman's correlation of the cell means with ``x``, averaged over all other keys.

    Parameters
    ----------
    measure : measure that gives the value
    quantity : quantity of that measure
    x : swept key or index column; three or more values
    where : rows to use

    """
    cells = records.cells(measure, quantity, where)
    means = cells.finite_means()
    lines = cells.along(x)
    return float(np.mean([_spearman(line.x, means[line.positions], x) for line in lines]))


def correlation_of_quantities(
    records: Records,
    *,
    measure: str,
    quantity: str,
    with_measure: str,
    with_quantity: str,
    kind: Literal["pearson", "log-pearson", "spearman"] = "pearson",
    within: str | None = None,
    where: dict[str, Any] | None = None,
    with_where: dict[str, Any] | None = None,
) -> float:
    """Return the correlation over cells between two quantities; each cell counts once.

    Parameters
    ----------
    measure : measure that gives the first quantity
    quantity : the first quantity; each of its cells needs one of the second
    with_measure : measure that gives the second quantity
    with_quantity : the second quantity
    kind : of the values, of their logarithms, or of their ranks
    within : swept key that is held fixed: the correlation is averaged over its values
    where : rows of the first quantity to use; three cells or more
    with_where : rows of the second

    """
    first = records.cells(measure, quantity, where)
    second = records.cells(with_measure, with_quantity, with_where)
    pairs = matched(first, second, pinned={*(where or {}), *(with_where or {})})
    y, x = first.finite_means()[pairs[:, 0]], second.finite_means()[pairs[:, 1]]
    if kind == "log-pearson":
        if (x <= 0).any() or (y <= 0).any():
            raise Undecidable("a mean is zero or negative, so it has no logarithm")
        x, y = np.log(x), np.log(y)
    found = []
    for group in _groups(first, pairs[:, 0], within):
        if kind == "spearman":
            found.append(_spearman(x[group], y[group], with_quantity))
        else:
            _refuse_constant(x[group], y[group], with_quantity)
            found.append(float(np.corrcoef(x[group], y[group])[0, 1]))
    return float(np.mean(found))


def mean_relative_error(
    records: Records,
    *,
    measure: str,
    quantity: str,
    theory: str,
    where: dict[str, Any] | None = None,
) -> float:
    """Return the mean over cells of |mean(quantity) / mean(theory) - 1|.

    Parameters
    ----------
    measure : measure that gives both quantities
    quantity : what was simulated
    theory : quantity that holds the prediction for the same cell
    where : rows to use

    """
    return float(np.mean(_relative_errors(records, measure, quantity, theory, where)))


def largest_relative_error(
    records: Records,
    *,
    measure: str,
    quantity: str,
    theory: str,
    where: dict[str, Any] | None = None,
) -> float:
    """Return the largest over cells of |mean(quantity) / mean(theory) - 1|.

    Parameters
    ----------
    measure : measure that gives both quantities
    quantity : what was simulated
    theory : quantity that holds the prediction for the same cell
    where : rows to use

    """
    return float(np.max(_relative_errors(records, measure, quantity, theory, where)))


def largest_deviation(
    records: Records,
    *,
    measure: str,
    quantity: str,
    theory: str,
    where: dict[str, Any] | None = None,
) -> float:
    """Return the largest over cells of |mean(quantity) - mean(theory)|.

    Parameters
    ----------
    measure : measure that gives both quantities
    quantity : what was simulated
    theory : quantity that holds the prediction for the same cell
    where : rows to use

    """
    simulated, predicted = _beside_theory(records, measure, quantity, theory, where)
    return float(np.max(np.abs(simulated - predicted)))


def magnitude_rank_correlation(
    records: Records,
    *,
    measure: str,
    quantity: str,
    abscissa: str,
    where: dict[str, Any] | None = None,
) -> float:
    """Return Spearman's correlation over cells between |mean value| and another quantity's mean.

    Parameters
    ----------
    measure : measure that gives both quantities
    quantity : quantity whose size is taken
    abscissa : quantity that it should grow with
    where : rows to use; three cells or more

    """
    cells = records.cells(measure, quantity, where)
    across = records.cells(measure, abscissa, where)
    pairs = matched(cells, across, pinned=set())
    if len(pairs) < 3:
        raise Undecidable(f"a rank correlation needs three cells; there are {len(pairs)}")
    y, x = np.abs(cells.finite_means()[pairs[:, 0]]), across.finite_means()[pairs[:, 1]]
    if np.ptp(y) == 0 or np.ptp(x) == 0:
        raise Undecidable("all values are equal")
    return spearman(x, y)


def _relative_errors(
    records: Records, measure: str, quantity: str, theory: str, where: dict[str, Any] | None
) -> Vector:
    simulated, predicted = _beside_theory(records, measure, quantity, theory, where)
    if (predicted == 0).any():
        raise Undecidable("a prediction is zero, so there is no relative error")
    errors: Vector = np.abs(simulated / predicted - 1.0)
    return errors


def _beside_theory(
    records: Records, measure: str, quantity: str, theory: str, where: dict[str, Any] | None
) -> tuple[Vector, Vector]:
    """Return the means of the cells and of their predictions."""
    simulated = records.cells(measure, quantity, where)
    predicted = records.cells(measure, theory, where)
    pairs = matched(simulated, predicted, pinned=set())
    theirs = predicted.finite_means()[pairs[:, 1]]
    return simulated.finite_means()[pairs[:, 0]], theirs


def _groups(cells: Cells, positions: Any, within: str | None) -> list[Any]:
    """Return places in ``positions`` that share the value of ``within``."""
    labels = [None if within is None else cells.keys[i].get(within) for i in positions]
    return [np.flatnonzero([label == value for label in labels]) for value in dict.fromkeys(labels)]


def _spearman(x: Vector, y: Vector, name: str) -> float:
    _refuse_constant(x, y, name)
    return spearman(x, y)


def _refuse_constant(x: Vector, y: Vector, name: str) -> None:
    if len(x) < 3:
        raise Undecidable(f"a correlation with {name} needs three values; there are {len(x)}")
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise Undecidable("all values are equal")
