"""Generalization error of a linear student over time and alpha, and the best moment to stop."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, draw_curve, plain_ticks, select
from dimlaws.figures.style import COLOURS, MARKERS
from dimlaws.theory import linear_dynamics as theory

MEASURE = "linear_generalization_dynamics"
SNR = 5.0
DRAWN = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Values of alpha whose curves over time are drawn; the other panels have all."""

TICKS = pd.Series([0.25, 0.5, 1.0, 2.0, 4.0])
TIMES = np.geomspace(0.1, 3e4, 300)


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw the error against time and against alpha (top), and stopping (bottom).

    Lines are theory, points are means over seeds with their 95 % intervals.
    """
    (table,) = tables.values()
    figure, axes = plt.subplots(2, 2, figsize=(7.2, 6.4))
    errors = select(table, MEASURE, "error", {"snr": SNR, "inr": 0.0})
    cells = cell_means(errors, ["alpha", "time"])
    drawn = [
        *_against_time(axes[0, 0], cells, _stopping(table, "stopped_error", SNR), table),
        *_against_alpha(axes[0, 1], cells),
        *_stopping_times(axes[1, 0], table),
        *_stopped_errors(axes[1, 1], table),
    ]
    return figure, pd.concat(drawn, ignore_index=True)


def _stopping(table: pd.DataFrame, quantity: str, snr: float) -> pd.DataFrame:
    return cell_means(select(table, MEASURE, quantity, {"snr": snr}), ["alpha"])


def _against_time(
    axes: Axes, cells: pd.DataFrame, stopped: pd.DataFrame, table: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    when = _stopping(table, "stopping_time", SNR).set_index("alpha")["mean"]
    lowest = stopped.set_index("alpha")["mean"]
    for alpha, colour, marker in zip(DRAWN, COLOURS, MARKERS, strict=False):
        rows = cells[cells["alpha"] == alpha]
        if rows.empty:
            continue
        curve = theory.generalization_error(TIMES, alpha, SNR, 0.0)
        predicted = draw_curve(axes, "time", "predicted_error", TIMES, curve, color=colour)
        style = {"color": colour, "marker": marker, "linestyle": "none"}
        draw_cells(axes, "time", rows, label=f"{alpha:g}", **style)
        axes.plot(
            when[alpha],
            lowest[alpha],
            marker="*",
            color=colour,
            markersize=10,
            markeredgecolor="black",
            markeredgewidth=0.6,
            linestyle="none",
            zorder=4,
        )
        yield rows.assign(quantity="error", panel="time")
        yield predicted.assign(alpha=alpha, panel="time")
    axes.plot(
        [],
        [],
        marker="*",
        color="white",
        markeredgecolor="black",
        linestyle="none",
        markersize=9,
        label="lowest",
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(0.17, 60)
    axes.set_xlabel("time t")
    axes.set_ylabel(r"generalization error $E_g / \sigma_w^2$")
    axes.set_title(f"SNR = {SNR:g}, start at zero; lines: theory")
    axes.legend(title=r"$\alpha = P/N$", ncols=2, loc="upper left", title_fontsize=8)


def _against_alpha(axes: Axes, cells: pd.DataFrame) -> Iterator[pd.DataFrame]:
    alphas = np.union1d(np.geomspace(cells["alpha"].min(), cells["alpha"].max(), 241), [1.0])
    times = sorted(cells["time"].unique().tolist())
    for time, colour, marker in zip(times, COLOURS, MARKERS, strict=False):
        rows = cells[cells["time"] == time]
        curve = [float(theory.generalization_error(time, alpha, SNR, 0.0)) for alpha in alphas]
        predicted = draw_curve(axes, "alpha", "predicted_error", alphas, curve, color=colour)
        style = {"color": colour, "marker": marker, "linestyle": "none"}
        exponent = np.log10(time)
        draw_cells(axes, "alpha", rows, label=f"$10^{{{exponent:.0f}}}$", **style)
        yield rows.assign(quantity="error", panel="alpha")
        yield predicted.assign(time=time, panel="alpha")
    _alpha_axis(axes)
    axes.set_ylim(0.17, 60)
    axes.set_ylabel(r"generalization error $E_g / \sigma_w^2$")
    axes.set_title(f"SNR = {SNR:g}, start at zero")
    axes.legend(title="time t", ncols=2, loc="upper left", title_fontsize=8)


def _stopping_times(axes: Axes, table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    yield from _by_snr(axes, table, "stopping_time", 0)
    _alpha_axis(axes)
    axes.set_ylabel("time of the lowest error")
    axes.set_title("Best moment to stop")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * 3.5)
    axes.legend(title="SNR", ncols=3, loc="upper left", title_fontsize=8)


def _stopped_errors(axes: Axes, table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    yield from _by_snr(axes, table, "stopped_error", 1)
    final = cell_means(select(table, MEASURE, "final_error", {"snr": SNR, "inr": 0.0}), ["alpha"])
    colour = "grey"
    style = {"color": colour, "marker": "x", "linestyle": "none"}
    draw_cells(axes, "alpha", final, label=rf"{SNR:g}, never stopped", **style)
    yield final.assign(snr=SNR, quantity="final_error", panel="final_error")
    for side in (
        np.geomspace(final["alpha"].min(), 0.995, 100),
        np.geomspace(1.005, final["alpha"].max(), 100),
    ):
        curve = [theory.final_generalization_error(alpha, SNR, 0.0) for alpha in side]
        predicted = draw_curve(
            axes, "alpha", "predicted_final_error", side, curve, color=colour, linestyle="--"
        )
        yield predicted.assign(snr=SNR, panel="final_error")
    _alpha_axis(axes)
    axes.set_ylim(0.015, 60)
    axes.set_ylabel(r"generalization error $E_g / \sigma_w^2$")
    axes.set_title("Error at the best moment")
    axes.legend(title="SNR", loc="lower left", title_fontsize=8)


def _by_snr(axes: Axes, table: pd.DataFrame, quantity: str, part: int) -> Iterator[pd.DataFrame]:
    """Draw one quantity of stopping; ``part`` 0 of theory is the time, 1 the error."""
    snrs = sorted(select(table, MEASURE, quantity)["snr"].unique())
    for snr, colour, marker in zip(snrs, COLOURS, MARKERS, strict=False):
        rows = _stopping(table, quantity, snr)
        alphas = np.geomspace(rows["alpha"].min(), rows["alpha"].max(), 61)
        curve = [theory.optimal_stopping(alpha, snr, 0.0)[part] for alpha in alphas]
        predicted = draw_curve(axes, "alpha", f"predicted_{quantity}", alphas, curve, color=colour)
        style = {"color": colour, "marker": marker, "linestyle": "none", "label": f"{snr:g}"}
        draw_cells(axes, "alpha", rows, **style)
        yield rows.assign(snr=snr, quantity=quantity, panel=quantity)
        yield predicted.assign(snr=snr, panel=quantity)


def _alpha_axis(axes: Axes) -> None:
    plain_ticks(axes, TICKS)
    axes.set_yscale("log")
    axes.set_xlabel(r"samples per weight $\alpha = P/N$")
