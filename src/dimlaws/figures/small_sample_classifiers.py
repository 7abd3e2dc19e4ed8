"""Classifiers by distances of few rows: the threshold in the scale gap, and what mends it."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, plain_ticks, select
from dimlaws.figures.style import COLOURS, MARKERS

MEASURE = "small_sample_classifiers"
CLASSIFIERS = {
    "nearest": "nearest neighbour",
    "average_distance": "average distance",
    "scale_adjusted": "average, adjusted for scale",
    "generalized_adjusted": "bounded average, adjusted",
    "generalized_nearest": "bounded nearest neighbour",
}


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw errors over the scale gap (left), accuracies over d for moments and for shape."""
    (table,) = tables.values()
    moments = {"difference": "moments"}
    keys = ["classifier", "dim", "scale_gap"]
    errors = cell_means(select(table, MEASURE, "wide_error", moments), keys)
    theory = cell_means(select(table, MEASURE, "predicted_error", moments), keys)
    accuracies = cell_means(select(table, MEASURE, "accuracy", moments), keys)
    shapes = cell_means(
        select(table, MEASURE, "accuracy", {"difference": "shape"}), ["classifier", "dim"]
    )
    widest = accuracies[accuracies["scale_gap"] == accuracies["scale_gap"].max()]
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(9.6, 3.6))
    averages = errors[errors["classifier"] == "average_distance"]
    _errors(left, averages, theory)
    _accuracies(middle, widest)
    middle.set_title(f"scale gap {widest['scale_gap'].iloc[0]:g} times the location gap")
    _accuracies(right, shapes)
    right.set_title("equal mean and variance:\nLaplace against normal")
    handles, labels = right.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    drawn = [
        errors.assign(quantity="wide_error"),
        theory.assign(quantity="predicted_error"),
        widest.assign(quantity="accuracy"),
        shapes.assign(quantity="accuracy", difference="shape"),
    ]
    return figure, pd.concat(drawn, ignore_index=True)


def _errors(axes: Axes, cells: pd.DataFrame, theory: pd.DataFrame) -> None:
    greys = plt.get_cmap("cividis")(np.linspace(0.05, 0.85, cells["dim"].nunique()))
    lines = cells.groupby("dim")
    for (dim, rows), colour, marker in zip(lines, greys, MARKERS, strict=False):
        style = {"color": colour, "marker": marker, "linestyle": "none", "label": f"d = {dim:g}"}
        draw_cells(axes, "scale_gap", rows, **style)
        line = theory[theory["dim"] == dim]
        axes.plot(line["scale_gap"], line["mean"], color=colour, linestyle="--", linewidth=0.9)
    axes.axvline(1, color="grey", linewidth=0.6)
    plain_ticks(axes, cells["scale_gap"])
    axes.set_xlabel("scale gap over location gap")
    axes.set_ylabel("error of the wider class")
    axes.set_title("average distance; dashed: theory")
    axes.legend(loc="upper left")


def _accuracies(axes: Axes, cells: pd.DataFrame) -> None:
    for index, (name, label) in enumerate(CLASSIFIERS.items()):
        # Side by side, since many are 1 or a half.
        rows = cells[cells["classifier"] == name]
        moved = rows.assign(dim=rows["dim"] * 1.1 ** (index - 2))
        style = {"color": COLOURS[index], "marker": MARKERS[index], "linewidth": 0.6}
        draw_cells(axes, "dim", moved, label=label, **style)
    axes.axhline(0.5, color="grey", linestyle=":", linewidth=0.9)
    plain_ticks(axes, cells["dim"])
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("dimensions d")
    axes.set_ylabel("accuracy")
