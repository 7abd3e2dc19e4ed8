"""Size of memories that know their members, and where a Hopfield network forgets."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, plain_ticks, select
from dimlaws.figures.style import COLOURS, MARKERS

MEASURE = "vector_symbolic_capacity"
KEYS = ["architecture", "items"]
LABELS = {
    "MAP-B": r"signed bundle (MAP-B): $2 \pi n z^2$",
    "MAP-I": r"summed bundle (MAP-I): $4 n z^2$",
    "Bloom": r"Bloom filter: $n \ln(1/\delta) / \ln^2 2$",
}


def draw(tables: dict[str, pd.DataFrame], *, published: float) -> tuple[Figure, pd.DataFrame]:
    """Draw dimensions against items, their ratio to theory, and patterns lost against the load.

    Parameters
    ----------
    published : load at which a Hopfield network of infinitely many neurons forgets
    """
    (table,) = tables.values()
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(9.6, 3.2))
    sizes = cell_means(select(table, MEASURE, "min_dim"), KEYS, log=True)
    theory = cell_means(select(table, MEASURE, "predicted_dim"), KEYS)
    ratios = _sizes(left, middle, sizes, theory)
    lost = _hopfield(right, table, published)
    drawn = [sizes.assign(quantity="min_dim"), theory.assign(quantity="predicted_dim")]
    return figure, pd.concat([*drawn, *ratios, lost], ignore_index=True)


def _sizes(
    left: Axes, right: Axes, sizes: pd.DataFrame, theory: pd.DataFrame
) -> list[pd.DataFrame]:
    drawn = []
    for place, (name, label) in enumerate(LABELS.items()):
        rows = sizes[sizes["architecture"] == name]
        line = theory[theory["architecture"] == name]
        style = {"color": COLOURS[place], "marker": MARKERS[place], "linestyle": "none"}
        draw_cells(left, "items", rows, label=label, **style)
        left.plot(line["items"], line["mean"], color=COLOURS[place], linestyle="--", linewidth=0.9)
        ratio = rows.copy()
        numbers = ["mean", "low", "high"]
        ratio[numbers] = rows[numbers].to_numpy() / line[["mean"]].to_numpy()
        # Side by side, since all ratios are close to 1.
        draw_cells(right, "items", ratio.assign(items=rows["items"] * 1.06 ** (place - 1)), **style)
        drawn.append(ratio.assign(quantity="ratio_to_theory"))
    left.set_yscale("log")
    low, high = left.get_ylim()
    left.set_ylim(low, high * (high / low) ** 0.4)
    left.set_ylabel("smallest dimension, or bits")
    left.legend(loc="upper left", fontsize=7)
    right.axhline(1, color="grey", linestyle="--", linewidth=0.9)
    right.axhspan(0.85, 1.15, color="grey", alpha=0.2, linewidth=0)
    right.set_ylim(0.75, 1.25)
    right.set_ylabel("measured over theory")
    right.set_title("band: 15 %")
    for axes in (left, right):
        plain_ticks(axes, sizes["items"])
        axes.set_xlabel("items n")
    return drawn


def _hopfield(axes: Axes, table: pd.DataFrame, published: float) -> pd.DataFrame:
    lost = cell_means(select(table, MEASURE, "lost"), ["load"])
    draw_cells(axes, "load", lost, color=COLOURS[0], marker="o")
    axes.axvline(published, color="black", linestyle="--", linewidth=0.9)
    axes.text(published, 0.9, f"{published:g} ", horizontalalignment="right", fontsize=8)
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("stored patterns per neuron")
    axes.set_ylabel("share of patterns lost")
    axes.set_title("Hopfield network")
    return lost.assign(quantity="lost")
