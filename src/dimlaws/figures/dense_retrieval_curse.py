"""False positives, the index size that brings them, and the loss of rank, against theory."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, select
from dimlaws.figures.style import COLOURS, MARKERS

MEASURE = "dense_retrieval_curse"
DIM, SIZE = "dim", "index_size"


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw the share of false positives, their median index size, and the loss per decade."""
    (table,) = tables.values()
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(9.6, 3.2))
    drawn = [*_shares(left, table), *_medians(middle, table), *_losses(right, table)]
    return figure, pd.concat(drawn, ignore_index=True)


def _shares(axes: Axes, table: pd.DataFrame) -> list[pd.DataFrame]:
    shares = cell_means(select(table, MEASURE, "false_positive"), [DIM, SIZE])
    theory = cell_means(select(table, MEASURE, "predicted_false_positive"), [DIM, SIZE])
    for (dim, rows), colour, marker in zip(shares.groupby(DIM), COLOURS, MARKERS, strict=False):
        style = {"color": colour, "marker": marker, "linestyle": "none", "label": f"{dim:g}"}
        draw_cells(axes, SIZE, rows, **style)
        line = theory[theory[DIM] == dim]
        axes.plot(line[SIZE], line["mean"], color=colour, linestyle="--", linewidth=0.9)
    axes.set_xscale("log")
    axes.set_ylim(-0.02, 1.42)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_xlabel("irrelevant documents n")
    axes.set_ylabel("share of queries with a false positive")
    axes.set_title("dashed: $1 - (1 - p)^n$")
    axes.legend(title="dimension d", title_fontsize=7, ncols=4, fontsize=7, loc="upper left")
    return [shares.assign(quantity="false_positive"), theory.assign(quantity="theory")]


def _medians(axes: Axes, table: pd.DataFrame) -> list[pd.DataFrame]:
    medians = cell_means(select(table, MEASURE, "median_size"), [DIM], log=True)
    theory = cell_means(select(table, MEASURE, "predicted_median_size"), [DIM])
    ratio = cell_means(select(table, MEASURE, "slope_ratio").assign(all=0), ["all"]).iloc[0]
    draw_cells(axes, DIM, medians, color=COLOURS[0], marker="o", linestyle="none", label="measured")
    axes.plot(theory[DIM], theory["mean"], color="black", linestyle="--", label="theory")
    axes.set_yscale("log")
    axes.set_xticks(medians[DIM])
    axes.set_xlabel("dimension d")
    axes.set_ylabel("n with half of the queries misled")
    axes.set_title(rf"slope over $-\ln(1 - c^2)/2$: {ratio['mean']:.3f}")
    axes.legend(loc="upper left")
    return [medians.assign(quantity="median_size"), theory.assign(quantity="theory")]


def _losses(axes: Axes, table: pd.DataFrame) -> list[pd.DataFrame]:
    losses = cell_means(select(table, MEASURE, "loss_per_decade"), [DIM])
    theory = cell_means(select(table, MEASURE, "predicted_loss_per_decade"), [DIM])
    draw_cells(axes, DIM, losses, color=COLOURS[0], marker="o", linestyle="none", label="measured")
    axes.plot(theory[DIM], theory["mean"], color="black", linestyle="--", label="theory")
    axes.set_ylim(0, losses["high"].max() * 1.4)
    axes.set_xticks(losses[DIM])
    axes.set_xlabel("dimension d")
    axes.set_ylabel("loss per factor of 10 in n")
    axes.set_title("mean reciprocal rank")
    axes.legend(loc="upper left")
    return [
        losses.assign(quantity="loss_per_decade"),
        theory.assign(quantity="predicted_loss_per_decade"),
    ]
