"""A figure that stands in for the real ones, which change."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure


def draw(tables: dict[str, pd.DataFrame], *, quantity: str, x: str) -> tuple[Figure, pd.DataFrame]:
    """Draw the mean of a quantity.

    Parameters
    ----------
    quantity : what is drawn
    x : against which column
    """
    (table,) = tables.values()
    means = table[table["quantity"] == quantity].groupby(x)["value"].mean().reset_index()
    figure, axes = plt.subplots()
    axes.plot(means[x], means["value"], marker="o")
    return figure, means
