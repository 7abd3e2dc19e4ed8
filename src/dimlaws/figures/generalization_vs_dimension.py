"""Test loss against sample count for each intrinsic dimension, and the exponents against theory."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, plain_ticks, select
from dimlaws.figures.style import MARKERS
from dimlaws.laws.intervals import bootstrap_over_seeds
from dimlaws.laws.power_law import fit_power_law

DIM, SIZE = "data.intrinsic_dim", "data.train_size"


def draw(tables: dict[str, pd.DataFrame]) -> tuple[Figure, pd.DataFrame]:
    """Draw loss curves with their power laws (left) and exponents against 1/d and 4/d (right)."""
    (table,) = tables.values()
    rows = select(table, "generalization", "test_loss")
    losses = cell_means(rows, [DIM, SIZE], log=True)
    exponents = pd.DataFrame(
        [(dim, *_exponent(group)) for dim, group in rows.groupby(DIM)],
        columns=[DIM, "mean", "low", "high", "n"],
    )
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.2))
    _losses(left, losses)
    _exponents(right, exponents)
    losses = losses.assign(quantity="test_loss")
    return figure, pd.concat([losses, exponents.assign(quantity="exponent")], ignore_index=True)


def _exponent(rows: pd.DataFrame) -> tuple[float, float, float, int]:
    losses = rows.pivot_table(index=SIZE, columns="seed", values="value").dropna(axis=1)
    sizes, logs = losses.index.to_numpy(dtype=float), np.log(losses.to_numpy())
    place = {seed: position for position, seed in enumerate(losses.columns)}

    def statistic(seeds: np.ndarray) -> float:
        mean = logs[:, [place[seed] for seed in seeds]].mean(axis=1)
        return fit_power_law(sizes, np.exp(mean)).exponent

    interval = bootstrap_over_seeds(statistic, losses.columns.to_numpy())
    return interval.estimate, interval.low, interval.high, interval.n


def _losses(axes: Axes, losses: pd.DataFrame) -> None:
    dims = sorted(losses[DIM].unique())
    colours = plt.get_cmap("viridis")(np.linspace(0, 0.88, len(dims)))
    for dim, colour, marker in zip(dims, colours, MARKERS * 2, strict=False):
        cells = losses[losses[DIM] == dim]
        draw_cells(
            axes, SIZE, cells, color=colour, marker=marker, linestyle="none", label=f"{dim:g}"
        )
        law = fit_power_law(cells[SIZE], cells["mean"])
        axes.plot(
            cells[SIZE], law.prefactor * cells[SIZE] ** -law.exponent, color=colour, linewidth=1
        )
    axes.set_yscale("log")
    plain_ticks(axes, losses[SIZE])
    axes.set_xlabel("training rows N")
    axes.set_ylabel("test loss (mean squared error)")
    axes.legend(title="dimension d", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axes.set_title("Test loss and its power law")


def _exponents(axes: Axes, exponents: pd.DataFrame) -> None:
    draw_cells(
        axes, DIM, exponents, color="black", marker="o", linestyle="none", label="measured, 95 %"
    )
    dims = np.geomspace(exponents[DIM].min(), exponents[DIM].max(), 50)
    axes.plot(dims, 4 / dims, color="#D55E00", linestyle="--", label="4/d (Bahri et al. 2024)")
    axes.plot(
        dims, 1 / dims, color="#0072B2", linestyle=":", label="1/d (bound, Konz & Mazurowski 2024)"
    )
    axes.set_yscale("log")
    axes.set_ylim(top=8)
    plain_ticks(axes, exponents[DIM])
    axes.set_xlabel("intrinsic dimension d")
    axes.set_ylabel("exponent of test loss in N")
    axes.legend(loc="upper right")
    axes.set_title("Exponent against theory")
