"""Figures that compare a simulation with a closed form draw the means of what studies return."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from dimlaws.figures import initialization_kurtosis as kurtosis_figure
from dimlaws.figures import number_formats as formats_figure
from dimlaws.figures import representation_game as game_figure
from dimlaws.figures.style import STYLE
from dimlaws.studies.initialization_kurtosis import initialization_kurtosis
from dimlaws.studies.number_formats import number_formats
from dimlaws.studies.representation_game import representation_game


def table(study, fixed, **axes):
    rows = []
    for seed, *point in itertools.product(range(2), *axes.values()):
        at = dict(zip(axes, point, strict=True))
        index = {"seed": seed, **{f"study.{name}": value for name, value in at.items()}}
        rows += [{**index, **record} for record in study(seed, **at, **fixed)]
    return pd.DataFrame(rows).assign(measure=study.__name__)


PUBLISHED = {name: [4.0, 5.0] for name in ("optimized", "e2m1", "int4", "e3m0")}

FIGURES = {
    "game": (
        game_figure.draw,
        lambda: table(representation_game, {"dim": 3, "games": 2}, rank=[1, 2]),
        {},
        ("largest_error", {"strategy": "mixed", "study.rank": 1}),
    ),
    "kurtosis": (
        kurtosis_figure.draw,
        lambda: table(
            initialization_kurtosis,
            {"depths": [1, 2], "precision": 0.5},
            width=[8, 16],
            activation=["relu", "linear"],
        ),
        {},
        ("log_moment_ratio", {"study.width": 8, "study.activation": "linear", "depth": 2}),
    ),
    "formats": (
        formats_figure.draw,
        lambda: table(number_formats, {"directions": 10}, dim=[4, 8]),
        {"dims": [4, 8], "published": PUBLISHED},
        ("worst_angle", {"alphabet": "e2m1", "scaling": "nearest", "study.dim": 4}),
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_numbers_are_the_means_of_the_records(name):
    draw, make, keys, (quantity, where) = FIGURES[name]
    records = make()
    with plt.rc_context(STYLE):
        figure, numbers = draw({"a": records}, **keys)
        figure.canvas.draw()
        plt.close(figure)
    drawn, given = (
        rows[
            (rows["quantity"] == quantity)
            & np.all([rows[key] == value for key, value in where.items()], axis=0)
        ]
        for rows in (numbers, records)
    )
    assert drawn["mean"].tolist() == pytest.approx([given["value"].mean()])
