"""Regret of representations against their number of features, and the error of closed forms."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, select
from dimlaws.figures.style import COLOURS, MARKERS

MEASURE = "representation_game"
RANK = "study.rank"
STRATEGIES = {
    "random": "Gaussian",
    "principal_components": "principal components",
    "pure": "best, pure",
    "mixed": "best, mixed",
}
"""Labels in the order drawn."""


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw the regret of the worst task (left) and the largest error of closed forms (right)."""
    (table,) = tables.values()
    regrets = cell_means(select(table, MEASURE, "regret"), ["strategy", RANK], log=True)
    predicted = cell_means(select(table, MEASURE, "predicted_regret"), ["strategy", RANK], log=True)
    errors = cell_means(select(table, MEASURE, "largest_error"), ["strategy", RANK])
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2), width_ratios=(1.5, 1))
    for (strategy, label), colour, marker in zip(
        STRATEGIES.items(), COLOURS, MARKERS, strict=False
    ):
        style = {"color": colour, "marker": marker}
        rows = regrets[regrets["strategy"] == strategy]
        solved = strategy in set(predicted["strategy"])
        line = "none" if solved else ":"
        draw_cells(left, RANK, rows, label=label, linestyle=line, **style)
        if solved:
            theory = predicted[predicted["strategy"] == strategy]
            left.plot(theory[RANK], theory["mean"], color=colour)
            rows = errors[errors["strategy"] == strategy]
            right.plot(rows[RANK], rows["mean"], label=label.removeprefix("best, "), **style)
    left.plot([], [], color="0.4", label="closed forms")
    left.set_yscale("log")
    left.set_ylabel("regret of the worst task")
    left.legend(loc="lower left", fontsize=7)
    right.axhline(0.02, color="0.4", linestyle="--", linewidth=0.8)
    right.text(0.98, 0.025, "2 %", transform=right.get_yaxis_transform(), ha="right", va="bottom")
    right.set_yscale("log", nonpositive="clip")
    right.set_ylim(1e-10, 0.5)
    right.set_ylabel("largest relative error of descent")
    right.legend(loc="center right", bbox_to_anchor=(1.0, 0.6))
    for axes in (left, right):
        axes.set_xticks(sorted(set(regrets[RANK])))
        axes.set_xlabel("features r of the representation")
    drawn = {"regret": regrets, "predicted_regret": predicted, "largest_error": errors}
    return figure, pd.concat(
        [cells.assign(quantity=name) for name, cells in drawn.items()], ignore_index=True
    )
