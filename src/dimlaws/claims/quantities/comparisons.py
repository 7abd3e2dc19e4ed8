"""Quantities for claims that compare one setting with another.

As in every module here: each takes records, averages over seeds first, and returns one number.
"""

from typing import Any

import numpy as np

from dimlaws.claims.records import Records, Undecidable, matched, sides
from dimlaws.types import NonNegativeFloat


def ratio_of_values(
    records: Records,
    *,
    measure: str,
    quantity: str,
    numerator: dict[str, Any],
    denominator: dict[str, Any],
    where: dict[str, Any] | None = None,
) -> float:
    """Return the ratio of cell means, as a geometric mean over the cells that match otherwise.

    Parameters
    ----------
    measure : measure that gives the value
    quantity : quantity of that measure
    numerator : rows of the numerator, such as ``{k: 20}``
    denominator : rows of the denominator, with the same keys, such as ``{k: 3}``
    where : rows to use in both

    """
    a, b = sides(records, measure, quantity, numerator, denominator, where)
    if (a <= 0).any() or (b <= 0).any():
        raise Undecidable("a mean is zero or negative, so its ratio says nothing")
    return float(np.exp(np.mean(np.log(a) - np.log(b))))


def fraction_where_below(
    records: Records,
    *,
    measure: str,
    quantity: str,
    left: dict[str, Any],
    right: dict[str, Any],
    slack: NonNegativeFloat = 0.0,
) -> float:
    """Return the fraction of cells where mean(left) is at most mean(right) + ``slack``.

    Each cell of ``left`` is compared with the cell of ``right`` that agrees with it in all other
    keys that both have; ``left`` may have further ones, such as the layer.

    Parameters
    ----------
    measure : measure that gives both values
    quantity : quantity of that measure
    left : rows of the value that should be smaller, such as ``{subject: representation}``
    right : rows of the value that should be larger, such as ``{subject: data}``
    slack : how much larger the smaller value may be

    """
    small = records.cells(measure, quantity, left)
    large = records.cells(measure, quantity, right)
    pairs = matched(small, large, pinned={*left, *right})
    a, b = small.finite_means()[pairs[:, 0]], large.finite_means()[pairs[:, 1]]
    return float(np.mean(a <= b + slack))


def largest_magnitude_ratio(
    records: Records,
    *,
    measure: str,
    quantity: str,
    numerator: dict[str, Any],
    denominator: dict[str, Any],
    where: dict[str, Any] | None = None,
) -> float:
    """Return the largest ratio of |mean| to |mean| over the cells that match otherwise.

    For errors of two estimators: at most 1/2 where one has half the bias of the other everywhere.

    Parameters
    ----------
    measure : measure that gives the value
    quantity : quantity of that measure
    numerator : rows of the numerator, such as ``{estimator: moments}``
    denominator : rows of the denominator, with the same keys, such as ``{estimator: plug_in}``
    where : rows to use in both

    """
    a, b = sides(records, measure, quantity, numerator, denominator, where)
    if (b == 0).any():
        raise Undecidable("a denominator is zero")
    return float(np.max(np.abs(a / b)))


def rising_fraction(
    records: Records,
    *,
    measure: str,
    quantity: str,
    x: str,
    ceiling: float,
    where: dict[str, Any] | None = None,
) -> float:
    """Return the fraction of steps along ``x`` where the mean rises.

    Steps that start at ``ceiling`` or above are left out: there the value is saturated.

    Parameters
    ----------
    measure : measure that gives the value
    quantity : quantity of that measure
    x : swept key or index column along which the value should rise
    ceiling : value from which on it need not rise
    where : rows to use

    """
    cells = records.cells(measure, quantity, where)
    means = cells.finite_means()
    rises: list[bool] = []
    for line in cells.along(x):
        values = means[line.positions]
        rises.extend(np.diff(values)[values[:-1] < ceiling] > 0)
    if not rises:
        raise Undecidable(f"no step along {x} starts below {ceiling:g}")
    return float(np.mean(rises))


def mean_difference(
    records: Records,
    *,
    measure: str,
    quantity: str,
    minuend: dict[str, Any],
    subtrahend: dict[str, Any],
    where: dict[str, Any] | None = None,
) -> float:
    """Return the difference of cell means, as a mean over the cells that match otherwise.

    Parameters
    ----------
    measure : measure that gives the value
    quantity : quantity of that measure
    minuend : rows to subtract from, such as ``{moment: end}``
    subtrahend : rows that are subtracted, with the same keys, such as ``{moment: start}``
    where : rows to use in both

    """
    a, b = sides(records, measure, quantity, minuend, subtrahend, where)
    return float(np.mean(a - b))


def largest_difference(
    records: Records,
    *,
    measure: str,
    quantity: str,
    minuend: dict[str, Any],
    subtrahend: dict[str, Any],
    where: dict[str, Any] | None = None,
) -> float:
    """Return the largest |difference of cell means| over the cells that match otherwise.

    Parameters
    ----------
    measure : measure that gives the value
    quantity : quantity of that measure
    minuend : rows to subtract from, such as ``{side: inside}``
    subtrahend : rows that are subtracted, with the same keys, such as ``{side: outside}``
    where : rows to use in both

    """
    a, b = sides(records, measure, quantity, minuend, subtrahend, where)
    return float(np.max(np.abs(a - b)))


def ratio_of_differences(
    records: Records,
    *,
    measure: str,
    quantity: str,
    minuend: dict[str, Any],
    subtrahend: dict[str, Any],
    numerator: dict[str, Any],
    denominator: dict[str, Any],
    where: dict[str, Any] | None = None,
) -> float:
    """Return the ratio of one ``mean_difference`` to another, which must be positive.

    At most 0 where the value does not rise in the numerator.

    Parameters
    ----------
    measure : measure that gives the value
    quantity : quantity of that measure
    minuend : rows to subtract from, such as ``{moment: end}``
    subtrahend : rows that are subtracted, with the same keys, such as ``{moment: start}``
    numerator : rows of the numerator's difference, such as ``{data.label_noise: 0.9}``
    denominator : rows of the denominator's difference, such as ``{data.label_noise: 0}``
    where : rows to use in both

    """
    above, below = (
        mean_difference(
            records,
            measure=measure,
            quantity=quantity,
            minuend=minuend,
            subtrahend=subtrahend,
            where={**(where or {}), **side},
        )
        for side in (numerator, denominator)
    )
    if below <= 0:
        raise Undecidable("the difference in the denominator is not positive")
    return above / below
