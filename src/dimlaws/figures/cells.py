"""Means over seeds with their intervals, in the shape that figures draw."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from scipy import special

from dimlaws.errors import EstimationError


def select(
    table: pd.DataFrame, measure: str, quantity: str, where: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """Return the rows of one quantity that match ``where``; diverged runs (NaN) left out.

    Raises ``EstimationError`` if there are none.
    """
    chosen = (table["measure"] == measure) & (table["quantity"] == quantity)
    for name, value in (where or {}).items():
        chosen &= table[name] == value
    rows: pd.DataFrame = table[chosen & np.isfinite(table["value"])]
    if rows.empty:
        raise EstimationError(
            f"nothing to draw: no finite {quantity} of the measure {measure} in these records"
        )
    return rows


def cell_means(rows: pd.DataFrame, by: list[str], *, log: bool = False) -> pd.DataFrame:
    """Return ``by``, ``mean``, ``low``, ``high`` and ``n`` per cell, sorted by ``by``.

    The interval is Student's 95 % interval of the mean over seeds; with ``log`` all is done on
    logarithms, so the mean is the geometric one. One seed has no interval (low = high = mean).
    """
    cells = []
    for key, group in rows.groupby(by, sort=True):
        values = group["value"].to_numpy(dtype=np.float64)
        values = np.log(values) if log else values
        mean, n = values.mean(), len(values)
        half = 0.0
        if n > 1:
            half = float(special.stdtrit(n - 1, 0.975) * values.std(ddof=1) / np.sqrt(n))
        numbers = np.array([mean, mean - half, mean + half])
        numbers = np.exp(numbers) if log else numbers
        label = key if isinstance(key, tuple) else (key,)
        cells.append([*label, *numbers, n])
    return pd.DataFrame(cells, columns=[*by, "mean", "low", "high", "n"])


def draw_cells(axes: Axes, x: str, cells: pd.DataFrame, **style: Any) -> None:
    """Draw the means of cells against column ``x`` with their intervals as bars."""
    errors = np.abs(cells[["low", "high"]].to_numpy() - cells[["mean"]].to_numpy()).T
    axes.errorbar(cells[x], cells["mean"], yerr=errors, capsize=2, elinewidth=0.8, **style)


def draw_curve(
    axes: Axes, x: str, quantity: str, points: npt.ArrayLike, values: npt.ArrayLike, **style: Any
) -> pd.DataFrame:
    """Draw a fitted or predicted curve; return what was drawn, in the form of cells."""
    axes.plot(points, values, **style)
    return pd.DataFrame({x: points, "mean": values, "quantity": quantity})


def plain_ticks(axes: Axes, values: pd.Series) -> None:
    """Put ticks of a logarithmic x axis at the values themselves, written out."""
    ticks = sorted(set(values))
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.minorticks_off()
