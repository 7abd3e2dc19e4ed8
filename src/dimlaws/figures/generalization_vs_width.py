"""Test loss against width where data are few, and where they are many."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.errors import EstimationError
from dimlaws.figures.cells import cell_means, draw_cells, plain_ticks, select
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
    few, many = (losses[losses[SIZE] == n] for n in (losses[SIZE].min(), losses[SIZE].max()))
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2))
    _variance_limited(left, few[few[WIDTH].isin(wide)])
    _resolution_limited(right, many, intrinsic_dim, resolved)
    return figure, losses


def _variance_limited(axes: Axes, cells: pd.DataFrame) -> None:
    widths = cells[WIDTH].to_numpy(dtype=float)
    axes.set_title(f"Few rows (N = {cells[SIZE].iloc[0]:g}): variance-limited")
    axes.set_xlabel("width")
    axes.set_ylabel("test loss (mean squared error)")
    draw_cells(axes, WIDTH, cells, color=COLOURS[0], marker="o", linestyle="none", label="measured")
    fine = np.geomspace(widths.min(), widths.max(), 100)
    try:
        law = fit_offset_power_law(widths, cells["mean"])
    except EstimationError:
        pass  # too few widths, or a loss that does not fall: the points speak for themselves
    else:
        fitted = law.floor + law.prefactor * fine**-law.exponent
        label = f"fit, floor + width$^{{-{law.exponent:.2f}}}$"
        axes.plot(fine, fitted, color=COLOURS[0], label=label)
        axes.axhline(law.floor, color="grey", linestyle=":", label="fitted floor")
    theory = np.polyfit(1 / widths, cells["mean"], 1)
    axes.plot(
        fine,
        theory[1] + theory[0] / fine,
        color=COLOURS[1],
        linestyle="--",
        label="floor + 1/width (Bahri et al. 2024)",
    )
    plain_ticks(axes, cells[WIDTH])
    axes.legend()


def _resolution_limited(
    axes: Axes, cells: pd.DataFrame, intrinsic_dim: float, resolved: list[float]
) -> None:
    draw_cells(
        axes, "parameters", cells, color=COLOURS[0], marker="o", linestyle="none", label="measured"
    )
    used = cells[cells[WIDTH].isin(resolved)]
    sizes = used["parameters"].to_numpy(dtype=float)
    law = fit_power_law(sizes, used["mean"])
    fitted = law.prefactor * sizes**-law.exponent
    axes.plot(sizes, fitted, color=COLOURS[0], label=f"fit, P$^{{-{law.exponent:.2f}}}$")
    middle = np.sqrt(sizes[0] * sizes[-1])
    theory = law.prefactor * middle**-law.exponent * (sizes / middle) ** (-4 / intrinsic_dim)
    axes.plot(
        sizes,
        theory,
        color=COLOURS[1],
        linestyle="--",
        label=f"P$^{{-4/d}}$, d = {intrinsic_dim:g} (Bahri et al. 2024)",
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("parameters P")
    axes.set_ylabel("test loss (mean squared error)")
    axes.set_title(f"Many rows (N = {cells[SIZE].iloc[0]:g}): resolution-limited")
    axes.legend(loc="lower left")
