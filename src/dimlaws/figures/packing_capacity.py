"""Coherence of packed and of random vectors against two laws, and the Welch bound."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, draw_curve, select
from dimlaws.figures.log_ticks import plain_log_ticks
from dimlaws.figures.style import COLOURS, MARKERS

MEASURE = "packing_capacity"
KEYS = ["vectors", "dim"]


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw coherence against ln(k/d)/d (left) and ln(k)/d (middle), and over the Welch bound."""
    (table,) = tables.values()
    packed = cell_means(select(table, MEASURE, "coherence"), KEYS)
    scattered = cell_means(select(table, MEASURE, "random_coherence"), KEYS)
    theory = cell_means(select(table, MEASURE, "predicted_random_coherence"), KEYS)
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(9.6, 3.3))
    for cells in (packed, scattered, theory):
        cells["ratio_abscissa"] = np.log(cells["vectors"] / cells["dim"]) / cells["dim"]
        cells["count_abscissa"] = np.log(cells["vectors"]) / cells["dim"]
    drawn = [
        packed.assign(quantity="coherence"),
        scattered.assign(quantity="random_coherence"),
        theory.assign(quantity="predicted_random_coherence"),
        _law(left, table, packed, "ratio", r"$\ln(k/d)\,/\,d$"),
        _law(middle, table, packed, "count", r"$\ln(k)\,/\,d$"),
        _random(middle, scattered, theory),
        _over_welch(right, table),
    ]
    low, high = middle.get_ylim()
    middle.set_ylim(low, high * 1.6)
    for axis in (left.xaxis, left.yaxis, middle.xaxis, middle.yaxis, right.xaxis):
        plain_log_ticks(axis)
    middle.legend(loc="upper left", fontsize=7)
    return figure, pd.concat(drawn, ignore_index=True)


def _law(
    axes: Axes, table: pd.DataFrame, cells: pd.DataFrame, law: str, label: str
) -> pd.DataFrame:
    constant, r2 = (
        select(table, MEASURE, f"{law}_{name}")["value"].mean() for name in ("constant", "r2")
    )
    abscissa = f"{law}_abscissa"
    groups = cells.groupby("dim")
    for (dim, rows), colour, marker in zip(groups, COLOURS, MARKERS, strict=False):
        style = {"color": colour, "marker": marker, "linestyle": "none"}
        draw_cells(axes, abscissa, rows, label=f"d = {dim:g}" if law == "ratio" else None, **style)
    x = np.geomspace(cells[abscissa].min(), cells[abscissa].max(), 40)
    text = f"optimized: C = {constant:.2f}, $R^2$ = {r2:.3f}"
    curve = draw_curve(
        axes,
        abscissa,
        f"{law}_law",
        x,
        np.sqrt(constant * x),
        color="black",
        linestyle="--",
        linewidth=0.9,
        label=text,
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(label)
    axes.set_ylabel(r"largest $|\cos|$, $\epsilon$")
    axes.set_title(rf"$\epsilon^2 = C$ {label}")
    if law == "ratio":
        axes.legend(loc="upper left", fontsize=7)
    return curve


def _random(axes: Axes, cells: pd.DataFrame, theory: pd.DataFrame) -> pd.DataFrame:
    style = {"color": "grey", "marker": "x", "linestyle": "none", "label": "random"}
    draw_cells(axes, "count_abscissa", cells, **style)
    ordered = theory.sort_values("count_abscissa")
    return draw_curve(
        axes,
        "count_abscissa",
        "random_theory",
        ordered["count_abscissa"],
        ordered["mean"],
        color="grey",
        linewidth=0.9,
        label="random, theory",
    )


def _over_welch(axes: Axes, table: pd.DataFrame) -> pd.DataFrame:
    cells = cell_means(select(table, MEASURE, "coherence_over_welch"), KEYS)
    for (dim, rows), colour, marker in zip(cells.groupby("dim"), COLOURS, MARKERS, strict=False):
        rows = rows.assign(ratio=rows["vectors"] / rows["dim"])
        draw_cells(axes, "ratio", rows, color=colour, marker=marker, label=f"d = {dim:g}")
    axes.axhline(1, color="black", linestyle="--", linewidth=0.9)
    axes.set_xscale("log")
    axes.set_ylim(0.9, None)
    axes.set_xlabel("vectors per dimension, k/d")
    axes.set_ylabel(r"$\epsilon$ over the Welch bound")
    axes.set_title("dashed: Welch bound")
    return cells.assign(quantity="coherence_over_welch")
