"""Dimension of the last hidden layer of regression networks against weight decay and test error."""

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from dimlaws.figures.cell_pairs import draw_pairs, pair_cells
from dimlaws.figures.cells import cell_means, draw_cells, select
from dimlaws.figures.style import COLOURS, MARKERS
from dimlaws.laws.ranks import ranks

MEASURE = "neural_regression_collapse"
DECAY, ROWS, NOISE = "training.weight_decay", "data.train_size", "data.label_noise"
RELATED = {
    "dimension": "representation_dimension",
    "energy": "outside_energy",
    "loss": "test_loss",
}
BARS = {
    ("dimension", "loss", None): "ID$_H$, error",
    ("dimension", "loss", "energy"): "ID$_H$, error\n| NRC1",
    ("energy", "loss", None): "NRC1, error",
    ("energy", "loss", "dimension"): "NRC1, error\n| ID$_H$",
    ("dimension", "energy", None): "ID$_H$, NRC1",
}
"""Pairs that are correlated, what is held fixed, and the label of each."""


def draw(
    tables: dict[str, pd.DataFrame], *, target_dim: int, few: int, many: int
) -> tuple[Figure, pd.DataFrame]:
    """Draw dimension against weight decay, error against dimension, and partial correlations.

    The two regimes are many rows without noise and few rows with the most noise.

    Parameters
    ----------
    target_dim : dimension of the targets
    few : number of training rows of the one regime
    many : number of training rows of the other
    """
    (table,) = tables.values()
    noises = sorted(table[NOISE].unique())
    regimes = {
        f"{many} rows, no noise": table[(table[ROWS] == many) & (table[NOISE] == noises[0])],
        f"{few} rows, noise {noises[-1]:g}": table[
            (table[ROWS] == few) & (table[NOISE] == noises[-1])
        ],
    }
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(10, 3.4), width_ratios=[1, 1, 1.3])
    drawn = []
    for place, (name, rows) in enumerate(regimes.items()):
        style = {"color": COLOURS[place], "marker": MARKERS[place], "label": name}
        dims = cell_means(select(rows, MEASURE, "representation_dimension"), [DECAY])
        losses = cell_means(select(rows, "generalization", "test_loss"), [DECAY], log=True)
        draw_cells(left, DECAY, dims, **style)
        draw_pairs(middle, pair_cells(dims, losses, DECAY), **style)
        related = _correlations(rows)
        shift = 0.16 * (place - 0.5)
        draw_cells(right, "place", related.assign(place=related["place"] + shift), ls="", **style)
        drawn += [
            dims.assign(panel="dimension", regime=name),
            losses.assign(panel="test_loss", regime=name),
            related.assign(panel="correlation", regime=name),
        ]
    for line in (left.axhline, middle.axvline):
        line(target_dim, color="grey", linestyle=":", linewidth=1)
    across = left.get_yaxis_transform()
    left.text(0.03, target_dim - 0.05, "ID$_Y$, planted", transform=across, va="top", color="grey")
    left.set(xscale="log", xlabel="weight decay", ylabel="ID$_H$ of the last hidden layer (TwoNN)")
    middle.set(yscale="log", xlabel="ID$_H$", ylabel="test error (mean squared)")
    right.set(ylabel="rank correlation over weight decays", ylim=(-1.1, 1.1))
    right.set_xticks(range(len(BARS)), list(BARS.values()), fontsize=7)
    right.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure, pd.concat(drawn, ignore_index=True)


def _correlations(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rank correlations over weight decays, seed by seed, as means with intervals."""
    names = list(RELATED)
    wide = [
        rows[rows["quantity"] == quantity].pivot_table("value", DECAY, "seed").to_numpy(float)
        for quantity in RELATED.values()
    ]
    found = []
    for values in np.stack(wide, axis=2).transpose(1, 2, 0):  # one seed: [quantities, decays]
        ranked = [ranks(row) for row in values[:, np.isfinite(values).all(axis=0)]]
        with np.errstate(invalid="ignore", divide="ignore"):
            plain = np.asarray(np.corrcoef(ranked))
            for place, (a, b, held) in enumerate(BARS):
                i, j = names.index(a), names.index(b)
                value = plain[i, j] if held is None else _partial(plain, i, j, names.index(held))
                found.append({"place": place, "value": float(value)})
    return cell_means(pd.DataFrame(found).dropna(), ["place"])


def _partial(plain: npt.NDArray[np.float64], i: int, j: int, held: int) -> float:
    """Return the correlation of i and j at fixed ``held``; NaN where that leaves nothing."""
    rest = (1 - plain[i, held] ** 2) * (1 - plain[j, held] ** 2)
    return float((plain[i, j] - plain[i, held] * plain[j, held]) / np.sqrt(rest))
