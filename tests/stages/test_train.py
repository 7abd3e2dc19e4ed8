import itertools
import json
import logging

import numpy as np
import pytest

from dimlaws.stages import train as stage
from dimlaws.stages.batchplan import BatchPlan
from dimlaws.stages.train import train_batch
from dimlaws.storage import read_arrays


@pytest.fixture
def trained(monkeypatch):
    """Return the list of how many runs each training had."""
    counts = []
    original = stage.train

    def counting(model, data, runs, **more):
        counts.append(len(runs))
        return original(model, data, runs, **more)

    monkeypatch.setattr(stage, "train", counting)
    return counts


def by_run(file):
    arrays, metadata = read_arrays(file)
    ids = json.loads(metadata["ids"])
    return {run: {name: a[i] for name, a in arrays.items()} for i, run in enumerate(ids)}


def test_every_run_is_trained_and_kept_in_order(place):
    ids = place.write()
    train_batch(place.plan, place.trained, place.store)
    assert list(by_run(place.trained)) == ids
    assert place.store.read_bytes() == place.trained.read_bytes()


def test_a_run_alone_is_the_run_in_the_batch(place):
    ids = place.write(seeds=(0, 1, 2))
    train_batch(place.plan, place.trained, None)
    whole = by_run(place.trained)
    for seed, size in itertools.product((0, 2), (24, 16)):
        (run,) = place.write(seeds=(seed,), sizes=(size,))
        assert run in ids
        train_batch(place.plan, place.trained, None)
        for name, array in by_run(place.trained)[run].items():
            np.testing.assert_allclose(array, whole[run][name], rtol=1e-4, atol=1e-6)


def test_two_trainings_are_bitwise_equal(place):
    place.write()
    train_batch(place.plan, place.trained, None)
    before = place.trained.read_bytes()
    train_batch(place.plan, place.trained, None)
    assert place.trained.read_bytes() == before


def test_only_new_runs_are_trained(place, trained, caplog):
    caplog.set_level(logging.INFO, "dimlaws.train")
    place.write(seeds=(0, 1))
    train_batch(place.plan, place.trained, place.store)
    before = by_run(place.trained)
    # Snakemake deletes the output, and not the store.
    place.trained.unlink()
    place.write(seeds=(0, 1, 3))
    train_batch(place.plan, place.trained, place.store)
    assert trained == [4, 2]
    assert "6 runs: 2 to train, 4 known" in caplog.text
    after = by_run(place.trained)
    for run, arrays in before.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, after[run][name])
    # Nothing new: the file is made of what is known.
    train_batch(place.plan, place.trained, place.store)
    assert trained == [4, 2]
    # Fewer runs than before.
    (run, _) = place.write(seeds=(3,))
    train_batch(place.plan, place.trained, place.store)
    assert trained == [4, 2]
    assert run in by_run(place.trained)
    assert len(by_run(place.trained)) == 2


def test_what_other_code_trained_is_trained_again(place, trained, monkeypatch):
    place.write()
    train_batch(place.plan, place.trained, place.store)
    monkeypatch.setattr(BatchPlan, "code", lambda *_: "other")
    train_batch(place.plan, place.trained, place.store)
    assert trained == [4, 4]


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_store_is_trained_again(place, trained, caplog, damage):
    place.write()
    train_batch(place.plan, place.trained, place.store)
    good = place.trained.read_bytes()
    bad = good[:-8] if damage == "cut" else good[:-1] + bytes([good[-1] ^ 1])
    place.store.unlink()
    place.store.write_bytes(bad)
    train_batch(place.plan, place.trained, place.store)
    assert trained == [4, 4]
    assert "its runs are trained again" in caplog.text
    assert place.trained.read_bytes() == good == place.store.read_bytes()


def test_a_diverged_run_is_recorded_and_said(place, caplog):
    hot = {**place.TRAINING, "learning_rate": 1e30, "optimizer": "sgd", "loss": "mse"}
    place.write(training=hot)
    train_batch(place.plan, place.trained, None)
    arrays, _ = read_arrays(place.trained)
    assert (arrays["diverged_step"] >= 0).all()
    assert "4 of 4 runs diverged" in caplog.text
