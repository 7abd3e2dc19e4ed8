"""Fluctuations of random networks against depth over width, and their ratio to theory."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, select
from dimlaws.figures.style import COLOURS, MARKERS
from dimlaws.theory.initialization_kurtosis import moment_ratio

MEASURE = "initialization_kurtosis"
WIDTH, ACTIVATION, RATIO = "study.width", "study.activation", "depth_over_width"
NAMES = {"relu": "ReLU", "linear": "linear"}
SLOPES = {"relu": 5, "linear": 2}
"""Exponents of L / n in wide networks."""


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw log E[q^2] / E[q]^2 against L / n (left) and E[q^2] / E[q]^2 over theory (right)."""
    (table,) = tables.values()
    by = [ACTIVATION, WIDTH, "depth"]
    rows = select(table, MEASURE, "moment_ratio")
    rows = rows.assign(
        theory=[moment_ratio(a, n, depth) for a, n, depth in rows[by].itertuples(index=False)]
    )
    relative = cell_means(rows.assign(value=rows["value"] / rows["theory"]), by)
    logarithms = cell_means(select(table, MEASURE, "log_moment_ratio"), by)
    widths = list(relative[WIDTH].unique())
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.3))
    for cells, axes in ((logarithms, left), (relative, right)):
        cells[RATIO] = cells["depth"] / cells[WIDTH]
        for (activation, width), line in cells.groupby([ACTIVATION, WIDTH]):
            style: dict[str, Any] = {
                "color": COLOURS[widths.index(width)],
                "marker": MARKERS[widths.index(width)],
                "markerfacecolor": "white" if activation == "linear" else None,
                "linestyle": "none",
            }
            draw_cells(axes, RATIO, line, **style)
        axes.set_xscale("log")
        axes.set_xlabel("depth over width L/n")
    x = np.geomspace(logarithms[RATIO].min(), logarithms[RATIO].max(), 50)
    for (activation, slope), dashes in zip(SLOPES.items(), ("-", "--"), strict=True):
        label = f"{NAMES[activation]}, wide: {slope} L/n"
        style = {"color": "0.4", "linestyle": dashes, "linewidth": 0.8, "zorder": 0}
        left.plot(x, slope * x, label=label, **style)
    for colour, marker, width in zip(COLOURS, MARKERS, widths, strict=False):
        left.plot([], [], color=colour, marker=marker, linestyle="none", label=f"n = {width:g}")
    left.plot(
        [], [], color="0.4", marker="o", linestyle="none", markerfacecolor="white", label="linear"
    )
    left.set_yscale("log", nonpositive="clip")
    left.set_ylabel(r"$\log\, E[q^2] / E[q]^2$")
    left.legend(fontsize=7)
    right.axhline(1.0, color="0.4", linewidth=0.8, zorder=0)
    right.axhspan(0.95, 1.05, color="0.9", linewidth=0, zorder=-1)
    right.set_ylim(0.9, 1.1)
    right.set_ylabel(r"$E[q^2] / E[q]^2$ over theory")
    drawn = {"log_moment_ratio": logarithms, "relative": relative}
    return figure, pd.concat(
        [cells.assign(quantity=name) for name, cells in drawn.items()], ignore_index=True
    )
