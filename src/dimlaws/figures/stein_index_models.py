"""Subspace error of estimators of an index space, over rows and over dimensions."""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, plain_ticks, select
from dimlaws.figures.style import COLOURS, MARKERS

MEASURE = "stein_index_models"
ESTIMATORS = {
    "first_order": "first order",
    "second_order": "second order",
    "plug_in": "first order, estimated covariance",
    "reduced_rank": "reduced-rank regression",
    "pca": "principal components",
}
LINKS = {"odd": "odd link (tanh)", "even": "even link (cos)"}
SWEEPS = {"rows": ("rows", "rows n"), "dimension": ("dim", "dimension p of the inputs")}
"""Index column and label of each sweep."""

HELD = {"rows": ("dim", "p"), "dimension": ("rows", "n")}
"""What does not change in each sweep: index column and symbol."""


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw one panel for each link (across) and sweep (down); dashed lines are the theory."""
    (table,) = tables.values()
    keys = ["sweep", "link", "estimator", "rows", "dim"]
    errors = cell_means(select(table, MEASURE, "subspace_error"), keys, log=True)
    predicted = cell_means(select(table, MEASURE, "predicted_error"), keys, log=True)
    figure, grid = plt.subplots(2, 2, figsize=(7.2, 5.8), sharey=True)
    for row, sweep in zip(grid, SWEEPS, strict=True):
        for axes, link in zip(row, LINKS, strict=True):
            cells, theory = (
                part[(part["sweep"] == sweep) & (part["link"] == link)]
                for part in (errors, predicted)
            )
            _panel(axes, cells, theory, sweep)
            column, symbol = HELD[sweep]
            axes.set_title(f"{LINKS[link]}, {symbol} = {cells[column].iloc[0]:g}")
        row[0].set_ylabel("subspace error")
    handles = {}
    for axes in grid[0]:
        handles.update(dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True)))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3)
    drawn = [errors.assign(quantity="subspace_error"), predicted.assign(quantity="theory")]
    return figure, pd.concat(drawn, ignore_index=True)


def _panel(axes: Axes, cells: pd.DataFrame, theory: pd.DataFrame, sweep: str) -> None:
    x, label = SWEEPS[sweep]
    for (name, title), colour, marker in zip(ESTIMATORS.items(), COLOURS, MARKERS, strict=False):
        rows = cells[cells["estimator"] == name]
        if rows.empty:
            continue
        style: dict[str, Any] = {"color": colour, "marker": marker, "label": title}
        style |= {"linestyle": "none"}
        # Open symbols where two estimators coincide, so that both are seen.
        if name == "plug_in":
            style |= {"markerfacecolor": "none", "markersize": 7}
        draw_cells(axes, x, rows, **style)
        line = theory[theory["estimator"] == name]
        axes.plot(line[x], line["mean"], color=colour, linestyle="--", linewidth=0.9)
    axes.set_yscale("log")
    plain_ticks(axes, cells[x])
    axes.set_xlabel(label)
