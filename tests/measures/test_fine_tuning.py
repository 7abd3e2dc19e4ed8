from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from dimlaws.data.manifolds import Manifold
from dimlaws.errors import ConfigError
from dimlaws.measures.batch import TrainedBatch
from dimlaws.measures.fine_tuning import fine_tuning
from dimlaws.models.mlp import MLP
from dimlaws.seeds import stream
from dimlaws.training.engine import train
from dimlaws.training.evaluation import evaluate
from dimlaws.training.recipe import Recipe
from dimlaws.training.runs import EnsembleData, Run

MODEL = MLP(width=10)
DATA = {"intrinsic_dim": 2, "ambient_dim": 6, "test_size": 400, "task": "classification"}
TARGET = {"_target_": "dimlaws.data.manifolds.Manifold", **DATA, "train_size": 256}
RECIPE = Recipe(learning_rate=0.01, steps=40, batch_size=32, snapshot_steps=[0, 15])
OPTIONS = {"target": TARGET, "dims": [8, 32], "learning_rates": [0.01], "steps": 30}


def make_batch(recipe=RECIPE, seeds=(0, 1), **data):
    data_set = Manifold(**{**DATA, "kind": "torus", "train_size": 300, **data})
    runs = [Run(f"r{seed}", seed, recipe) for seed in seeds]
    values = EnsembleData.of([data_set.realize(seed) for seed in seeds], data_set.outputs)
    return TrainedBatch(runs, values, MODEL, train(MODEL, values, runs))


@pytest.fixture(scope="module")
def batch():
    return make_batch()


@pytest.fixture(scope="module")
def table(batch):
    return pd.DataFrame(fine_tuning(batch, **OPTIONS))


def value(table, quantity, run="r0", **index):
    rows = table[(table["quantity"] == quantity) & (table["run"] == run)]
    for name, wanted in index.items():
        rows = rows[rows[name] == wanted]
    (found,) = rows["value"]
    return found


def test_every_stage_of_pretraining_is_measured(table, batch):
    assert set(table["pretraining_steps"]) == {0, 15, 40}
    for name in ("DID", "SAID"):
        rows = table[table["subspace"] == name]
        assert len(rows[rows["quantity"] == "d90"]) == 6
        assert len(rows[rows["quantity"] == "accuracy"]) == 12
    scores = evaluate(MODEL, batch.trained.snapshots[15], batch.data, "test", "cross_entropy")
    found = value(table, "pretraining_accuracy", "r1", pretraining_steps=15)
    assert found == pytest.approx(1 - scores.error[1])


@pytest.mark.parametrize("scales", [False, True])
def test_one_setting_equals_training_it_alone(table, batch, scales):
    """From the pretrained body with a new last layer, at the rate times sqrt(D / d)."""
    data = EnsembleData.of([Manifold(**DATA, train_size=256).realize(1)], 2)
    trained = batch.trained.select([1])
    new = MODEL.init(np.random.default_rng(stream(1, "new last layer")), (6,), 2)
    assert not torch.equal(new["layer2.weight"], trained.snapshots[0]["layer2.weight"][0])
    start = {
        name: new[name][None] if name.startswith("layer2") else tensor
        for name, tensor in trained.params.items()
    }
    parameters = 6 * 10 + 10 + 10 * 10 + 10 + 10 * 2 + 2
    recipe = Recipe(
        learning_rate=0.01 * np.sqrt(parameters / 32),
        steps=30,
        batch_size=32,
        subspace_dim=32,
        projection="fastfood",
        layer_scales=scales,
    )
    alone = train(MODEL, data, [Run("alone", 1, recipe)], start=start)
    error = evaluate(MODEL, alone.params, data, "test", "cross_entropy").error[0]
    name = "SAID" if scales else "DID"
    found = value(table, "accuracy", "r1", pretraining_steps=40, subspace=name, dim=32)
    assert found == pytest.approx(1 - error, abs=1.5 / 400)  # rounding may move one row


def test_the_subspace_goes_through_the_start(batch):
    """Networks tuned with one subspace from one start differ from it in d directions only."""
    runs = [
        Run(f"{m}", 0, Recipe(learning_rate=0.05 * (m + 1), steps=20, subspace_dim=3))
        for m in range(6)
    ]
    start = {
        name: tensor[[0]].repeat(6, *[1] * (tensor.dim() - 1))
        for name, tensor in batch.trained.params.items()
    }
    ended = train(MODEL, batch.data.select([0] * 6), runs, start=start).params
    moved = torch.cat([(ended[n] - start[n]).flatten(1) for n in start], dim=1).double()
    sizes = torch.linalg.svdvals(moved)
    assert sizes[2] > 1e-3
    assert sizes[3] < 1e-5 * sizes[0]


def test_stages_that_are_equal_give_equal_records():
    """A rate of almost zero leaves the network as it was: then pretraining changes nothing."""
    still = make_batch(replace(RECIPE, learning_rate=1e-30), seeds=(0,))
    table = pd.DataFrame(fine_tuning(still, **OPTIONS))
    by_stage = [
        rows.drop(columns="pretraining_steps").reset_index(drop=True)
        for _, rows in table.groupby("pretraining_steps")
    ]
    for later in by_stage[1:]:  # rounding may move a row or two
        pd.testing.assert_frame_equal(by_stage[0], later, atol=2.5 / 400, rtol=0.02)


def test_each_run_keeps_its_best_rate(table, batch):
    """A rate that trains nothing loses against one that does, wherever it stands in the list."""
    for rates in ([1e-30, 0.01], [0.01, 1e-30]):
        again = pd.DataFrame(fine_tuning(batch, **{**OPTIONS, "learning_rates": rates}))
        pd.testing.assert_frame_equal(again, table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": {**TARGET, "classes": 3}}, "3 classes"),
        ({"dims": [32, 8]}, "ascending"),
    ],
)
def test_faults(batch, change, message):
    with pytest.raises(ConfigError, match=message):
        fine_tuning(batch, **{**OPTIONS, **change})


def test_untrained_networks_are_needed():
    batch = make_batch(replace(RECIPE, snapshot_steps=[], rewind_step=5))
    with pytest.raises(ConfigError, match="needs the untrained networks"):
        fine_tuning(batch, **OPTIONS)


def test_targets_must_be_classes():
    batch = make_batch(replace(RECIPE, loss="mse"), task="regression", targets=2)
    with pytest.raises(ConfigError, match="class labels"):
        fine_tuning(batch, **OPTIONS)
