"""Intrinsic dimension of image sets against k, with the unbiased and the published normaliser."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, plain_ticks, select
from dimlaws.figures.style import COLOURS

MEASURE = "intrinsic_dimension"
KEYS = ["data", "variant", "k"]
VARIANTS = {
    "inverse/k-1": ("MLE, unbiased normaliser k − 1", COLOURS[0], "o", "-"),
    "inverse/k-2": ("MLE, normaliser k − 2 of the published code", COLOURS[1], "s", "--"),
}
"""Label, colour, marker and line of the averages drawn."""
TITLES = {
    "cifar10": "CIFAR-10",
    "digits": "digits",
    "dsprites": "dSprites",
    "fashion_mnist": "Fashion-MNIST",
    "mnist": "MNIST",
    "usps": "USPS",
}


def draw(
    tables: dict[str, pd.DataFrame], *, published: dict[str, dict[str, float]]
) -> tuple[Figure, pd.DataFrame]:
    """Draw one panel per image set.

    Parameters
    ----------
    published : per set, the published estimate at each k
    """
    (table,) = tables.values()
    local = cell_means(select(table, MEASURE, "dimension", {"estimator": "mle"}), KEYS)
    two_nn = cell_means(select(table, MEASURE, "dimension", {"estimator": "two_nn"}), ["data"])
    rows = cell_means(select(table, MEASURE, "rows"), ["data"]).set_index("data")["mean"]
    sets = sorted(local["data"].unique())
    columns = min(3, len(sets))
    figure, grid = plt.subplots(
        -(-len(sets) // columns), columns, figsize=(7.2, 4.6), sharex=True, squeeze=False
    )
    for axes, name in zip(grid.flat, sets, strict=False):
        _panel(axes, local[local["data"] == name], two_nn[two_nn["data"] == name])
        known = published.get(name, {})
        if known:
            axes.plot(
                [float(k) for k in known],
                list(known.values()),
                linestyle="none",
                marker="x",
                markersize=7,
                markeredgewidth=1.5,
                color="black",
                label="Pope et al. 2021, table 1 (only k = 5 confirmed)",
                zorder=5,
            )
        axes.set_title(f"{TITLES.get(name, name)} (n = {rows[name]:,.0f})")
        axes.set_ylim(bottom=0)
    for axes in list(grid.flat)[len(sets) :]:
        axes.set_visible(False)
    plain_ticks(grid.flat[0], local["k"])
    for axes in grid[-1]:
        axes.set_xlabel("neighbours k")
    for axes in grid[:, 0]:
        axes.set_ylabel("intrinsic dimension")
    handles = {
        label: line
        for axes in grid.flat
        for line, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=2)
    drawn = local[local["variant"].isin(VARIANTS)].assign(estimator="mle")
    stated = pd.DataFrame(
        [(name, float(k), value) for name in sets for k, value in published.get(name, {}).items()],
        columns=["data", "k", "mean"],
    )
    parts = [drawn, two_nn.assign(estimator="two_nn"), stated.assign(estimator="published")]
    return figure, pd.concat(parts, ignore_index=True)


def _panel(axes: Axes, local: pd.DataFrame, two_nn: pd.DataFrame) -> None:
    for variant, (label, colour, marker, line) in VARIANTS.items():
        cells = local[local["variant"] == variant]
        draw_cells(axes, "k", cells, label=label, color=colour, marker=marker, linestyle=line)
    for _, row in two_nn.iterrows():
        axes.axhline(row["mean"], color=COLOURS[2], linewidth=1, linestyle=":", label="TwoNN")
        axes.axhspan(row["low"], row["high"], color=COLOURS[2], alpha=0.2, linewidth=0)
