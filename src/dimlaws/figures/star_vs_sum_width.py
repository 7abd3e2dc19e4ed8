"""Accuracy of networks of products and of sums, against their width."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, plain_ticks, select
from dimlaws.figures.log_ticks import plain_log_ticks
from dimlaws.figures.style import COLOURS, MARKERS

MEASURE = "star_vs_sum_width"
LABELS = {"star": "product (star)", "sum": "sum"}


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw test error (left), open without activations, and paired differences (right)."""
    (table,) = tables.values()
    accuracy = select(table, MEASURE, "accuracy")
    errors = cell_means(
        accuracy.assign(value=1 - accuracy["value"]), ["operation", "activation", "width"]
    )
    gaps = cell_means(select(table, MEASURE, "gap"), ["activation", "width"])
    gaps[["mean", "low", "high"]] *= 100
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.0))
    for (operation, label), colour, marker in zip(LABELS.items(), COLOURS, MARKERS, strict=False):
        cells = errors[errors["operation"] == operation]
        _draw_both(left, cells, color=colour, marker=marker, label=label)
    left.plot([], [], color="grey", marker="o", fillstyle="none", ls="", label="no activations")
    left.set_yscale("log")
    plain_log_ticks(left.yaxis)
    left.set_ylabel("test error (share of rows)")
    left.legend()
    _draw_both(right, gaps, color=COLOURS[2], marker=MARKERS[2])
    right.axhline(0, color="grey", linestyle="--", linewidth=0.9)
    right.set_ylabel("accuracy, product minus sum (points)")
    for axes in (left, right):
        plain_ticks(axes, gaps["width"])
        axes.set_xlabel("width")
    drawn = [errors.assign(quantity="error"), gaps.assign(quantity="gap")]
    return figure, pd.concat(drawn, ignore_index=True)


def _draw_both(axes: Axes, cells: pd.DataFrame, *, label: str | None = None, **style: str) -> None:
    """Draw what has activations as a line, what has none as open markers."""
    draw_cells(axes, "width", cells[cells["activation"] == "relu"], label=label, **style)
    without = cells[cells["activation"] == "linear"]
    without = without.assign(width=1.06 * without["width"])  # beside the line's last point
    draw_cells(axes, "width", without, linestyle="none", fillstyle="none", **style)
