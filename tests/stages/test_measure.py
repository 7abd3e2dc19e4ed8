import json
import logging

import numpy as np
import pandas as pd
import pytest

from dimlaws.errors import CorruptFileError
from dimlaws.stages import measure as stage
from dimlaws.stages.batchplan import BatchPlan
from dimlaws.stages.measure import measure_batch
from dimlaws.stages.records import read_records
from dimlaws.stages.train import train_batch


def make(place, store=True):
    plan = BatchPlan.read(place.plan)
    if plan.trains:
        train_batch(place.plan, place.trained, place.store)
    checkpoint = place.trained if plan.trains else None
    kept = place.store_of_records if store else None
    measure_batch(place.plan, place.measures, checkpoint, place.records, kept)
    return read_records(place.records)[0]


@pytest.fixture
def measured(monkeypatch):
    """Return the list of measures and how many runs each was applied to."""
    calls = []
    original = stage.measured

    def counting(name, node, batch):
        calls.append((name, len(batch.runs)))
        return original(name, node, batch)

    monkeypatch.setattr(stage, "measured", counting)
    return calls


def sorted_rows(table):
    columns = sorted(table.columns)
    return table[columns].sort_values(columns, ignore_index=True)


def test_records_are_tidy(place):
    ids = place.write()
    table = make(place)
    assert set(table.columns) == {
        "run",
        "batch",
        "seed",
        "data.train_size",
        "measure",
        "quantity",
        "value",
        "subject",
        "estimator",
        "k",
        "variant",
    }
    assert set(table["run"]) == set(ids)
    assert set(table["measure"]) == {"generalization", "ids"}
    assert (table["batch"] == BatchPlan.read(place.plan).batch).all()
    for run in BatchPlan.read(place.plan).runs:
        rows = table[table["run"] == run["id"]]
        assert (rows["data.train_size"] == run["swept"]["data.train_size"]).all()
        assert (rows["seed"] == run["seed"]).all()
    keys = [column for column in table.columns if column != "value"]
    assert not table.duplicated(keys).any()


def test_only_new_runs_are_measured(place, measured, caplog):
    caplog.set_level(logging.INFO, "dimlaws.measure")
    place.write(seeds=(0, 1))
    before = make(place)
    place.write(seeds=(0, 1, 2))
    after = make(place)
    assert measured == [("generalization", 4), ("ids", 4), ("generalization", 2), ("ids", 2)]
    assert "ids: 2 runs to measure, 4 known" in caplog.text
    kept = after[after["seed"] < 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, before.assign(batch=kept["batch"]))
    # As if all had been measured at once, but for float tolerance.
    whole = make(place, store=False)
    pd.testing.assert_frame_equal(after, whole, rtol=1e-5)


def test_known_records_make_the_same_bytes(place, measured):
    place.write()
    make(place)
    first = place.records.read_bytes()
    place.records.unlink()
    make(place)
    assert len(measured) == 2
    assert place.records.read_bytes() == first


def test_only_an_edited_measure_is_applied_again(place, measured):
    place.write()
    make(place)
    place.write_measures({**place.MEASURES, "ids": {**place.MEASURES["ids"], "neighbors": [4]}})
    table = make(place)
    assert measured == [("generalization", 4), ("ids", 4), ("ids", 4)]
    assert set(table["k"].dropna()) == {4}


def test_nothing_is_left_of_a_measure_that_is_gone(place, measured):
    place.write()
    make(place)
    place.write_measures({"generalization": place.MEASURES["generalization"]})
    table = make(place)
    assert len(measured) == 2
    assert set(table["measure"]) == {"generalization"}
    assert not {"k", "variant", "estimator", "subject"} & set(table.columns)
    pd.testing.assert_frame_equal(table, make(place, store=False))


def test_nothing_is_left_of_a_key_that_is_no_longer_swept(place, measured):
    ids = place.write(sizes=(24,))
    make(place)
    assert place.write(sizes=(24,), swept=False) == ids
    table = make(place)
    assert len(measured) == 2
    assert "data.train_size" not in table.columns


def test_a_measure_of_other_code_is_applied_again(place, measured, monkeypatch):
    place.write()
    make(place)
    monkeypatch.setattr(stage, "fingerprint", lambda _: "other")
    make(place)
    assert len(measured) == 4


@pytest.mark.parametrize("content", [b"", b"PAR1 cut"])
def test_damaged_records_are_measured_again(place, measured, caplog, content):
    place.write()
    first = make(place)
    place.store_of_records.unlink()
    place.store_of_records.write_bytes(content)
    pd.testing.assert_frame_equal(make(place), first)
    assert len(measured) == 4
    assert "is damaged" in caplog.text


def test_a_checkpoint_of_other_code_is_refused(place, monkeypatch):
    place.write()
    train_batch(place.plan, place.trained, None)
    monkeypatch.setattr(BatchPlan, "code", lambda *_: "other")
    with pytest.raises(CorruptFileError, match="does not hold every run as this code trains it"):
        measure_batch(place.plan, place.measures, place.trained, place.records, None)
    assert not place.records.exists()


def test_a_checkpoint_without_a_run_is_refused(place):
    place.write(seeds=(0,))
    train_batch(place.plan, place.trained, None)
    place.write(seeds=(0, 1))
    with pytest.raises(CorruptFileError, match="does not hold every run"):
        measure_batch(place.plan, place.measures, place.trained, place.records, None)


def test_data_are_measured_without_a_network(place):
    place.write(model=None, training=None)
    place.write_measures({"ids": place.MEASURES["ids"]})
    table = make(place)
    assert not place.trained.exists()
    assert np.isfinite(table["value"]).all()


def test_diverged_runs_keep_their_rows(place):
    place.write(
        training={
            "_target_": "dimlaws.training.recipe.Recipe",
            "optimizer": "sgd",
            "steps": 5,
            "loss": "mse",
            "batch_size": 8,
            "learning_rate": 1e30,
        }
    )
    table = make(place)
    losses = table[table["quantity"] == "test_loss"]
    assert len(losses) == 4
    assert losses["value"].isna().all()
    # From the store too, where a column without any value might look like none at all.
    pd.testing.assert_frame_equal(sorted_rows(make(place)), sorted_rows(table))


def test_states_tell_what_records_depend_on(place):
    place.write()
    make(place)
    _, metadata = read_records(place.records)
    assert set(json.loads(metadata["states"])) == {"generalization", "ids"}
    assert json.loads(metadata["swept"]) == ["data.train_size", "seed"]
