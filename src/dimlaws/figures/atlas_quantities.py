"""What the figures of the dimension atlas compare, one value per dimension of the data and seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from dimlaws.errors import EstimationError
from dimlaws.figures.cells import cell_means, select
from dimlaws.laws.intervals import Interval, bootstrap_over_seeds
from dimlaws.laws.power_law import fit_power_law
from dimlaws.laws.ranks import spearman

DIM, SIZE = "data.intrinsic_dim", "data.train_size"


@dataclass(frozen=True)
class Quantity:
    """A measured quantity: ``values`` has one row per dimension m and one column per seed.

    ``log``: it is drawn on a logarithmic axis, with geometric means.
    """

    name: str
    label: str
    values: pd.DataFrame
    log: bool

    def cells(self) -> pd.DataFrame:
        """Return ``mean``, ``low``, ``high`` and ``n`` per dimension m."""
        rows = self.values.reset_index().melt(id_vars=DIM).dropna()
        return cell_means(rows, [DIM], log=self.log)


def atlas_quantities(
    tables: dict[str, pd.DataFrame], atlas: str, scaling: str
) -> tuple[Quantity, list[Quantity]]:
    """Return the measured dimension of the data, and all that may follow from it.

    ``atlas`` and ``scaling`` name the tables of the networks at one number of rows, and over
    several.
    """
    one = tables[atlas]
    data = Quantity(
        "data_dimension", "ID of the data", _grid(one, "data_dimension", "dimension"), log=True
    )
    exponents = Quantity(
        "scaling_exponent", "exponent of error\nin rows", _exponents(tables[scaling]), log=False
    )
    return data, [exponents, *_at_one_size(one)]


def rank_correlation(left: Quantity, right: Quantity) -> Interval | None:
    """Return Spearman's correlation over m of the means over seeds, with its bootstrap interval.

    None where it is undefined: fewer than three dimensions or two seeds, or values that are equal.
    """
    dims = left.values.index.intersection(right.values.index)
    seeds = left.values.columns.intersection(right.values.columns)
    if len(dims) < 3:
        return None

    def statistic(chosen: npt.NDArray[np.int64]) -> float:
        x, y = (part.values.loc[dims, chosen].mean(axis=1) for part in (left, right))
        if x.nunique() == 1 or y.nunique() == 1:
            return float("nan")
        return spearman(x, y)

    try:
        return bootstrap_over_seeds(statistic, seeds.to_numpy())
    except EstimationError:
        return None


def _at_one_size(table: pd.DataFrame) -> Iterator[Quantity]:
    for measure, quantity, label, scale in _COMPARED:
        yield Quantity(measure, label, _grid(table, measure, quantity), log=scale == "log")


_COMPARED: list[tuple[str, str, str, Literal["log", "linear"]]] = [
    ("generalization", "test_error", "test error", "log"),
    ("representation_dimension", "dimension", "ID of the\nlast hidden layer", "log"),
    ("prunability", "remaining_weights", "weights left\nby pruning", "log"),
    ("smallest_subspace", "dimension", "smallest subspace\nto train in", "log"),
    ("robustness", "loss_increase", "loss added by\nadversarial step (nats)", "linear"),
]


def _grid(table: pd.DataFrame, measure: str, quantity: str) -> pd.DataFrame:
    rows = select(table, measure, quantity)
    return rows.pivot_table(index=DIM, columns="seed", values="value")


def _exponents(table: pd.DataFrame) -> pd.DataFrame:
    """Fit each seed's power law of test error in N; their mean is the slope of geometric means."""
    rows = select(table, "generalization", "test_error")
    rows = rows[rows["value"] > 0]
    cells = [
        (dim, seed, fit_power_law(line[SIZE], line["value"]).exponent)
        for (dim, seed), line in rows.groupby([DIM, "seed"])
        if line[SIZE].nunique() > 1
    ]
    return pd.DataFrame(cells, columns=[DIM, "seed", "value"]).pivot(
        index=DIM, columns="seed", values="value"
    )
