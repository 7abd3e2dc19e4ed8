"""Dimensions that random star layers and sums span, against the number of inputs."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, draw_curve, plain_ticks, select
from dimlaws.figures.style import COLOURS, MARKERS
from dimlaws.theory.star_operation import estimated_star_dimension, star_dimension, sum_dimension

MEASURE = "star_operation_rank"
SERIES = {
    ("star", 2): ("star, two layers", r"$\binom{d+4}{4}$"),
    ("star", 1): ("star, one layer", r"$\binom{d+2}{2}$"),
    ("sum", 1): ("sum, one layer", r"$d+1$"),
}
"""Name and closed form of each series; two layers of sums span no more than one."""


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw ranks (markers), closed forms (lines) and the paper's estimates (dotted)."""
    (table,) = tables.values()
    ranks = cell_means(select(table, MEASURE, "rank"), ["operation", "layers", "inputs"], log=True)
    drawn = [ranks.assign(quantity="rank")]
    figure, axes = plt.subplots(figsize=(4.6, 3.4))
    for place, ((operation, layers), (name, formula)) in enumerate(SERIES.items()):
        cells = ranks[(ranks["operation"] == operation) & (ranks["layers"] == layers)]
        colour = COLOURS[place]
        style = {"color": colour, "marker": MARKERS[place], "linestyle": "none"}
        draw_cells(axes, "inputs", cells, label=f"{name}: {formula}", **style)
        inputs = np.arange(cells["inputs"].min(), cells["inputs"].max() + 1)
        exact = [float(_dimension(operation, int(d), layers)) for d in inputs]
        curves = {"dimension": ("-", exact)}
        if operation == "star":
            estimates = [estimated_star_dimension(int(d), layers) for d in inputs]
            curves["estimated_dimension"] = (":", estimates)
        for quantity, (line, values) in curves.items():
            curve = draw_curve(
                axes, "inputs", quantity, inputs, values, color=colour, linestyle=line, linewidth=1
            )
            drawn.append(curve.assign(operation=operation, layers=layers))
    axes.plot([], [], color="grey", linestyle=":", label=r"estimate $(d/\sqrt{2})^{2^l}$")
    axes.set_yscale("log")
    plain_ticks(axes, ranks["inputs"])
    axes.set_xlabel("inputs d")
    axes.set_ylabel("dimensions spanned (rank)")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure, pd.concat(drawn, ignore_index=True)


def _dimension(operation: str, inputs: int, layers: int) -> int:
    return star_dimension(inputs, layers) if operation == "star" else sum_dimension(inputs)
