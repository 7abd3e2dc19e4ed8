from dataclasses import replace

import numpy as np
import pytest
import torch

from dimlaws.data.realization import Realization
from dimlaws.errors import ConfigError
from dimlaws.measures.batch import TrainedBatch
from dimlaws.measures.objective_dimension import _in_subspace, objective_dimension
from dimlaws.models.mlp import MLP
from dimlaws.training.engine import train
from dimlaws.training.evaluation import evaluate
from dimlaws.training.recipe import Recipe
from dimlaws.training.runs import EnsembleData, Run

RECIPE = Recipe(learning_rate=0.01, steps=150, batch_size=32)
MODEL = MLP(width=12)
PARAMETERS = 6 * 12 + 12 + 12 * 12 + 12 + 12 * 3 + 3


def make_batch(recipe=RECIPE, real=False):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((700, 6)).astype(np.float32)
    sums = x @ rng.standard_normal((6, 3))
    y = sums.astype(np.float32) if real else sums.argmax(1)
    part = Realization(x, y, np.arange(300), np.arange(300, 700))
    data = EnsembleData.of([part, part], 3)
    runs = [Run(f"r{seed}", seed, recipe) for seed in range(2)]
    return TrainedBatch(runs, data, MODEL, train(MODEL, data, runs))


@pytest.fixture(scope="module")
def batch():
    return make_batch()


def column(rows, quantity, run, **at):
    return [
        row["value"]
        for row in rows
        if (row["quantity"], row["run"]) == (quantity, run)
        and all(row[name] == value for name, value in at.items())
    ]


def test_accuracy_rises_with_the_dimension_to_that_of_all_directions(batch):
    dims = [200, 2, 60]
    rows = objective_dimension(batch, dims=dims, projections=["sparse", "fastfood"])
    model, trained = batch.networks()
    direct = 1 - evaluate(model, trained.params, batch.data, "test", "cross_entropy").error
    for m, run in enumerate(("r0", "r1")):
        assert column(rows, "direct_accuracy", run) == [direct[m]]
        assert column(rows, "parameters", run) == [PARAMETERS]
        for kind in ("sparse", "fastfood"):
            accuracy = column(rows, "accuracy", run, projection=kind)
            assert accuracy[0] < accuracy[1] <= accuracy[2] + 0.05
            assert accuracy[2] > direct[m] - 0.1
            relative = column(rows, "relative_accuracy", run, projection=kind)
            np.testing.assert_allclose(relative, accuracy / direct[m])
            losses = column(rows, "final_loss", run, projection=kind)
            assert losses[0] > losses[1] > losses[2]
    assert [row["subspace_dim"] for row in rows if row["run"] == "r0"
            and row["quantity"] == "accuracy"] == 2 * sorted(dims)  # fmt: skip


@pytest.mark.parametrize("dim", [4, 100])
def test_a_step_is_as_long_as_one_in_all_directions(dim):
    # The first step of Adam moves every variable by the rate; columns of a sketch are orthonormal.
    batch = make_batch(replace(RECIPE, steps=1, schedule="constant"))
    start = batch.networks()[1].snapshots[0]
    factor = np.sqrt(PARAMETERS / dim)
    moved = _in_subspace(batch, start, "sketch", dim, 1e-3, factor).params
    square = sum((moved[name] - start[name]).square().flatten(1).sum(1) for name in start)
    torch.testing.assert_close(
        square.sqrt(), torch.full((2,), 1e-3 * PARAMETERS**0.5), rtol=1e-3, atol=0
    )


def test_training_starts_from_the_untrained_networks(batch):
    rows = objective_dimension(batch, dims=[5], learning_rate=1e-12, split="train")
    model, trained = batch.networks()
    untrained = evaluate(model, trained.snapshots[0], batch.data, "train", "cross_entropy")
    for m, run in enumerate(("r0", "r1")):
        assert column(rows, "accuracy", run) == [1 - untrained.error[m]]


def test_settings_that_do_not_fit_are_refused(batch):
    with pytest.raises(ConfigError, match="class labels"):
        objective_dimension(make_batch(replace(RECIPE, loss="mse", steps=1), real=True), dims=[2])
    with pytest.raises(ConfigError, match="at least one entry"):
        objective_dimension(batch, dims=[])
    with pytest.raises(ConfigError, match="subspace_dim null"):
        objective_dimension(make_batch(replace(RECIPE, subspace_dim=3, steps=1)), dims=[2])
    with pytest.raises(ConfigError, match="needs the untrained networks"):
        objective_dimension(make_batch(replace(RECIPE, rewind_step=1, steps=2)), dims=[2])
    with pytest.raises(ConfigError, match=f"valid: 1 to {PARAMETERS}"):
        objective_dimension(batch, dims=[PARAMETERS + 1])
