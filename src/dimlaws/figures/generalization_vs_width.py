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
    tables: dict[str, pd.DataFrame], *, intrinsic_dim: float, resolved_widths: list[float]
) -> tuple[Figure, pd.DataFrame]:
    """Draw the approach to infinite width (left) and the resolution-limited fall (right).

    Parameters
    ----------
    intrinsic_dim : dimension d of the data, for the theory line width^(-8/d)
    resolved_widths : widths that the exponent on the right is fitted on
    """
    (table,) = tables.values()
    losses = cell_means(select(table, "generalization", "test_loss"), [SIZE, WIDTH])
    few, many = (losses[losses[SIZE] == n] for n in (losses[SIZE].min(), losses[SIZE].max()))
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2))
    _variance_limited(left, few)
    _resolution_limited(right, many, intrinsic_dim, resolved_widths)
    return figure, losses


def _variance_limited(axes: Axes, cells: pd.DataFrame) -> None:
    widths = cells[WIDTH].to_numpy(dtype=float)
    axes.set_title(f"Few rows (N = {cells[SIZE].iloc[0]:g}): variance-limited")
    axes.set_xlabel("width")
    try:
        law = fit_offset_power_law(widths, cells["mean"])
    except EstimationError:
        # Too few widths, or a loss that does not fall: there is no floor to subtract.
        draw_cells(axes, WIDTH, cells, color=COLOURS[0], marker="o", linestyle="none")
        axes.set_ylabel("test loss (mean squared error)")
        plain_ticks(axes, cells[WIDTH])
        return
    shifted = cells.copy()
    shifted[["mean", "low", "high"]] -= law.floor
    lowest = shifted.loc[shifted["mean"] > 0, "mean"].min() / 3
    shifted[["mean", "low", "high"]] = shifted[["mean", "low", "high"]].clip(lower=lowest)
    draw_cells(
        axes, WIDTH, shifted, color=COLOURS[0], marker="o", linestyle="none", label="measured"
    )
    fitted = law.prefactor * widths**-law.exponent
    axes.plot(widths, fitted, color=COLOURS[0], label=f"fit, exponent {law.exponent:.2f}")
    axes.plot(
        widths,
        fitted[0] * widths[0] / widths,
        color=COLOURS[1],
        linestyle="--",
        label="1/width (Bahri et al. 2024)",
    )
    axes.set_yscale("log")
    plain_ticks(axes, cells[WIDTH])
    axes.set_ylabel("test loss − fitted loss at infinite width")
    axes.legend()


def _resolution_limited(
    axes: Axes, cells: pd.DataFrame, intrinsic_dim: float, resolved: list[float]
) -> None:
    draw_cells(axes, WIDTH, cells, color=COLOURS[0], marker="o", linestyle="none", label="measured")
    used = cells[cells[WIDTH].isin(resolved)]
    widths = used[WIDTH].to_numpy(dtype=float)
    law = fit_power_law(widths, used["mean"])
    fitted = law.prefactor * widths**-law.exponent
    axes.plot(widths, fitted, color=COLOURS[0], label=f"fit, exponent {law.exponent:.2f}")
    theory = fitted[0] * (widths / widths[0]) ** (-8 / intrinsic_dim)
    axes.plot(
        widths,
        theory,
        color=COLOURS[1],
        linestyle="--",
        label=f"width$^{{-8/d}}$, d = {intrinsic_dim:g} (Bahri et al. 2024)",
    )
    axes.set_yscale("log")
    plain_ticks(axes, cells[WIDTH])
    axes.set_xlabel("width")
    axes.set_ylabel("test loss (mean squared error)")
    axes.set_title(f"Many rows (N = {cells[SIZE].iloc[0]:g}): resolution-limited")
    axes.set_ylim(bottom=min(np.nanmin(cells["low"]), theory[-1]) / 1.5)
    axes.legend()
