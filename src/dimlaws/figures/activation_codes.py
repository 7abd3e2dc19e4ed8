"""Redundancy of activation codes, and what they tell of the classes, against the width."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dimlaws.figures.cells import cell_means, draw_cells, plain_ticks, select
from dimlaws.figures.style import COLOURS, MARKERS
from dimlaws.types import PositiveInt

MEASURE = "activation_codes"
WIDTH, ROWS, RATE = "model.width", "data.train_size", "training.learning_rate"
CLASSIFIERS = {
    "network_accuracy": "network",
    "neighbor_accuracy": "codes: nearest neighbours",
    "logistic_accuracy": "codes: logistic regression",
    "cluster_accuracy": "codes: clusters",
}


def draw(tables: dict[str, pd.DataFrame], *, rows: PositiveInt) -> tuple[Figure, pd.DataFrame]:
    """Draw redundancy before and after training (left) and accuracy, a row per learning rate.

    Parameters
    ----------
    rows : number of training rows of the accuracies that are drawn.
    """
    (table,) = tables.values()
    redundancy = cell_means(select(table, MEASURE, "redundancy"), [RATE, "moment", ROWS, WIDTH])
    accuracy = pd.concat(
        cell_means(select(table, MEASURE, quantity, {ROWS: rows}), [RATE, WIDTH]).assign(
            quantity=quantity
        )
        for quantity in CLASSIFIERS
    )
    rates = sorted(set(redundancy[RATE]), reverse=True)
    size = (7.2, 0.6 + 2.5 * len(rates))
    figure, panels = plt.subplots(len(rates), 2, figsize=size, sharex=True, squeeze=False)
    for (left, right), rate in zip(panels, rates, strict=True):
        _draw_redundancy(left, redundancy[redundancy[RATE] == rate])
        _draw_accuracy(right, accuracy[accuracy[RATE] == rate])
        left.set_title(f"learning rate {rate:g}")
        right.set_title(f"learning rate {rate:g}, {rows} training rows")
    panels[0, 0].legend(loc="lower left")
    panels[0, 1].legend(loc="lower right")
    for axes in panels[-1]:
        plain_ticks(axes, redundancy[WIDTH])
        axes.set_xlabel("width of the hidden layer")
    return figure, pd.concat([redundancy.assign(quantity="redundancy"), accuracy])


def _draw_redundancy(axes: Axes, redundancy: pd.DataFrame) -> None:
    sizes = sorted(set(redundancy[ROWS]))
    for (moment, rows), cells in redundancy.groupby(["moment", ROWS]):
        trained, place = moment == "end", sizes.index(rows)
        style = {"color": COLOURS[place], "marker": MARKERS[place]}
        style |= {"linestyle": "-" if trained else ":", "fillstyle": "full" if trained else "none"}
        draw_cells(axes, WIDTH, cells, label=f"{rows:g} rows" if trained else None, **style)
    axes.plot([], [], color="grey", linestyle=":", label="before training")
    axes.axhline(0.01, color="grey", linestyle="--", linewidth=0.9)
    # Linear below 1 %, so that the zeros of wide networks have a place.
    axes.set_yscale("symlog", linthresh=0.01)
    axes.set_ylim(-0.001, 1.4)
    axes.set_yticks([0, 0.01, 0.1, 1], ["0", "0.01", "0.1", "1"])
    axes.set_ylabel("redundant share of rows")


def _draw_accuracy(axes: Axes, accuracy: pd.DataFrame) -> None:
    for place, (quantity, label) in enumerate(CLASSIFIERS.items()):
        cells = accuracy[accuracy["quantity"] == quantity]
        style = {"color": COLOURS[place + 3], "marker": MARKERS[place + 3], "label": label}
        draw_cells(axes, WIDTH, cells, **style)
    axes.set_ylim(0, 1)
    axes.set_ylabel("test accuracy")
