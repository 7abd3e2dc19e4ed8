"""Figures of local kernels, index models and classifiers draw the numbers of their records."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from dimlaws.figures import kernel_locality, small_sample_classifiers, stein_index_models
from dimlaws.figures.style import STYLE
from dimlaws.studies.kernel_locality import kernel_locality as locality
from dimlaws.studies.small_sample_classifiers import small_sample_classifiers as classifiers
from dimlaws.studies.stein_index_models import stein_index_models as index_models


def table(study, **options):
    rows = [
        {"seed": seed, "measure": study.__name__, **record}
        for seed in range(2)
        for record in study(seed, **options)
    ]
    return pd.DataFrame(rows)


def local_tables():
    options = {"rows": [8, 16, 32], "patches": [1, 2], "test_rows": 8}
    parts = [table(locality, angles=m, **options).assign(**{"study.angles": m}) for m in (3, 4)]
    return {"a": pd.concat(parts, ignore_index=True)}


def index_tables():
    return {"a": table(index_models, rows=[50, 100], dims=[8, 16])}


def classifier_tables():
    return {"a": table(classifiers, dims=[5, 50], scale_gaps=[0.5, 2.0], repeats=2)}


CASES = [
    (kernel_locality.draw, local_tables, 2),
    (stein_index_models.draw, index_tables, 4),
    (small_sample_classifiers.draw, classifier_tables, 3),
]


@pytest.mark.parametrize(("draw", "tables", "panels"), CASES, ids=lambda case: None)
def test_draws_from_records(draw, tables, panels):
    with plt.rc_context(STYLE):
        figure, numbers = draw(tables())
    assert len(figure.axes) == panels
    assert np.isfinite(numbers["mean"]).all()
    for axes in figure.axes:
        assert axes.get_xlabel()
        assert axes.get_title()
    plt.close(figure)
