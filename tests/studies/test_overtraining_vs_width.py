import numpy as np
import pandas as pd
import pytest

from dimlaws.errors import ConfigError
from dimlaws.models.mlp import MLP
from dimlaws.studies.overtraining_vs_width import initial, noisy_teacher, overtraining_vs_width
from dimlaws.training.engine import train
from dimlaws.training.evaluation import evaluate
from dimlaws.training.recipe import Recipe
from dimlaws.training.runs import EnsembleData, Run

SMALL = {
    "widths": [6, 3],
    "rows": 32,
    "inputs": 5,
    "teacher_width": 3,
    "snr": 2.0,
    "initial_scale": 0.5,
    "steps": 60,
    "learning_rate": 0.02,
}


@pytest.fixture(scope="module")
def table():
    return pd.DataFrame(overtraining_vs_width(0, **SMALL))


def test_records(table):
    found = table[table["step"].isna()].set_index(["quantity", "width"])["value"]
    assert found["parameters_per_row", 3] == pytest.approx(3 * 6 / 32)
    curves = table[table["quantity"] == "error"].pivot(index="step", columns="width")["value"]
    assert curves.index[0] == 0
    assert curves.index[-1] == 60
    for width in (3, 6):
        assert found["final_error", width] == curves[width].iloc[-1]
        assert found["lowest_error", width] == curves[width].min()
        ratio = found["final_error", width] / found["lowest_error", width]
        assert found["overtraining", width] == pytest.approx(ratio)
        training = table[(table["quantity"] == "training_error") & (table["width"] == width)]
        assert found["final_training_error", width] == training["value"].iloc[-1]
        assert training["value"].iloc[-1] < 0.8 * training["value"].iloc[0]


def test_a_student_learns_what_it_would_alone(table):
    """A padded student of width 3 ends where one of that width does, trained by itself."""
    data = EnsembleData.of([noisy_teacher(0, 32, 5, 3, 2.0)], 1)
    recipe = Recipe(loss="mse", batch_size=32, steps=60, schedule="constant", learning_rate=0.02)
    model = MLP(width=3, depth=1, bias=False)
    start = {name: value[None] for name, value in initial(0, 3, 5, 0.5).items()}
    trained = train(model, data, [Run("alone", 0, recipe)], start=start)
    last = table[(table["quantity"] == "final_error") & (table["width"] == 3)]["value"].item()
    assert evaluate(model, trained.params, data, "test", "mse").loss[0] == pytest.approx(last)


def test_labels_are_a_teacher_and_noise():
    """Noise has the stated variance: labels of variance 1 + 1/SNR, and less noise, less of it."""
    clean, noisy = (noisy_teacher(0, 32, 5, 3, snr) for snr in (1e12, 2.0))
    np.testing.assert_array_equal(clean.x, noisy.x)
    labels = clean.y[clean.test]
    assert labels.mean() == pytest.approx(0, abs=1e-5)
    assert labels.var() == pytest.approx(1, rel=1e-4)
    noise = (noisy.y - clean.y)[noisy.test]
    # The relative standard error of a variance over n rows is sqrt(2 / n).
    assert noise.var() == pytest.approx(0.5, rel=4 * np.sqrt(2 / len(noise)))
    assert len(noisy.train) == 32


def test_refused():
    with pytest.raises(ConfigError, match="24 or more"):
        overtraining_vs_width(0, **{**SMALL, "steps": 10})
