"""Quantities for claims about where along an axis a value is extreme.

As in every module here: each takes records, averages over seeds first, and returns one number.
"""

from typing import Any

import numpy as np

from dimlaws.claims.records import Records, Undecidable, Vector


def place_of_largest(
    records: Records, *, measure: str, quantity: str, x: str, where: dict[str, Any] | None = None
) -> float:
    """Return the ``x`` at which the mean is largest, averaged over all other keys.

    Parameters
    ----------
    measure : measure that gives the value
    quantity : quantity of that measure
    x : swept key or index column that is the abscissa
    where : rows to use

    """
    cells = records.cells(measure, quantity, where)
    means = cells.finite_means()
    return float(np.mean([line.x[np.argmax(means[line.positions])] for line in cells.along(x)]))


def largest_ratio_of_minimizers(
    records: Records, *, measure: str, quantity: str, x: str, where: dict[str, Any] | None = None
) -> float:
    """Return the largest over the smallest ``x`` of a lowest mean: 1 where no other key moves it.

    Between grid points the place is that of the parabola through the lowest geometric mean and its
    two neighbours, in log-log axes. ``Undecidable`` where the lowest mean is at an end of a line.

    Parameters
    ----------
    measure : measure that gives the value
    quantity : quantity of that measure; positive
    x : index column or swept key that is the abscissa, such as the learning rate; positive
    where : rows to use

    """
    cells = records.cells(measure, quantity, where)
    means = np.log(cells.geometric_means())
    places = []
    for line in cells.along(x):
        if (line.x <= 0).any():
            raise Undecidable(f"{x} is zero or negative, so it has no logarithm")
        places.append(_lowest(np.log(line.x), means[line.positions], x))
    return float(np.exp(max(places) - min(places)))


def _lowest(x: Vector, y: Vector, name: str) -> float:
    place = int(np.argmin(y))
    if not 0 < place < len(y) - 1:
        raise Undecidable(f"the value is lowest at an end of {name}; sweep it further")
    c, b, _ = np.polyfit(x[place - 1 : place + 2], y[place - 1 : place + 2], 2)
    # Equal values have no parabola that opens upwards; the lowest point is then in the middle.
    return float(-b / (2 * c)) if c > 0 else float(x[place])
