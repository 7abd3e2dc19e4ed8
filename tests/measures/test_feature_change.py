"""Changes of features and weights, against a slow loop and values known by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dimlaws.data.realization import Realization
from dimlaws.errors import ConfigError
from dimlaws.measures.batch import TrainedBatch
from dimlaws.measures.feature_change import feature_change, relative_change, spectral_norm
from dimlaws.models.mlp import MLP
from dimlaws.training.engine import train
from dimlaws.training.recipe import Recipe
from dimlaws.training.runs import EnsembleData, Run
from dimlaws.training.trained import Trained

INPUTS, WIDTH, CLASSES, ROWS = 6, 9, 3, 20
MODEL = MLP(width=WIDTH, depth=2)


def data(runs):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2 * ROWS, INPUTS)).astype(np.float32)
    y = rng.integers(0, CLASSES, 2 * ROWS)
    part = Realization(x, y, np.arange(ROWS), np.arange(ROWS, 2 * ROWS))
    return EnsembleData.of([part] * runs, CLASSES), x


def values(records, run, quantity, layer=None):
    rows = [r for r in records if r["run"] == run and r["quantity"] == quantity]
    return next(r["value"] for r in rows if r.get("layer") == layer)


def test_of_trained_networks_it_is_that_of_a_slow_loop():
    recipe = Recipe(optimizer="sgd", learning_rate=0.3, steps=5, batch_size=ROWS)
    runs = [Run(name, seed, recipe) for seed, name in enumerate("ab")]
    pool, x = data(2)
    trained = train(MODEL, pool, runs)
    batch = TrainedBatch(runs, pool, MODEL, trained)
    records = feature_change(batch, split="test", rows=7)
    for place, run in enumerate("ab"):
        hidden = []
        for params in (trained.snapshots[0], trained.params):
            h = x[ROWS : ROWS + 7].astype(np.float64)
            for layer in ("layer0", "layer1"):
                weight, bias = (params[f"{layer}.{n}"][place].numpy() for n in ("weight", "bias"))
                h = np.maximum(h @ weight + bias, 0)
            hidden.append(h)
        expected = np.sqrt(np.sum((hidden[1] - hidden[0]) ** 2) / np.sum(hidden[0] ** 2))
        assert values(records, run, "feature_change") == pytest.approx(expected, rel=1e-4)
        for layer, (fan_in, fan_out) in {
            "layer0": (INPUTS, WIDTH),
            "layer1": (WIDTH, WIDTH),
            "layer2": (WIDTH, CLASSES),
        }.items():
            name = f"{layer}.weight"
            initial, final = (
                p[name][place].numpy() for p in (trained.snapshots[0], trained.params)
            )
            norm, update = (np.linalg.norm(w, 2) for w in (initial, final - initial))
            unit = np.sqrt(fan_out / fan_in)
            assert values(records, run, "weight_norm", layer) == pytest.approx(norm / unit, 1e-4)
            assert values(records, run, "update_norm", layer) == pytest.approx(update / unit, 1e-4)
            relative = values(records, run, "relative_update", layer)
            assert relative == pytest.approx(update / norm, rel=1e-4)


def test_doubled_weights_and_diverged_runs():
    """With twice the weights of the last hidden layer and no biases, features change by 1."""
    model = MLP(width=WIDTH, depth=2, bias=False)
    start = model.init(np.random.default_rng(0), (INPUTS,), CLASSES)
    start = {name: torch.stack([value, value]) for name, value in start.items()}
    final = {name: value.clone() for name, value in start.items()}
    final["layer1.weight"][0] *= 2
    final["layer1.weight"][1] = torch.nan
    ends = np.zeros((2, 1), np.int64), np.zeros((2, 1)), np.array([-1, 3])
    trained = Trained(final, {0: start}, *ends)
    runs = [Run(name, 0, Recipe()) for name in "ab"]
    pool, _ = data(2)
    records = feature_change(TrainedBatch(runs, pool, model, trained))
    assert values(records, "a", "feature_change") == pytest.approx(1, rel=1e-6)
    assert values(records, "a", "relative_update", "layer1") == pytest.approx(1, rel=1e-6)
    assert values(records, "a", "update_norm", "layer0") == 0
    assert np.isnan(values(records, "b", "feature_change"))
    assert np.isnan(values(records, "b", "update_norm", "layer1"))
    with pytest.raises(ConfigError, match="needs the untrained networks"):
        feature_change(TrainedBatch(runs, pool, model, Trained(final, {}, *ends)))


@settings(max_examples=10, deadline=None)
@given(rows=st.integers(1, 12), columns=st.integers(1, 12), scale=st.floats(0.01, 100))
def test_spectral_norm_is_the_largest_singular_value(rows, columns, scale):
    matrix = np.random.default_rng(rows).normal(size=(rows, columns)) * scale
    expected = np.linalg.svd(matrix, compute_uv=False)[0]
    assert spectral_norm(matrix.astype(np.float32)) == pytest.approx(expected, rel=1e-4)


def test_spectral_norm_of_large_matrices():
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(300, 400)).astype(np.float32)
    assert spectral_norm(matrix) == pytest.approx(np.linalg.norm(matrix, 2), rel=2e-4)
    thin = np.outer(rng.normal(size=300), rng.normal(size=400)).astype(np.float32)
    assert spectral_norm(thin) == pytest.approx(np.linalg.norm(thin), rel=1e-4)
    assert spectral_norm(np.zeros((300, 400), np.float32)) == 0
    assert np.isnan(spectral_norm(np.full((3, 3), np.inf, np.float32)))
    assert np.isnan(relative_change(np.zeros((2, 2), np.float32), np.ones((2, 2), np.float32)))
