"""Precision, recall and their symmetric versions against the scale of the generated support."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, select
from dimlaws.figures.style import COLOURS, MARKERS

MEASURE = "precision_recall_asymmetry"
SUPPORT = "study.support"
SIGNS = {"inside": -1, "on": 0, "outside": 1}
PANELS = {
    "precision": "precision",
    "recall": "recall",
    "symmetric_precision": "symmetric precision",
    "symmetric_recall": "symmetric recall",
}


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw one row of panels per support: precision, recall, and the symmetric versions."""
    (table,) = tables.values()
    supports = sorted(table[SUPPORT].dropna().unique(), reverse=True)
    figure, grid = plt.subplots(
        len(supports),
        len(PANELS),
        figsize=(9.2, 2.4 * len(supports) + 0.5),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    drawn = []
    for line, support in zip(grid, supports, strict=True):
        for axes, (quantity, title) in zip(line, PANELS.items(), strict=True):
            rows = select(table, MEASURE, quantity, {SUPPORT: support})
            rows = rows.assign(scale=1 + rows["side"].map(SIGNS) * rows["offset"])
            cells = cell_means(rows, ["dim", "scale"])
            _panel(axes, cells)
            axes.set_title(f"{title}, {support}")
            drawn.append(cells.assign(quantity=quantity, support=support))
        line[0].set_ylabel("share of rows")
    for axes in grid[-1]:
        axes.set_xlabel("scale of generated support")
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        title="dimension d",
        loc="outside lower center",
        ncols=len(labels),
        fontsize=8,
    )
    return figure, pd.concat(drawn, ignore_index=True)


def _panel(axes: Axes, cells: pd.DataFrame) -> None:
    for (dim, rows), colour, marker in zip(cells.groupby("dim"), COLOURS, MARKERS, strict=False):
        draw_cells(axes, "scale", rows, color=colour, marker=marker, label=f"{dim:g}")
    axes.axvline(1, color="grey", linewidth=0.8, linestyle=":")
    axes.set_ylim(-0.03, 1.03)
