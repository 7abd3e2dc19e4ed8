import copy
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dimlaws.errors import ConfigError
from dimlaws.plan.runs import SEEDS_PER_BATCH, digest, plan_batches, plan_run

RESOLVED = {
    "data": {"_target_": "dimlaws.data.manifolds.Manifold", "kind": "torus", "train_size": 64},
    "model": {"_target_": "dimlaws.models.mlp.MLP", "width": 8},
    "training": {"_target_": "dimlaws.training.recipe.Recipe", "steps": 10},
    "seed": 0,
}

MOST = 1000


def resolved(**changes):
    made = copy.deepcopy(RESOLVED)
    for key, value in changes.items():
        group, _, name = key.partition("__")
        if name:
            made[group][name] = value
        else:
            made[group] = value
    return made


def run(**changes):
    return plan_run(resolved(**changes), {})


@pytest.mark.parametrize(
    "changes",
    [
        {"model__depth": 2},
        {"model__bias": True},
        {"data__task_dim": None},
        {"data__label_sharpness": 2},
        {"training__weight_decay": 0},
        {"training__loss": "cross_entropy"},
    ],
)
def test_a_default_is_no_part_of_the_id(changes):
    assert run(**changes).id == run().id
    assert run(**changes).config == run().config


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"model__width": 9},
        {"model__bias": False},
        {"data__train_size": 65},
        {"data__task_dim": 1},
        {"training__steps": 11},
        {"model": {"_target_": "dimlaws.models.cnn.CNN"}},
    ],
)
def test_what_a_run_is_decides_its_id(changes):
    assert run(**changes).id != run().id


@given(st.permutations(["_target_", "kind", "train_size", "intrinsic_dim", "noise"]))
@settings(max_examples=10, deadline=None)
def test_order_is_no_part_of_the_id(keys):
    values = {**RESOLVED["data"], "intrinsic_dim": 3, "noise": 0.5}
    shuffled = {key: values[key] for key in keys}
    assert run(data=shuffled).id == run(data=values).id


def test_ids_are_pinned():
    """An id that changes orphans everything trained before: never by accident."""
    assert run().id == "a49a39d6fb98"
    text = b'{"a":"\\u00e4","b":[1,2.5,null]}'
    assert digest({"b": [1, 2.5, None], "a": "ä"}) == hashlib.sha256(text).hexdigest()[:12]


def batches_of(runs):
    return {
        batch.id: [(run.config, run.seed) for run in batch.runs]
        for batch in plan_batches(runs, MOST)
    }


def test_runs_of_equal_shape_share_a_batch():
    shared = [
        run(),
        run(data__train_size=128),
        run(data__intrinsic_dim=3),
        run(training__steps=20),
        run(training__learning_rate=0.1),
        run(seed=SEEDS_PER_BATCH - 1),
    ]
    (batch,) = plan_batches(shared, MOST)
    assert {planned.id for planned in batch.runs} == {planned.id for planned in shared}
    others = [
        run(model__width=16),
        run(data__ambient_dim=16),
        run(training__batch_size=64),
        run(seed=SEEDS_PER_BATCH),
    ]
    assert len(plan_batches([*shared, *others], MOST)) == 1 + len(others)


def test_seeds_come_in_blocks():
    batches = plan_batches([run(seed=seed) for seed in range(2 * SEEDS_PER_BATCH + 1)], MOST)
    blocks = sorted([planned.seed for planned in batch.runs] for batch in batches)
    assert SEEDS_PER_BATCH == 5
    assert blocks == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10]]


@given(st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_batches_do_not_depend_on_the_order_of_the_sweep(random):
    runs = [run(seed=seed, model__width=width) for seed in (0, 1, 6) for width in (4, 8)]
    expected = batches_of(runs)
    random.shuffle(runs)
    assert batches_of(runs) == expected
    assert list(batches_of(runs)) == sorted(expected)


def test_another_member_leaves_the_id_of_a_batch():
    (batch,) = plan_batches([run()], MOST)
    (more,) = plan_batches([run(), run(seed=1), run(data__train_size=7)], MOST)
    assert more.id == batch.id


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": None}, "seed: null is not allowed"),
        ({"seed": -1}, "seed: -1 is out of range"),
        ({"seed": 1.0}, "seed: 1.0 is not integer"),
        ({"data": None}, "data: null is for studies only; set data, or a study"),
        ({"data": 3}, "data: expected a mapping"),
        ({"model": None}, "model, training: set both"),
        ({"training": None}, "model, training: set both"),
        ({"model__width": 0}, "model.width: 0 is out of range"),
        (
            {"data": RESOLVED["model"]},
            "data._target_: 'dimlaws.models.mlp.MLP' does not lie in dim",
        ),
    ],
)
def test_faults_are_named_by_key(changes, message):
    with pytest.raises(ConfigError) as caught:
        run(**changes)
    assert str(caught.value).startswith(message)


def test_missing_groups_are_named():
    with pytest.raises(ConfigError, match="seed: null is not allowed"):
        plan_run({}, {})


def test_data_alone_train_nothing():
    assert run(model=None, training=None).config["model"] is None


def test_many_runs_are_split_and_another_run_moves_few():
    runs = [run(training__steps=steps) for steps in range(1, 201)]
    assert len(plan_batches(runs, 200)) == 1
    parts = plan_batches(runs, 30)
    assert sum(len(part.runs) for part in parts) == 200
    assert max(len(part.runs) for part in parts) <= 30
    assert len({part.id for part in parts}) == len(parts) >= 7
    # What was computed is taken over by the batch's name: all but one batch keep theirs.
    more = plan_batches([*runs, run(training__steps=201)], 30)
    kept = [part for part in parts if part in more]
    changed = [part for part in parts if part not in more]
    assert len(changed) == 1
    assert len(kept) == len(parts) - 1
    assert [len(part.runs) for part in plan_batches(runs, 1)] == [1] * 200
