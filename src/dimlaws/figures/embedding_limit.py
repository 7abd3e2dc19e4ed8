"""How many documents' pairs free embeddings realize, and a curve that realizes all of them."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dimlaws.figures.cells import cell_means, draw_cells, draw_curve, plain_ticks, select
from dimlaws.figures.style import COLOURS

MEASURE = "embedding_limit"
DIM = "study.dim"
TOLERATED_SHARE, TOLERATED_DOCUMENTS = 0.3, 3.0


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw critical numbers of documents (left) and the gap on the moment curve (right)."""
    (table,) = tables.values()
    critical = cell_means(select(table, MEASURE, "critical_documents"), [DIM])
    fitted = cell_means(select(table, MEASURE, "fitted_documents"), [DIM])
    gaps = cell_means(select(table, MEASURE, "curve_gap"), ["documents"])
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3))
    _critical(left, critical, fitted)
    draw_cells(right, "documents", gaps, color=COLOURS[1], marker="s", linestyle="none")
    sizes = gaps["documents"].to_numpy(dtype=np.float64)
    line = gaps["mean"].iloc[-1] * (sizes / sizes[-1]) ** -4.0
    style = {"color": "0.4", "linestyle": ":", "linewidth": 1, "label": r"$n^{-4}$"}
    curve = draw_curve(right, "documents", "n^-4", sizes, line, **style)
    plain_ticks(right, gaps["documents"])
    right.set_yscale("log")
    right.set_xlabel("documents n")
    right.set_ylabel("smallest gap from a pair to the rest")
    right.set_title("moment curve, d = 4: all pairs realized")
    right.legend()
    drawn = {"critical_documents": critical, "fitted_documents": fitted, "curve_gap": gaps}
    named = [rows.assign(quantity=name) for name, rows in drawn.items()]
    return figure, pd.concat([*named, curve], ignore_index=True)


def _critical(axes: Axes, critical: pd.DataFrame, fitted: pd.DataFrame) -> None:
    tolerated = np.maximum(TOLERATED_DOCUMENTS, TOLERATED_SHARE * fitted["mean"])
    low, high = fitted["mean"] - tolerated, fitted["mean"] + tolerated
    axes.fill_between(fitted[DIM], low, high, color="0.9", label="expected")
    axes.plot(fitted[DIM], fitted["mean"], "--", color="0.4", label="fit of Weller et al.")
    style = {"color": COLOURS[0], "marker": "o", "linestyle": "none", "label": "trained"}
    draw_cells(axes, DIM, critical, **style)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("dimension d")
    axes.set_ylabel("documents, all pairs realized")
    axes.set_title("free embeddings")
    axes.legend(loc="upper left")
