"""Learning curves of students that see patches, and their exponents against the patch size."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, draw_curve, plain_ticks, select
from dimlaws.figures.style import COLOURS, MARKERS

MEASURE = "kernel_locality"
ANGLES = "study.angles"
TEACHER = "laplace"
TOLERANCE = 0.12
"""Distance from theory that the claim allows."""


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw learning curves on the largest torus (left) and exponents on all tori (right)."""
    (table,) = tables.values()
    table = table.assign(patch=table["patch"].fillna(table[ANGLES]))  # a full student sees all
    where = {"teacher": TEACHER}
    keys = [ANGLES, "student", "patch"]
    errors = cell_means(select(table, MEASURE, "test_error", where), [*keys, "rows"], log=True)
    exponents = cell_means(select(table, MEASURE, "exponent", where), keys)
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.4))
    largest = errors[errors[ANGLES] == errors[ANGLES].max()]
    drawn = [*_curves(left, largest), *_exponents(right, exponents)]
    return figure, pd.concat(drawn, ignore_index=True)


def _curves(axes: Axes, cells: pd.DataFrame) -> list[pd.DataFrame]:
    drawn = [cells.assign(quantity="test_error")]
    lines = cells.groupby("patch")
    for (_, rows), colour, marker in zip(lines, COLOURS, MARKERS, strict=False):
        patch = float(rows["patch"].iloc[0])
        full = (rows["student"] == "full").all()
        label = "all angles" if full else f"patches of {patch:g}"
        style = {"color": colour, "marker": marker, "linestyle": "none", "label": label}
        draw_cells(axes, "rows", rows, **style)
        n = rows["rows"].to_numpy(dtype=float)
        level = np.exp(np.log(rows["mean"]).mean())
        line = level * (n / np.exp(np.log(n).mean())) ** (-1 / patch)
        dashes = {"color": colour, "linestyle": "--", "linewidth": 0.9}
        drawn.append(draw_curve(axes, "rows", "theory", n, line, **dashes).assign(patch=patch))
    axes.set_yscale("log")
    plain_ticks(axes, cells["rows"])
    axes.set_xlabel("training rows n")
    axes.set_ylabel("test error (mean squared)")
    axes.set_title(f"torus of {cells[ANGLES].iloc[0]:g} angles; dashed: $n^{{-1/s}}$")
    axes.legend(title="student sees", title_fontsize=8)
    return drawn


def _exponents(axes: Axes, cells: pd.DataFrame) -> list[pd.DataFrame]:
    patches = np.geomspace(0.85, cells["patch"].max() * 1.2, 60)
    style = {"color": "grey", "linestyle": "--", "linewidth": 0.9, "label": "theory: 1/s"}
    drawn = [
        cells.assign(quantity="exponent"),
        draw_curve(axes, "patch", "theory", patches, 1 / patches, **style),
    ]
    within = cells.loc[cells["student"] == "local", "patch"]
    band = np.geomspace(within.min() * 0.85, within.max() * 1.2, 60)
    axes.fill_between(
        band, 1 / band - TOLERANCE, 1 / band + TOLERANCE, color="grey", alpha=0.2, linewidth=0
    )
    tori = cells.groupby(ANGLES)
    for index, ((angles, rows), colour, marker) in enumerate(
        zip(tori, COLOURS, MARKERS, strict=False)
    ):
        # Side by side, since theory puts them at the same place.
        moved = rows.assign(patch=rows["patch"] * 1.04 ** (2 * index - 1))
        label = f"{angles:g} angles"
        style = {"color": colour, "marker": marker, "linestyle": "none", "label": label}
        draw_cells(axes, "patch", moved, **style)
    axes.set_yscale("log")
    plain_ticks(axes, cells["patch"])
    axes.set_yticks([0.1, 0.2, 0.5, 1], ["0.1", "0.2", "0.5", "1"])
    axes.minorticks_off()
    axes.set_xlabel("angles s that the student sees at once")
    axes.set_ylabel(r"exponent $\beta$")
    axes.set_title("Laplace teacher of single angles")
    axes.legend()
    return drawn
