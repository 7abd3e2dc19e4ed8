"""Test loss against width where data are few, and where they are many."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.errors import EstimationError
from dimlaws.figures.cells import cell_means, draw_cells, draw_curve, plain_ticks, select
from dimlaws.figures.style import COLOURS
from dimlaws.laws.power_law import fit_offset_power_law, fit_power_law

WIDTH, SIZE = "model.width", "data.train_size"


def draw(
    tables: dict[str, pd.DataFrame],
    *,
    intrinsic_dim: float,
    wide: list[float],
    resolved: list[float],
) -> tuple[Figure, pd.DataFrame]:
    """Draw the approach to infinite width (left) and the resolution-limited fall (right).

    Parameters
    ----------
    intrinsic_dim : dimension d of the data, for the theory line parameters^(-4/d)
    wide : widths that interpolate few rows, which the approach is fitted on
    resolved : widths that the exponent in parameters is fitted on
    """
    (table,) = tables.values()
    losses = cell_means(select(table, "generalization", "test_loss"), [SIZE, WIDTH])
    sizes = select(table, "generalization", "parameters").groupby(WIDTH)["value"].first()
    losses["parameters"] = losses[WIDTH].map(sizes)
    few = losses[(losses[SIZE] == losses[SIZE].min()) & losses[WIDTH].isin(wide)]
    many = losses[losses[SIZE] == losses[SIZE].max()]
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2))
    drawn = [
        *(numbers.assign(panel="few rows") for numbers in _variance_limited(left, few)),
        *(
            numbers.assign(panel="many rows")
            for numbers in _resolution_limited(right, many, intrinsic_dim, resolved)
        ),
    ]
    return figure, pd.concat(drawn, ignore_index=True)


def _variance_limited(axes: Axes, cells: pd.DataFrame) -> Iterator[pd.DataFrame]:
    axes.set_title("Few rows: variance-limited")
    axes.set_xlabel("width")
    axes.set_ylabel("test loss (mean squared error)")
    if cells.empty:
        return
    axes.set_title(f"Few rows (N = {cells[SIZE].iloc[0]:g}): variance-limited")
    draw_cells(axes, WIDTH, cells, color=COLOURS[0], marker="o", linestyle="none", label="measured")
    yield cells.assign(quantity="test_loss")
    widths = cells[WIDTH].to_numpy(dtype=float)
    fine = np.geomspace(widths.min(), widths.max(), 100)
    try:
        law = fit_offset_power_law(widths, cells["mean"])
    except EstimationError:
        pass  # too few widths, or a loss that does not fall: the points speak for themselves
    else:
        label = f"fit, floor + width$^{{-{law.exponent:.2f}}}$"
        fitted = law.floor + law.prefactor * fine**-law.exponent
        yield draw_curve(axes, WIDTH, "fit", fine, fitted, color=COLOURS[0], label=label)
        ends = widths[[0, -1]]
        style = {"color": "grey", "linestyle": ":", "label": "fitted floor"}
        yield draw_curve(axes, WIDTH, "floor", ends, np.full(2, law.floor), **style)
    if len(widths) > 1:
        slope, floor = np.polyfit(1 / widths, cells["mean"], 1)
        style = {"color": COLOURS[1], "linestyle": "--"}
        label = "floor + 1/width (Bahri et al. 2024)"
        yield draw_curve(axes, WIDTH, "theory", fine, floor + slope / fine, label=label, **style)
    plain_ticks(axes, cells[WIDTH])
    axes.legend()


def _resolution_limited(
    axes: Axes, cells: pd.DataFrame, intrinsic_dim: float, resolved: list[float]
) -> Iterator[pd.DataFrame]:
    x = "parameters"
    draw_cells(axes, x, cells, color=COLOURS[0], marker="o", linestyle="none", label="measured")
    yield cells.assign(quantity="test_loss")
    used = cells[cells[WIDTH].isin(resolved)]
    sizes = used[x].to_numpy(dtype=float)
    try:
        law = fit_power_law(sizes, used["mean"])
    except EstimationError:
        pass  # fewer than two of these widths did not diverge
    else:
        label = f"fit, P$^{{-{law.exponent:.2f}}}$"
        fitted = law.prefactor * sizes**-law.exponent
        yield draw_curve(axes, x, "fit", sizes, fitted, color=COLOURS[0], label=label)
        middle = np.sqrt(sizes[0] * sizes[-1])
        theory = law.prefactor * middle**-law.exponent * (sizes / middle) ** (-4 / intrinsic_dim)
        label = f"P$^{{-4/d}}$, d = {intrinsic_dim:g} (Bahri et al. 2024)"
        style = {"color": COLOURS[1], "linestyle": "--"}
        yield draw_curve(axes, x, "theory", sizes, theory, label=label, **style)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("parameters P")
    axes.set_ylabel("test loss (mean squared error)")
    axes.set_title(f"Many rows (N = {cells[SIZE].iloc[0]:g}): resolution-limited")
    axes.legend(loc="upper right")
