"""Dimensions that a margin needs, and the margins that two losses find."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cell_pairs import draw_pairs
from dimlaws.figures.cells import cell_means, draw_cells, plain_ticks, select
from dimlaws.figures.style import COLOURS, MARKERS

MEASURE = "retrieval_margin"
RELEVANT = "relevant"


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw dimensions over k log(n/k) (left), and margins of one loss against the other's."""
    (table,) = tables.values()
    constants = cell_means(select(table, MEASURE, "dimension_constant"), [RELEVANT, "documents"])
    keys = [RELEVANT, "documents", "dim", "loss"]
    margins = cell_means(select(table, MEASURE, "margin"), keys)
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2))
    for (k, rows), colour, marker in zip(
        constants.groupby(RELEVANT), COLOURS, MARKERS, strict=False
    ):
        draw_cells(left, "documents", rows, color=colour, marker=marker, label=f"k = {k}")
        n, of_query = (rows[name].to_numpy(dtype=np.float64) for name in ("documents", RELEVANT))
        left.plot(n, n / (of_query * np.log(n / of_query)), ":", color=colour, linewidth=0.9)
    plain_ticks(left, constants["documents"])
    left.set_ylim(0, 1.25 * constants["high"].max())
    left.set_xlabel("documents n")
    left.set_ylabel("C = dimensions needed / (k ln(n/k))")
    left.set_title("construction (dotted: all n dimensions)")
    left.legend(loc="lower left", ncols=2)
    _losses(right, margins)
    drawn = {"dimension_constant": constants, "margin": margins}
    named = [rows.assign(quantity=name) for name, rows in drawn.items()]
    return figure, pd.concat(named, ignore_index=True)


def _losses(axes: Axes, margins: pd.DataFrame) -> None:
    keys = [RELEVANT, "documents", "dim"]
    sides = [margins[margins["loss"] == loss] for loss in ("infonce", "sigmoid")]
    pairs = pd.merge(sides[0], sides[1], on=keys, suffixes=("_x", "_y"))
    ends = [pairs[["low_x", "low_y"]].min().min(), pairs[["high_x", "high_y"]].max().max()]
    axes.plot(ends, ends, color="0.4", linestyle=":", linewidth=1)
    for (k, rows), colour, marker in zip(pairs.groupby(RELEVANT), COLOURS, MARKERS, strict=False):
        style = {"color": colour, "marker": marker, "linestyle": "none"}
        draw_pairs(axes, rows, label=f"k = {k}", **style)
    axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    axes.axvline(0, color="0.8", linewidth=0.8, zorder=0)
    axes.set_xlabel("margin found with InfoNCE")
    axes.set_ylabel("margin found with the sigmoid loss")
    axes.set_title("training (dotted: equal)")
