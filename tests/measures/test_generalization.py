import numpy as np
import pytest
from scipy.special import log_softmax

from dimlaws.data.realization import Realization
from dimlaws.measures.batch import TrainedBatch
from dimlaws.measures.generalization import generalization
from dimlaws.measures.representation import penultimate
from dimlaws.models.mlp import MLP
from dimlaws.training.engine import train
from dimlaws.training.recipe import Recipe
from dimlaws.training.runs import EnsembleData, Run

MODEL = MLP(width=9, depth=1)
SIZES = (10, 300)


def make_batch(regression=False, rates=(0.01, 0.02), loss="cross_entropy"):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((700, 4)).astype(np.float32)
    y = x[:, :2].copy() if regression else (x[:, :3].argmax(1))
    parts = [Realization(x, y, np.arange(n), np.arange(400, 400 + n)) for n in SIZES]
    data = EnsembleData.of(parts, 2 if regression else 3)
    runs = [
        Run(f"r{m}", m, Recipe("sgd", rate, loss=loss, steps=30, batch_size=16))
        for m, rate in enumerate(rates)
    ]
    return TrainedBatch(runs, data, MODEL, train(MODEL, data, runs)), parts


def network(batch, m, x):
    params = {k: v[m].numpy().astype(float) for k, v in batch.trained.params.items()}
    hidden = np.maximum(x @ params["layer0.weight"] + params["layer0.bias"], 0)
    return hidden @ params["layer1.weight"] + params["layer1.bias"], hidden


def values(rows, run):
    return {row["quantity"]: row["value"] for row in rows if row["run"] == run}


def test_classification_equals_numpy_in_float64():
    batch, parts = make_batch()
    rows = generalization(batch)
    for m, part in enumerate(parts):
        expected = {}
        for split, index in (("train", part.train), ("test", part.test)):
            output, _ = network(batch, m, part.x[index])
            y = part.y[index]
            expected[f"{split}_loss"] = -log_softmax(output, axis=1)[np.arange(len(y)), y].mean()
            expected[f"{split}_error"] = (output.argmax(1) != y).mean()
        expected["gap"] = expected["test_loss"] - expected["train_loss"]
        expected["error_gap"] = expected["test_error"] - expected["train_error"]
        expected["diverged_step"] = -1
        expected["parameters"] = (4 + 1) * 9 + (9 + 1) * 3
        assert values(rows, f"r{m}") == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_regression_has_losses_and_no_errors():
    batch, parts = make_batch(regression=True, loss="mse")
    rows = generalization(batch)
    for m, part in enumerate(parts):
        losses = [
            ((network(batch, m, part.x[index])[0] - part.y[index]) ** 2).mean()
            for index in (part.train, part.test)
        ]
        expected = {
            "train_loss": losses[0],
            "test_loss": losses[1],
            "gap": losses[1] - losses[0],
            "diverged_step": -1,
            "parameters": (4 + 1) * 9 + (9 + 1) * 2,
        }
        assert values(rows, f"r{m}") == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_a_diverged_run_is_nan_with_its_step():
    batch, _ = make_batch(rates=(0.01, 1e30), loss="mse")
    rows = generalization(batch)
    healthy, lost = values(rows, "r0"), values(rows, "r1")
    assert lost.pop("diverged_step") == batch.trained.diverged_step[1] >= 0
    assert lost.pop("parameters") == healthy["parameters"]
    assert np.isnan(list(lost.values())).all()
    assert np.isfinite(list(healthy.values())).all()


def test_penultimate_are_the_hidden_activations_of_test_rows():
    batch, parts = make_batch()
    features = np.stack([penultimate(batch, m, "test", 10) for m in range(len(batch.runs))])
    assert features.shape == (2, 10, 9)
    for m, part in enumerate(parts):
        expected = network(batch, m, part.x[part.test[:10]])[1]
        np.testing.assert_allclose(features[m], expected, rtol=1e-5, atol=1e-6)
        every = penultimate(batch, m, "train", None)
        assert every.shape == (len(part.train), 9)
        np.testing.assert_allclose(
            every, network(batch, m, part.x[part.train])[1], rtol=1e-5, atol=1e-6
        )
        assert len(penultimate(batch, m, "test", 10_000)) == len(part.test)


def test_penultimate_of_many_rows_is_chunked():
    batch, parts = make_batch()
    alone = TrainedBatch(batch.runs[1:], batch.data.select([1]), MODEL, batch.trained.select([1]))
    expected = network(alone, 0, parts[1].x[parts[1].test])[1]
    np.testing.assert_allclose(penultimate(alone, 0, "test", 300), expected, rtol=1e-5, atol=1e-6)


def test_data_alone_cannot_be_generalized_from():
    batch, _ = make_batch()
    with pytest.raises(ValueError, match="needs trained networks"):
        generalization(TrainedBatch(batch.runs, batch.data))
