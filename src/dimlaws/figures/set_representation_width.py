"""Sets that cannot be told from their embedding, against its width."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, select
from dimlaws.figures.style import COLOURS, MARKERS

MEASURE = "set_representation_width"
SIZE, FEATURES, RATIO = "study.set_size", "study.features", "width_over_coordinates"
TITLES = {"power": "powers (LP)", "exponential": "exponentials (LE)"}


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw the share of sets not recovered against L / (N D), per embedding, N and D."""
    (table,) = tables.values()
    keys = ["embedding", SIZE, FEATURES, "width"]
    cells = cell_means(select(table, MEASURE, "failure"), keys)
    cells[RATIO] = cells["width"] / (cells[SIZE] * cells[FEATURES])
    figure, panels = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)
    for axes, (embedding, title) in zip(panels, TITLES.items(), strict=True):
        _panel(axes, cells[cells["embedding"] == embedding])
        axes.set_title(title)
        axes.set_xlabel("width over coordinates, L / (N D)")
    panels[0].set_ylabel("share of sets not recovered")
    panels[1].legend(title="elements N, features D")
    return figure, cells.assign(quantity="failure")


def _panel(axes: Axes, cells: pd.DataFrame) -> None:
    for ((size, features), group), colour, marker in zip(
        cells.groupby([SIZE, FEATURES]), COLOURS, MARKERS, strict=False
    ):
        label = f"{size:g}, {features:g}"
        draw_cells(axes, RATIO, group, color=colour, marker=marker, label=label)
    axes.axvline(1, color="grey", linestyle="--", linewidth=0.9)
    axes.text(1.05, 1.03, "L = N D", color="grey", fontsize=8, va="top")
    axes.set_ylim(-0.03, 1.05)
