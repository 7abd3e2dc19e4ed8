"""Figures of linear students and of overtraining: what is drawn is what the studies recorded."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from dimlaws.figures import linear_generalization_dynamics, overtraining_vs_width
from dimlaws.figures.style import STYLE
from dimlaws.studies.linear_generalization_dynamics import linear_generalization_dynamics as study
from dimlaws.theory.linear_dynamics import generalization_error


@pytest.fixture(autouse=True)
def clean():
    with plt.style.context(STYLE):
        yield
    plt.close("all")


def test_linear_generalization_dynamics():
    options = {"alphas": [0.5, 1.0, 2.0], "times": [1.0, 10.0], "snrs": [5.0], "inrs": [0.0]}
    seeds = [study(seed, **options, weights=20, draws=1) for seed in range(3)]
    rows = pd.concat([pd.DataFrame(records).assign(seed=i) for i, records in enumerate(seeds)])
    rows["measure"] = "linear_generalization_dynamics"
    figure, drawn = linear_generalization_dynamics.draw({"a": rows})
    assert len(figure.axes) == 4
    errors = drawn[(drawn["quantity"] == "error") & (drawn["panel"] == "time")]
    own = rows[rows["quantity"] == "error"].groupby(["alpha", "time"])["value"].mean()
    np.testing.assert_allclose(errors.set_index(["alpha", "time"])["mean"], own)
    curve = drawn[(drawn["panel"] == "time") & (drawn["quantity"] == "predicted_error")]
    for alpha, points in curve.groupby("alpha"):
        known = generalization_error(points["time"], alpha, 5.0, 0.0)
        np.testing.assert_allclose(points["mean"], known)
    # The theory at t = inf has a gap at alpha = 1, where it diverges.
    final = drawn[drawn["quantity"] == "predicted_final_error"]
    assert np.abs(final["alpha"] - 1).min() > 0.004
    assert {"stopping_time", "stopped_error", "final_error"} <= set(drawn["quantity"])


def test_overtraining_vs_width():
    keys = [(width, scale, seed) for width in (2, 4, 6) for scale in (0.1, 1.0) for seed in (0, 1)]
    values = {
        "final_error": lambda width, seed: width * 2.0**seed,
        "lowest_error": lambda width, seed: 1.0,
        "overtraining": lambda width, seed: width * 2.0**seed,
        "parameters_per_row": lambda width, seed: width / 4,
    }
    rows = [
        {"width": w, "study.initial_scale": scale, "seed": s, "quantity": name, "value": f(w, s)}
        for w, scale, s in keys
        for name, f in values.items()
    ]
    table = pd.DataFrame(rows).assign(measure="overtraining_vs_width")
    figure, drawn = overtraining_vs_width.draw({"a": table})
    left, right = figure.axes
    final = drawn[(drawn["quantity"] == "final_error") & (drawn["study.initial_scale"] == 0.1)]
    np.testing.assert_allclose(final["mean"], np.sqrt(2) * final["width"])
    for axes in (left, right):
        (line,) = [line for line in axes.get_lines() if line.get_linestyle() == ":"]
        assert set(line.get_xdata()) == {4.0}
        assert [text.get_text() for text in axes.get_xticklabels()] == ["2", "4"]
