"""Figures of the capacity of codes draw from small tables, and return the numbers drawn."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from dimlaws.figures import (
    dense_retrieval_curse,
    packing_capacity,
    precision_recall_asymmetry,
    vector_symbolic_capacity,
)
from dimlaws.figures.style import STYLE
from dimlaws.studies.dense_retrieval_curse import dense_retrieval_curse as retrieval
from dimlaws.studies.packing_capacity import packing_capacity as packing
from dimlaws.studies.precision_recall_asymmetry import precision_recall_asymmetry as asymmetry
from dimlaws.studies.vector_symbolic_capacity import vector_symbolic_capacity as bundles

SUPPORTS = [{"support": "sphere"}, {"support": "cube"}]
CASES = {
    "retrieval": (
        dense_retrieval_curse.draw,
        retrieval,
        {"dims": [4, 8], "index_sizes": [2, 50], "loss_range": [2, 50], "queries": 40},
        [{}],
    ),
    "packing": (
        packing_capacity.draw,
        packing,
        {"vectors": [12, 20], "dims": [4, 6], "steps": 3},
        [{}],
    ),
    "asymmetry": (
        precision_recall_asymmetry.draw,
        asymmetry,
        {"dims": [2, 8], "offsets": [0.0, 0.2], "rows": 12},
        SUPPORTS,
    ),
    "bundles": (
        lambda tables: vector_symbolic_capacity.draw(tables, published=0.138),
        bundles,
        {"items": [5, 9], "loads": [0.05, 0.5], "tests": 400, "neurons": 60, "error": 0.1},
        [{}],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_draws_what_it_returns(case):
    draw, study, options, points = CASES[case]
    rows = [
        {
            "seed": seed,
            "measure": study.__name__,
            **{f"study.{k}": v for k, v in point.items()},
            **r,
        }
        for seed in range(2)
        for point in points
        for r in study(seed, **point, **options)
    ]
    with plt.style.context(STYLE):
        figure, drawn = draw({"a": pd.DataFrame(rows)})
    assert {"mean", "low", "high", "quantity"} <= set(drawn)
    assert drawn["mean"].notna().all()
    assert all(axes.has_data() and axes.get_xlabel() for axes in figure.axes[-2:])
    plt.close(figure)
