"""Angles of four-bit formats against block dimension, and cosines of Lloyd-Max levels by bits."""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, plain_ticks, select
from dimlaws.figures.style import COLOURS, MARKERS

MEASURE = "number_formats"
DIM = "study.dim"
ALPHABETS = {"e3m0": "E3M0", "int4": "INT4", "e2m1": "E2M1", "optimized": "optimized"}
"""Labels in the order drawn."""


def draw(
    tables: dict[str, pd.DataFrame], *, dims: list[int], published: dict[str, list[float]]
) -> tuple[Figure, pd.DataFrame]:
    """Draw the worst angle, the mean angle at two scalings, and cosines against bits.

    Parameters
    ----------
    dims : block dimensions of the published values
    published : largest angle in degrees of each alphabet at each of them
    """
    (table,) = tables.values()
    figure, (left, middle, right) = plt.subplots(
        1, 3, figsize=(7.6, 3.1), width_ratios=(1, 1, 1.05)
    )
    drawn = [
        _angles(left, table, "worst_angle", "nearest"),
        _angles(middle, table, "mean_angle", "block_maximum"),
        _cosines(right, table),
    ]
    hollow: dict[str, Any] = {"markerfacecolor": "white", "linestyle": "none"}
    for name, colour, marker in zip(ALPHABETS, COLOURS, MARKERS, strict=False):
        left.plot(dims, published[name], color=colour, marker=marker, **hollow)
    left.plot([], [], color="0.4", marker="o", label="authors, $10^6$", **hollow)
    left.set_ylabel("largest angle (degrees)")
    left.set_title("best scale of each block")
    middle.set_ylabel("mean angle (degrees)")
    middle.set_title("largest number sets the scale")
    for axes in (left, middle):
        axes.set_ylim(0, 14)
        axes.legend(fontsize=7, ncols=2, loc="upper left", columnspacing=1.0)
    return figure, pd.concat(drawn, ignore_index=True)


def _angles(axes: Axes, table: pd.DataFrame, quantity: str, scaling: str) -> pd.DataFrame:
    rows = select(table, MEASURE, quantity, {"scaling": scaling})
    cells = cell_means(rows, ["alphabet", DIM])
    for (name, label), colour, marker in zip(ALPHABETS.items(), COLOURS, MARKERS, strict=False):
        line = cells[cells["alphabet"] == name]
        draw_cells(axes, DIM, line, color=colour, marker=marker, label=label)
    plain_ticks(axes, cells[DIM])
    axes.set_xlabel("dimension d of the block")
    return cells.assign(quantity=quantity, scaling=scaling)


def _cosines(axes: Axes, table: pd.DataFrame) -> pd.DataFrame:
    """Draw 1 - cosine in the largest blocks, since cosines are close to 1."""
    dim = table[DIM].max()
    drawn = []
    for label, quantity, code, style in (
        ("Lloyd-Max", "mean_cosine", "lloyd_max", {"marker": "o", "linestyle": "none"}),
        (r"$\sqrt{1 - D}$", "predicted_cosine", "lloyd_max", {}),
        (r"bound $\sqrt{1 - 4^{-b}}$", "mean_cosine", "rate_distortion", {"linestyle": "--"}),
    ):
        cells = cell_means(select(table, MEASURE, quantity, {"code": code, DIM: dim}), ["bits"])
        drawn.append(cells.assign(quantity=quantity, code=code))
        away = cells.assign(mean=1 - cells["mean"], low=1 - cells["low"], high=1 - cells["high"])
        colour = COLOURS[1] if code == "rate_distortion" else COLOURS[0]
        draw_cells(axes, "bits", away, color=colour, label=label, **style)
    axes.set_yscale("log")
    axes.set_xticks(sorted(set(drawn[0]["bits"])))
    axes.set_xlabel("bits b per number")
    axes.set_ylabel("1 - cosine")
    axes.set_title(f"blocks of {dim:g}")
    axes.legend(fontsize=7)
    return pd.concat(drawn)
