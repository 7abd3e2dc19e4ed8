"""Test loss against sample count for each intrinsic dimension, and the exponents against theory."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.errors import EstimationError
from dimlaws.figures.cells import cell_means, draw_cells, draw_curve, plain_ticks, select
from dimlaws.figures.style import MARKERS
from dimlaws.laws.intervals import bootstrap_over_seeds
from dimlaws.laws.power_law import fit_power_law

DIM, SIZE = "data.intrinsic_dim", "data.train_size"


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw loss curves with their power laws (left) and exponents against 1/d and 4/d (right)."""
    (table,) = tables.values()
    rows = select(table, "generalization", "test_loss")
    losses = cell_means(rows, [DIM, SIZE], log=True)
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.2))
    drawn = [*_losses(left, losses), *_exponents(right, _exponent_cells(rows))]
    return figure, pd.concat(drawn, ignore_index=True)


def _exponent_cells(rows: pd.DataFrame) -> pd.DataFrame:
    cells = []
    for dim, group in rows.groupby(DIM):
        # Fewer than two sizes, or two seeds that converged at all of them: no exponent.
        with suppress(EstimationError):
            cells.append((dim, *_exponent(group)))
    return pd.DataFrame(cells, columns=[DIM, "mean", "low", "high", "n"])


def _exponent(rows: pd.DataFrame) -> tuple[float, float, float, int]:
    losses = rows.pivot_table(index=SIZE, columns="seed", values="value").dropna(axis=1)
    sizes, logs = losses.index.to_numpy(dtype=float), np.log(losses.to_numpy())
    place = {seed: position for position, seed in enumerate(losses.columns)}

    def statistic(seeds: np.ndarray) -> float:
        mean = logs[:, [place[seed] for seed in seeds]].mean(axis=1)
        return fit_power_law(sizes, np.exp(mean)).exponent

    interval = bootstrap_over_seeds(statistic, losses.columns.to_numpy())
    return interval.estimate, interval.low, interval.high, interval.n


def _losses(axes: Axes, losses: pd.DataFrame) -> Iterator[pd.DataFrame]:
    yield losses.assign(quantity="test_loss")
    dims = sorted(losses[DIM].unique())
    colours = plt.get_cmap("viridis")(np.linspace(0, 0.88, len(dims)))
    for dim, colour, marker in zip(dims, colours, cycle(MARKERS), strict=False):
        cells = losses[losses[DIM] == dim]
        style = {"color": colour, "marker": marker, "linestyle": "none"}
        draw_cells(axes, SIZE, cells, label=f"{dim:g}", **style)
        with suppress(EstimationError):
            law = fit_power_law(cells[SIZE], cells["mean"])
            fitted = law.prefactor * cells[SIZE] ** -law.exponent
            line = draw_curve(axes, SIZE, "fit", cells[SIZE], fitted, color=colour, linewidth=1)
            yield line.assign(**{DIM: dim})
    axes.set_yscale("log")
    plain_ticks(axes, losses[SIZE])
    axes.set_xlabel("training rows N")
    axes.set_ylabel("test loss (mean squared error)")
    axes.legend(title="dimension d", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axes.set_title("Test loss and its power law")


def _exponents(axes: Axes, exponents: pd.DataFrame) -> Iterator[pd.DataFrame]:
    axes.set_xlabel("intrinsic dimension d")
    axes.set_ylabel("exponent of test loss in N")
    axes.set_title("Exponent against theory")
    if exponents.empty:
        return
    style = {"color": "black", "marker": "o", "linestyle": "none"}
    draw_cells(axes, DIM, exponents, label="measured, 95 %", **style)
    yield exponents.assign(quantity="exponent")
    dims = exponents[DIM].to_numpy(dtype=float)
    style = {"color": "#D55E00", "linestyle": "--", "label": "4/d (Bahri et al. 2024)"}
    yield draw_curve(axes, DIM, "4/d", dims, 4 / dims, **style)
    style = {"color": "#0072B2", "linestyle": ":", "label": "1/d (bound, Konz & Mazurowski 2024)"}
    yield draw_curve(axes, DIM, "1/d", dims, 1 / dims, **style)
    axes.set_yscale("log")
    axes.set_ylim(top=8)
    plain_ticks(axes, exponents[DIM])
    axes.legend(loc="upper right")
