"""Losses, accuracies and the delay of generalization in a linear student of a linear teacher."""

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, draw_curve, select
from dimlaws.figures.style import COLOURS, MARKERS
from dimlaws.theory.linear_grokking import Task, asymptotic_grokking_time, grokking_time
from dimlaws.theory.marchenko_pastur import expectation

MEASURE, VARIED, RATIO, LEVEL = "linear_grokking", "study.varied", "aspect_ratio", 0.95
SHOWN = 0.7
"""Aspect ratio of the losses and accuracies over time."""

PANELS = {
    "outputs": ("outputs", "number of outputs k"),
    "scale": ("initial_scale", r"initial scale $\alpha$"),
    "decay": ("weight_decay", r"weight decay $\gamma$"),
}
"""Column and label of the abscissa of each variation."""


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw one training at several thresholds, and the delay with theory as lines."""
    (table,) = tables.values()
    figure, axes = plt.subplots(2, 3, figsize=(8.6, 5.4))
    samples = table[table[VARIED] == "samples"]
    parts = [_losses(axes[0, 0], samples), _accuracies(axes[0, 1], samples)]
    parts.append(_ratios(axes[0, 2], samples))
    for place, (varied, (column, label)) in zip(axes[1], PANELS.items(), strict=True):
        parts.append(_variation(place, table[table[VARIED] == varied], column))
        place.set_xlabel(label)
    for place in (axes[0, 2], *axes[1]):
        place.set_ylabel("delay of generalization (steps)")
    return figure, pd.concat(parts, ignore_index=True)


def _losses(axes: Axes, rows: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for split, colour in zip(("training", "generalization"), COLOURS, strict=False):
        cells = cell_means(
            select(rows, MEASURE, f"{split}_loss", {RATIO: SHOWN}), [RATIO, "time"], log=True
        )
        cells = cells[cells["mean"] > 1e-12]
        axes.plot(cells["time"], cells["mean"], color=colour, label=split)
        axes.fill_between(
            cells["time"], cells["low"], cells["high"], color=colour, alpha=0.25, linewidth=0
        )
        parts.append(cells.assign(quantity=f"{split}_loss"))
    for threshold in _falling(rows.dropna(subset="threshold")):
        axes.axhline(threshold / 4, color="0.6", linewidth=0.8, linestyle=":")
        axes.annotate(
            rf"$\epsilon/4$, $\epsilon$ = {_power(threshold)}", (0.02, threshold / 4),
            xycoords=axes.get_yaxis_transform(), va="bottom", fontsize=7, color="0.4",
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_title(f"loss, d / N = {SHOWN:g}")
    axes.set_xlabel("time t (steps)")
    axes.set_ylabel("mean squared error")
    axes.legend(loc="lower left", fontsize=7)
    return pd.concat(parts, ignore_index=True)


def _accuracies(axes: Axes, rows: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for split, line in (("training", "--"), ("generalization", "-")):
        cells = cell_means(
            select(rows, MEASURE, f"{split}_accuracy", {RATIO: SHOWN}), [RATIO, "threshold", "time"]
        )
        for threshold, colour in zip(_falling(cells), COLOURS[2:], strict=False):
            group = cells[cells["threshold"] == threshold]
            label = rf"$\epsilon$ = {_power(threshold)}" if line == "-" else None
            axes.plot(group["time"], group["mean"], line, color=colour, label=label)
        parts.append(cells.assign(quantity=f"{split}_accuracy"))
    axes.set_xscale("log")
    axes.set_ylim(0, 1.45)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_title(f"accuracy, d / N = {SHOWN:g} (dashed: training rows)")
    axes.set_xlabel("time t (steps)")
    axes.set_ylabel("accuracy (share of rows learnt)")
    axes.legend(loc="upper left", fontsize=7)
    return pd.concat(parts, ignore_index=True)


def _ratios(axes: Axes, rows: pd.DataFrame) -> pd.DataFrame:
    cells = cell_means(
        select(rows, MEASURE, "grokking_time"), ["threshold", RATIO, "outputs"], log=True
    )
    parts = [cells.assign(quantity="grokking_time")]
    ratios = np.linspace(cells[RATIO].min(), cells[RATIO].max(), 40)
    for threshold, colour, marker in zip(_falling(cells), COLOURS[2:], MARKERS, strict=False):
        group = cells[cells["threshold"] == threshold]
        style = {"color": colour, "marker": marker, "linestyle": "none"}
        draw_cells(axes, RATIO, group, label=rf"$\epsilon$ = {_power(threshold)}", **style)
        predicted = [_predicted(Task(), threshold, ratio) for ratio in ratios]
        name = "predicted_grokking_time"
        curve = draw_curve(axes, RATIO, name, ratios, predicted, color=colour, linewidth=0.9)
        parts.append(curve.assign(threshold=threshold))
    limit = [asymptotic_grokking_time(ratio) for ratio in ratios]
    name, label = "asymptotic_grokking_time", r"limit $\epsilon \to 0$"
    style = {"color": "0.4", "linestyle": "--", "label": label}
    parts.append(draw_curve(axes, RATIO, name, ratios, limit, linewidth=0.9, **style))
    axes.set_yscale("log")
    axes.set_title("delay (lines: Marchenko-Pastur)")
    axes.set_xlabel("d / N")
    axes.legend(loc="upper left", fontsize=7)
    return pd.concat(parts, ignore_index=True)


def _variation(axes: Axes, rows: pd.DataFrame, column: str) -> pd.DataFrame:
    cells = cell_means(
        select(rows, MEASURE, "grokking_time"), [RATIO, "threshold", column], log=True
    )
    parts = [cells.assign(quantity="grokking_time")]
    ratios: list[float] = sorted(cells[RATIO].unique().tolist())
    for ratio, colour, marker in zip(ratios, COLOURS, MARKERS, strict=False):
        group = cells[cells[RATIO] == ratio]
        style = {"color": colour, "marker": marker, "linestyle": "none"}
        draw_cells(axes, column, group, label=f"d / N = {ratio:g}", **style)
        values = _between(group[column].to_numpy(dtype=np.float64))
        if column == "outputs":
            values = np.unique(values.round())
        threshold = float(group["threshold"].iloc[0])
        predicted = [
            _predicted(Task(**{column: int(v) if column == "outputs" else v}), threshold, ratio)
            for v in values.tolist()
        ]
        name = "predicted_grokking_time"
        curve = draw_curve(axes, column, name, values, predicted, color=colour, linewidth=0.9)
        parts.append(curve.assign(**{RATIO: ratio}))
    if column == "weight_decay":
        axes.set_xscale("symlog", linthresh=1e-4)
    else:
        axes.set_xscale("log")
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.set_ylim(low / 1.3, high * 3)
    axes.legend(loc="upper left", fontsize=7)
    return pd.concat(parts, ignore_index=True)


def _between(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return values and points between them, even in log steps; a zero stays."""
    positive = values[values > 0]
    dense = np.geomspace(positive.min(), positive.max(), 30)
    return np.concatenate([values[values == 0], dense])


def _falling(cells: pd.DataFrame) -> list[float]:
    """Return the thresholds, largest first."""
    return sorted(cells["threshold"].unique().tolist(), reverse=True)


def _power(threshold: float) -> str:
    return f"$10^{{{np.log10(threshold):.0f}}}$"


def _predicted(task: Task, threshold: float, ratio: float) -> float:
    return grokking_time(task, threshold, LEVEL, lambda f: float(expectation(f, ratio)))
