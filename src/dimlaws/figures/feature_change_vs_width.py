"""Change of features and weights over width in three parametrizations, and the best rates."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, plain_ticks, select
from dimlaws.figures.log_ticks import plain_log_ticks
from dimlaws.figures.style import COLOURS, MARKERS

CHANGES, RATES = "feature_change_vs_width", "learning_rate_transfer"
WIDTH, KIND = "study.width", "study.parametrization"
KINDS = {"mup": "maximal update", "ntk": "neural tangent", "standard": "standard, rate ~ 1 / width"}
LAYERS = {"layer0": ("input", ":"), "layer1": ("hidden", "-"), "layer2": ("output", "--")}
HIDDEN = "layer1"


def draw(
    tables: dict[str, pd.DataFrame], *, changes: str, rates: str
) -> tuple[Figure, pd.DataFrame]:
    """Draw changes against the width, and training loss against the learning rate.

    Parameters
    ----------
    tables : runs by experiment
    changes : experiment that measures the change of features and weights
    rates : experiment that sweeps the learning rate

    """
    figure, axes = plt.subplots(2, 2, figsize=(7.2, 5.8))
    table = tables[changes]
    parts = [
        _features(axes[0, 0], select(table, CHANGES, "feature_change")),
        _norms(axes[0, 1], table),
    ]
    losses = select(tables[rates], RATES, "train_loss")
    for place, kind, title in (
        (axes[1, 0], "mup", "maximal update parametrization"),
        (axes[1, 1], "standard", "standard parametrization"),
    ):
        parts.append(_losses(place, losses[losses[KIND] == kind]))
        place.set_title(title)
    return figure, pd.concat(parts, ignore_index=True)


def _features(axes: Axes, rows: pd.DataFrame) -> pd.DataFrame:
    cells = cell_means(rows, [KIND, WIDTH], log=True)
    for (kind, label), colour, marker in zip(KINDS.items(), COLOURS, MARKERS, strict=False):
        group = cells[cells[KIND] == kind]
        draw_cells(axes, WIDTH, group, color=colour, marker=marker, label=label)
    tangent = cells[cells[KIND] == "ntk"]
    widths = tangent[WIDTH].to_numpy(dtype=np.float64)
    line = tangent["mean"].iloc[0] * 0.8 * np.sqrt(widths[0] / widths)
    axes.plot(widths, line, color="0.5", linestyle=":", label=r"width$^{-1/2}$")
    axes.set_yscale("log")
    plain_log_ticks(axes.yaxis)
    plain_ticks(axes, cells[WIDTH])
    axes.set_xlabel("width")
    axes.set_ylabel(r"change of features $\Vert\Delta h\Vert\,/\,\Vert h\Vert$")
    axes.legend(loc="lower left", fontsize=7)
    return cells.assign(quantity="feature_change")


def _norms(axes: Axes, table: pd.DataFrame) -> pd.DataFrame:
    cells = cell_means(select(table, CHANGES, "update_norm"), [KIND, "layer", WIDTH], log=True)
    for (kind, _), colour, marker in zip(KINDS.items(), COLOURS, MARKERS, strict=False):
        for layer, (_, line) in LAYERS.items():
            group = cells[(cells[KIND] == kind) & (cells["layer"] == layer)]
            draw_cells(axes, WIDTH, group, color=colour, marker=marker, linestyle=line)
    for label, line in LAYERS.values():
        axes.plot([], [], color="0.3", linestyle=line, label=f"{label} weights")
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** 0.35)
    plain_ticks(axes, cells[WIDTH])
    axes.set_xlabel("width")
    axes.set_ylabel(
        r"update $\Vert\Delta W\Vert_*$ over $(\mathrm{fan\ out}/\mathrm{fan\ in})^{1/2}$"
    )
    axes.legend(loc="upper right", fontsize=7)
    return cells.assign(quantity="update_norm")


def _losses(axes: Axes, rows: pd.DataFrame) -> pd.DataFrame:
    cells = cell_means(rows, [KIND, WIDTH, "learning_rate"], log=True)
    for (width, group), colour, marker in zip(cells.groupby(WIDTH), COLOURS, MARKERS, strict=False):
        draw_cells(axes, "learning_rate", group, color=colour, marker=marker, label=f"{width:g}")
        best = group.nsmallest(1, "mean")
        axes.plot(
            best["learning_rate"], best["mean"], marker="*", markersize=11,
            markerfacecolor="none", color=colour, linestyle="none",
        )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    plain_log_ticks(axes.yaxis)
    axes.set_xlabel("learning rate")
    axes.set_ylabel("training loss (nats)")
    axes.legend(title="width (star: best rate)", loc="lower left", fontsize=7, title_fontsize=7)
    return cells.assign(quantity="train_loss")
