"""Error of ReLU students against width, and how far it rose by overtraining."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, plain_ticks, select
from dimlaws.figures.style import COLOURS, MARKERS

MEASURE = "overtraining_vs_width"
SCALE = "study.initial_scale"


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw the last and the lowest test error (left), and their ratio (right), over width.

    Geometric means over seeds with their 95 % intervals.
    """
    (table,) = tables.values()
    ratios = cell_means(select(table, MEASURE, "parameters_per_row"), ["width"])
    equal = float(ratios["width"].iloc[0] / ratios["mean"].iloc[0])
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4))
    drawn = [
        _curves(left, table, "final_error", "-", ", last"),
        _curves(left, table, "lowest_error", "--", ", lowest"),
        _curves(right, table, "overtraining", "-", ""),
    ]
    left.set_ylabel("test error (of labels of variance 1)")
    right.set_ylabel("last over lowest test error")
    left.set_title("Error after long training, and at its lowest")
    right.set_title("Overtraining")
    for axes in (left, right):
        label = "as many weights as rows"
        axes.axvline(equal, color="grey", linestyle=":", linewidth=0.9, label=label)
        # Powers of two only: labels of all widths would overlap.
        plain_ticks(axes, ratios["width"][np.log2(ratios["width"]) % 1 == 0])
        axes.set_ylim(bottom=0)
        axes.set_xlabel("hidden units")
    handles, labels = left.get_legend_handles_labels()
    title = "initial weights, times the usual ones"
    # The dotted line comes first by itself, and is better last.
    order = [*range(1, len(labels)), 0]
    handles, labels = [handles[i] for i in order], [labels[i] for i in order]
    figure.legend(handles, labels, title=title, ncols=3, loc="outside lower center")
    return figure, pd.concat(drawn, ignore_index=True)


def _curves(axes: Axes, table: pd.DataFrame, quantity: str, line: str, name: str) -> pd.DataFrame:
    cells = cell_means(select(table, MEASURE, quantity), [SCALE, "width"], log=True)
    for (scale, rows), colour, marker in zip(cells.groupby(SCALE), COLOURS, MARKERS, strict=False):
        label = f"$\\times${scale:g}{name}"
        style = {"color": colour, "marker": marker, "linestyle": line, "label": label}
        draw_cells(axes, "width", rows, **style)
    return cells.assign(quantity=quantity)
