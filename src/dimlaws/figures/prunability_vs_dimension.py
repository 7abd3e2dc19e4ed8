"""Weights that pruning must leave, against intrinsic, ambient and principal-component dimension."""

from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, plain_ticks, select
from dimlaws.figures.style import COLOURS, MARKERS

INTRINSIC, AMBIENT, COMPONENTS = "data.intrinsic_dim", "data.ambient_dim", "data.components"


def draw(
    tables: dict[str, pd.DataFrame], *, synthetic: str, images: str
) -> tuple[Figure, pd.DataFrame]:
    """Draw remaining weights of both kinds of pruning, and the dense accuracy that they start from.

    Parameters
    ----------
    synthetic : experiment that sweeps intrinsic and ambient dimension
    images : experiment that sweeps the number of principal components of images
    """
    made, real = tables[synthetic], tables[images]
    figure, grid = plt.subplots(2, 2, figsize=(7.6, 5.6))
    drawn = [
        _remaining(grid[0, 0], made, INTRINSIC, AMBIENT, "intrinsic dimension m", "D"),
        _remaining(grid[0, 1], made, AMBIENT, INTRINSIC, "ambient dimension D", "m"),
        _components(grid[1, 0], real),
        _dense(grid[1, 1], made),
    ]
    for axes, letter in zip(grid.flat, "abcd", strict=True):
        axes.set_title(f"{letter}   {axes.get_title('left')}", loc="left")
    return figure, pd.concat(drawn, ignore_index=True)


def _lines(axes: Axes, cells: pd.DataFrame, x: str, held: str, label: str, **style: str) -> None:
    values = sorted(cells[held].unique())
    for value, colour, marker in zip(values, cycle(COLOURS), cycle(MARKERS), strict=False):
        line = cells[cells[held] == value]
        text = f"{label} = {value:g}" if label else None
        draw_cells(axes, x, line, color=colour, marker=marker, label=text, **style)


def _remaining(
    axes: Axes, table: pd.DataFrame, x: str, held: str, title: str, label: str
) -> pd.DataFrame:
    drawn = []
    for measure, line, name in (("prunability", "-", label), ("one_shot", ":", "")):
        rows = select(table, measure, "remaining_weights")
        cells = cell_means(rows, [held, x], log=True)
        _lines(axes, cells, x, held, name, linestyle=line)
        drawn.append(cells.assign(measure=measure, quantity="remaining_weights", panel=title))
    axes.set_yscale("log")
    plain_ticks(axes, cells[x])
    axes.set_xlabel(title)
    axes.set_ylabel("weights left at equal accuracy")
    axes.set_title("iterative (solid), one-shot (dotted)", loc="left")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return pd.concat(drawn, ignore_index=True)


def _components(axes: Axes, table: pd.DataFrame) -> pd.DataFrame:
    cells = cell_means(select(table, "prunability", "remaining_weights"), [COMPONENTS], log=True)
    draw_cells(axes, COMPONENTS, cells, color=COLOURS[0], marker="o", label="weights left")
    axes.set_yscale("log")
    plain_ticks(axes, cells[COMPONENTS])
    axes.set_xlabel("principal components q of Fashion-MNIST")
    axes.set_ylabel("weights left at equal accuracy")
    accuracy = cell_means(select(table, "prunability", "dense_accuracy"), [COMPONENTS])
    twin = axes.twinx()
    draw_cells(twin, COMPONENTS, accuracy, color=COLOURS[1], marker="s", linestyle="--")
    twin.set_ylabel("dense test accuracy", color=COLOURS[1])
    twin.spines["right"].set_visible(True)
    twin.tick_params(axis="y", colors=COLOURS[1])
    twin.set_ylim(0, 1)
    axes.set_title("real images, iterative", loc="left")
    return pd.concat(
        [
            cells.assign(measure="prunability", quantity="remaining_weights", panel="components"),
            accuracy.assign(measure="prunability", quantity="dense_accuracy", panel="components"),
        ],
        ignore_index=True,
    )


def _dense(axes: Axes, table: pd.DataFrame) -> pd.DataFrame:
    cells = cell_means(select(table, "prunability", "dense_accuracy"), [AMBIENT, INTRINSIC])
    _lines(axes, cells, INTRINSIC, AMBIENT, "D", linestyle="-")
    plain_ticks(axes, cells[INTRINSIC])
    axes.set_ylim(min(0.9, float(np.floor(cells["low"].min() * 20) / 20)), 1.0)
    axes.set_xlabel("intrinsic dimension m")
    axes.set_ylabel("dense test accuracy")
    axes.set_title("matched by label sharpness", loc="left")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return cells.assign(measure="prunability", quantity="dense_accuracy", panel="matched")
