"""Bits and dimensions that trees need in hyperbolic space, and dimensions in Euclidean space."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, plain_ticks, select
from dimlaws.figures.log_ticks import plain_log_ticks
from dimlaws.figures.style import COLOURS, MARKERS

MEASURE = "hyperbolic_tree_embedding"
TREE = "study.tree"
STAR = "double_star"
NAMES = {"binary": "binary", "ternary": "ternary", "random": "random", STAR: "double star"}
FEWEST_EUCLIDEAN = 20
"""Dimensions that Euclidean space is said to need at least."""


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw bits against depth (left) and dimension (middle), and Euclidean dimensions (right)."""
    (table,) = tables.values()
    keys = [TREE, "depth", "dim"]
    bits = cell_means(select(table, MEASURE, "bits"), keys)
    predicted = cell_means(select(table, MEASURE, "predicted_bits"), keys)
    needed = cell_means(select(table, MEASURE, "euclidean_dim"), [TREE])
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(7.2, 2.9))
    _depths(left, bits[bits[TREE] != STAR], predicted[predicted[TREE] != STAR])
    _dims(middle, bits[bits[TREE] == STAR], predicted[predicted[TREE] == STAR])
    _euclidean(right, needed)
    drawn = {"bits": bits, "predicted_bits": predicted, "euclidean_dim": needed}
    named = [rows.assign(quantity=name) for name, rows in drawn.items()]
    return figure, pd.concat(named, ignore_index=True)


def _depths(axes: Axes, bits: pd.DataFrame, predicted: pd.DataFrame) -> None:
    trees = [tree for tree in NAMES if tree in set(bits[TREE])]
    for tree, colour, marker in zip(trees, COLOURS, MARKERS, strict=False):
        rows, theory = bits[bits[TREE] == tree], predicted[predicted[TREE] == tree]
        style = {"color": colour, "marker": marker, "linestyle": "none", "label": NAMES[tree]}
        draw_cells(axes, "depth", rows, **style)
        axes.plot(theory["depth"], theory["mean"], color=colour, linestyle="--", linewidth=0.9)
    axes.set_xticks(sorted(set(bits["depth"])))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("depth of the tree (edges)")
    axes.set_ylabel("bits per coordinate")
    axes.set_title("plane (dashed: theory)")
    axes.legend(loc="upper left")


def _dims(axes: Axes, bits: pd.DataFrame, predicted: pd.DataFrame) -> None:
    axes.set_title("double star of degree 65")
    axes.set_xlabel("dimension r")
    axes.set_ylabel("bits per coordinate")
    if bits.empty:
        return
    draw_cells(axes, "dim", bits, color=COLOURS[3], marker="D", linestyle="none", label="measured")
    dims = predicted["dim"]
    axes.plot(dims, predicted["mean"], "--", color=COLOURS[3], linewidth=0.9, label="theory")
    first = bits.iloc[0]
    line = first["mean"] * first["dim"] / dims
    axes.plot(dims, line, ":", color="0.4", linewidth=1, label="1/r through r = 2")
    plain_ticks(axes, bits["dim"])
    axes.set_yscale("log")
    plain_log_ticks(axes.yaxis)
    axes.legend()


def _euclidean(axes: Axes, needed: pd.DataFrame) -> None:
    trees = [tree for tree in NAMES if tree in set(needed[TREE])]
    rows = needed.set_index(TREE).loc[trees].assign(place=range(len(trees)))
    axes.axhline(FEWEST_EUCLIDEAN, color="0.4", linestyle=":", linewidth=1)
    axes.axhline(2, color=COLOURS[0], linestyle="--", linewidth=0.9)
    draw_cells(axes, "place", rows, color="black", marker="o", linestyle="none")
    last = len(trees) - 0.5
    axes.text(last, 2, "hyperbolic: 2", ha="right", va="top", color=COLOURS[0], fontsize=8)
    axes.text(last, FEWEST_EUCLIDEAN, "claim: 20", ha="right", va="bottom", color="0.4", fontsize=8)
    axes.set_yscale("log")
    axes.set_ylim(1, None)
    axes.set_xlim(-0.5, last)
    axes.set_xticks(range(len(trees)), [NAMES[tree] for tree in trees], rotation=30, ha="right")
    axes.set_ylabel("dimensions for the same precision")
    axes.set_title("Euclidean scaling")
