"""Figures of trees, limits and margins of embeddings, from small tables."""

import itertools
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from dimlaws.errors import EstimationError
from dimlaws.figures import embedding_limit, hyperbolic_tree_embedding, retrieval_margin
from dimlaws.figures.style import STYLE


def grid(measure, quantities, **keys):
    """Return a table of random positive values, three seeds for each combination."""
    rng = np.random.default_rng(0)
    names = ["quantity", *(name.replace("__", ".") for name in keys), "seed"]
    points = itertools.product(quantities, *keys.values(), range(3))
    rows = [{**dict(zip(names, point, strict=True)), "value": rng.random()} for point in points]
    return pd.DataFrame(rows).assign(measure=measure)


TREES, LIMIT, MARGIN = "hyperbolic_tree_embedding", "embedding_limit", "retrieval_margin"
BITS = ["bits", "predicted_bits"]
CASES = {
    hyperbolic_tree_embedding: pd.concat(
        [
            grid(TREES, BITS, study__tree=["binary", "random"], depth=[2, 3], dim=[2]),
            grid(TREES, BITS, study__tree=["double_star"], depth=[2], dim=[2, 3]),
            grid(TREES, ["euclidean_dim"], study__tree=["binary", "random", "double_star"]),
        ]
    ),
    embedding_limit: pd.concat(
        [
            grid(LIMIT, ["critical_documents", "fitted_documents"], study__dim=[3, 4]),
            grid(LIMIT, ["curve_gap"], study__dim=[4], documents=[10, 20]),
        ]
    ),
    retrieval_margin: pd.concat(
        [
            grid(MARGIN, ["dimension_constant"], relevant=[1, 2], documents=[16, 32]),
            grid(
                MARGIN,
                ["margin"],
                relevant=[1, 2],
                documents=[16],
                dim=[6, 12],
                loss=["infonce", "sigmoid"],
            ),
        ]
    ),
}


@pytest.mark.parametrize("module", CASES, ids=lambda module: module.__name__)
def test_draws_every_cell(module):
    with plt.rc_context(STYLE), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure, drawn = module.draw({"experiment": CASES[module]})
        figure.canvas.draw()
        plt.close(figure)
    cells = CASES[module].drop(columns=["seed", "value"]).drop_duplicates()
    means = drawn[drawn["quantity"].isin(set(cells["quantity"]))]
    assert len(means) == len(cells)
    with pytest.raises(EstimationError, match="nothing to draw"):
        module.draw({"experiment": CASES[module].assign(measure="other")})
