import itertools
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dimlaws.data.realization import Realization
from dimlaws.errors import ConfigError
from dimlaws.measures.activation_codes import activation_codes, code_accuracies, redundancy
from dimlaws.measures.batch import TrainedBatch
from dimlaws.models.mlp import MLP
from dimlaws.training.engine import train
from dimlaws.training.recipe import Recipe
from dimlaws.training.runs import EnsembleData, Run

MODEL = MLP(width=12, depth=1)


def make_batch(model=MODEL, steps=150, y=None):
    """Two runs with test rows of their own."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((500, 5)).astype(np.float32)
    y = x[:, :3].argmax(1) if y is None else y
    orders = [rng.permutation(500) for _ in range(2)]
    parts = [Realization(x, y, order[:350], order[350:]) for order in orders]
    data = EnsembleData.of(parts, 3 if y.ndim == 1 else 1)
    loss = "cross_entropy" if y.ndim == 1 else "mse"
    recipe = Recipe(steps=steps, learning_rate=0.02, snapshot_steps=[0], loss=loss)
    runs = [Run(f"r{seed}", seed, recipe) for seed in (3, 11)]
    return TrainedBatch(runs, data, model, train(model, data, runs)), parts


def bits(params, run, x):
    """Codes of a network, by NumPy."""
    weight, bias = (params[f"layer0.{part}"][run].numpy() for part in ("weight", "bias"))
    return x @ weight + bias > 0


def slow_redundancy(codes):
    return 1 - len({tuple(code) for code in codes.tolist()}) / len(codes)


def vote(codes, labels, code, label, k):
    """Whether ``label`` surely wins, and may win, whichever equally distant rows are the last."""
    distances = (codes != code).sum(1)
    last = np.sort(distances)[k - 1]
    inside, edge = labels[distances < last], labels[distances == last]
    if math.comb(len(edge), k - len(inside)) > 2000:
        return False, True
    wins = set()
    for chosen in set(itertools.combinations(edge.tolist(), k - len(inside))):
        count = Counter([*inside.tolist(), *chosen])
        best = max(count.values())
        wins.add(count[label] == best)
        wins.add(count[label] == best and list(count.values()).count(best) == 1)
    return wins == {True}, True in wins


def test_against_plain_loops():
    batch, parts = make_batch()
    found = {
        (row["run"], row["quantity"], row.get("moment")): row["value"]
        for row in activation_codes(batch, neighbors=5)
    }
    trained = batch.trained
    for place, (run, part) in enumerate(zip(batch.runs, parts, strict=True)):
        x_train, x_test = part.x[part.train], part.x[part.test]
        y_train, y_test = part.y[part.train], part.y[part.test]
        for moment, params in (("start", trained.snapshots[0]), ("end", trained.params)):
            expected = slow_redundancy(bits(params, place, x_train))
            assert found[run.id, "redundancy", moment] == pytest.approx(expected)
        codes = bits(trained.params, place, x_train)
        sure = possible = 0
        for code, label in zip(bits(trained.params, place, x_test), y_test, strict=True):
            right = vote(codes, y_train, code, label, 5)
            sure, possible = sure + right[0], possible + right[1]
        assert sure < possible
        nearby = found[run.id, "neighbor_accuracy", None]
        assert sure / len(y_test) <= nearby <= possible / len(y_test)
        hidden = np.maximum(
            x_test @ trained.params["layer0.weight"][place].numpy()
            + trained.params["layer0.bias"][place].numpy(),
            0,
        )
        output = hidden @ trained.params["layer1.weight"][place].numpy()
        output += trained.params["layer1.bias"][place].numpy()
        network = np.mean(output.argmax(1) == y_test)
        assert found[run.id, "network_accuracy", None] == pytest.approx(network)
        assert found[run.id, "neighbor_shortfall", None] == pytest.approx(network - nearby)


def test_codes_that_are_the_classes():
    labels = np.arange(60) % 4
    codes = np.eye(4, dtype=bool)[labels]
    assert redundancy(codes) == pytest.approx(56 / 60)
    found = code_accuracies((codes, labels), (codes, labels), 9, 0)
    assert found == {f"{name}_accuracy": 1.0 for name in ("neighbor", "logistic", "cluster")}


def test_codes_that_say_nothing():
    labels = np.repeat([0, 1], [40, 20])
    codes = np.zeros((60, 3), dtype=bool)
    assert redundancy(codes) == pytest.approx(59 / 60)
    found = code_accuracies((codes, labels), (codes, labels), 60, 0)
    assert list(found.values()) == pytest.approx([40 / 60] * 3)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 40), st.integers(1, 20), st.integers(0, 1000))
def test_redundancy_ignores_order_and_meaning_of_bits(rows, units, seed):
    rng = np.random.default_rng(seed)
    codes = rng.random((rows, units)) < 0.5
    expected = slow_redundancy(codes)
    flipped = codes ^ (rng.random(units) < 0.5)
    shuffled = flipped[rng.permutation(rows)][:, rng.permutation(units)]
    assert redundancy(codes) == pytest.approx(expected)
    assert redundancy(shuffled) == pytest.approx(expected)


def test_a_diverged_run_leaves_its_neighbour_alone():
    batch, _ = make_batch(steps=5)
    params = {name: value.clone() for name, value in batch.trained.params.items()}
    for value in params.values():
        value[0] = torch.nan
    broken = replace(batch, trained=replace(batch.trained, params=params))
    whole, found = activation_codes(batch), activation_codes(broken)
    start = [row["value"] for row in found if row.get("moment") == "start"]
    assert np.isfinite(start).all()
    for row, expected in zip(found, whole, strict=True):
        if row["run"] == "r11":
            assert row == expected
        elif row.get("moment") != "start":
            assert np.isnan(row["value"])


@pytest.mark.parametrize("model", [MLP(width=4, depth=2), MLP(width=4, depth=1, activation="tanh")])
def test_other_networks_are_refused(model):
    batch, _ = make_batch(model, steps=2)
    with pytest.raises(ConfigError, match="an MLP of depth 1"):
        activation_codes(batch)


def test_numbers_for_labels_are_refused():
    y = np.random.default_rng(0).standard_normal((500, 1)).astype(np.float32)
    batch, _ = make_batch(y=y, steps=2)
    with pytest.raises(ConfigError, match="class labels"):
        activation_codes(batch)
