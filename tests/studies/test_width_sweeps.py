"""Feature change and best learning rates over widths: known limits, and the claims' figure."""

import math

import numpy as np
import pandas as pd
import pytest

from dimlaws.errors import ConfigError
from dimlaws.figures.feature_change_vs_width import draw
from dimlaws.studies.digits import digits
from dimlaws.studies.feature_change_vs_width import feature_change_vs_width
from dimlaws.studies.learning_rate_transfer import learning_rate_transfer

RATES = {"mup": 0.02, "standard": 0.3, "ntk": 3.0}
LEARNING = {"learning_rates": [0.03, 0.3, 30.0], "rows": 100, "steps": 8, "batch_size": 16}


def change(seed, width, kind):
    records = feature_change_vs_width(
        seed, width=width, parametrization=kind, learning_rate=RATES[kind], rows=50
    )
    return next(r["value"] for r in records if r["quantity"] == "feature_change")


def test_mup_is_standard_at_the_base_width():
    shared = {"width": 32, "base_width": 32, "rows": 20, "learning_rate": 0.1}
    kinds = [
        feature_change_vs_width(3, parametrization=kind, **shared) for kind in ("mup", "standard")
    ]
    assert kinds[0] == kinds[1]
    shared = {**LEARNING, "width": 32, "base_width": 32}
    kinds = [
        learning_rate_transfer(3, parametrization=kind, **shared) for kind in ("mup", "standard")
    ]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize(("kind", "exponent"), [("mup", 0.0), ("ntk", -0.5)])
def test_exponents_of_feature_change(kind, exponent):
    """Theory's exponents in the width, to 0.25 for two widths and three seeds."""
    means = [
        np.mean([np.log(change(seed, width, kind)) for seed in (100, 101, 102)])
        for width in (64, 256)
    ]
    assert (means[1] - means[0]) / np.log(4) == pytest.approx(exponent, abs=0.25)


def test_rates_of_one_ensemble_train_as_alone():
    together = learning_rate_transfer(5, width=16, **LEARNING)
    alone = learning_rate_transfer(5, width=16, **{**LEARNING, "learning_rates": [0.3]})
    assert alone[0]["value"] == pytest.approx(together[1]["value"], rel=1e-5)
    assert together[0]["value"] < math.log(10)
    assert together[2] == {
        "learning_rate": 30.0,
        "quantity": "train_loss",
        "value": pytest.approx(math.log(10)),
    }


def test_digits_are_the_rows_of_a_seed():
    few, more = (digits(1, rows).train[0] for rows in (10, 40))
    assert (few == more[:10]).all()
    assert not (few == digits(2, 10).train[0]).all()
    data = digits(1, 100, runs=2)
    assert len(data) == 2
    assert len(data.test[0]) == 1697
    assert not set(data.train[0]) & set(data.test[0])
    assert float(data.x.max()) == 1
    with pytest.raises(ConfigError, match="1 to 1796"):
        digits(0, 1797)


def test_figure():
    changes, rates = [], []
    for width in (16, 32):
        for kind, rate in RATES.items():
            index = {"study.width": width, "study.parametrization": kind}
            options = {"width": width, "parametrization": kind}
            rows = feature_change_vs_width(0, learning_rate=rate, rows=20, **options)
            changes += [{**index, **row} for row in rows]
            rows = learning_rate_transfer(0, **LEARNING, **options)
            rates += [{**index, **row} for row in rows]
    figure, drawn = draw(
        {
            "a": pd.DataFrame(changes).assign(measure="feature_change_vs_width"),
            "b": pd.DataFrame(rates).assign(measure="learning_rate_transfer"),
        },
        changes="a",
        rates="b",
    )
    assert len(figure.axes) == 4
    assert set(drawn["quantity"]) == {"feature_change", "update_norm", "train_loss"}
