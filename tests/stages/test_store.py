import pandas as pd
import pytest

from dimlaws.stages.batchplan import BatchPlan
from dimlaws.stages.records import read_records
from dimlaws.stages.store import known_records, write_batch

STATES = {"m": "1", "n": "1"}


def plan(*runs):
    return BatchPlan(
        "e", "b", [{"id": run, "seed": i, "config": {}, "swept": {}} for i, run in enumerate(runs)]
    )


def rows(run, measure="m", **more):
    return pd.DataFrame(
        [{"run": run, "measure": measure, "quantity": "q", "value": float("nan"), **more}]
    )


@pytest.fixture
def store(tmp_path):
    tables = [rows("r"), rows("s", level=2, kind="a"), rows("r", "n", depth=3)]
    write_batch(tmp_path / "store.parquet", tables, plan("r", "s"), STATES)
    return tmp_path / "store.parquet"


def test_records_are_known_by_name_and_run(store):
    known = known_records(store, STATES)
    assert {name: set(by_run) for name, by_run in known.items()} == {"m": {"r", "s"}, "n": {"r"}}
    common = {"run", "batch", "measure", "quantity", "value"}
    # Columns of another run or measure are empty here, so they are not this one's.
    assert set(known["m"]["r"].columns) - {"seed"} == common
    assert set(known["m"]["s"].columns) - {"seed"} == {*common, "level", "kind"}
    assert set(known["n"]["r"].columns) - {"seed"} == {*common, "depth"}


def test_another_state_is_not_known(store):
    assert set(known_records(store, {"m": "2", "n": "1"})) == {"n"}
    assert known_records(store, {}) == {}


def test_a_store_that_is_not_there_holds_nothing(store):
    assert known_records(None, STATES) == {}
    assert known_records(store.with_name("other"), STATES) == {}


def test_damaged_records_are_refused(store, refused):
    def read():
        table, metadata = read_records(store)
        # As text, in which NaN equals itself.
        return table.to_csv(), [str(dtype) for dtype in table.dtypes], metadata

    assert refused(store, read) > 0.5


def test_a_damaged_store_holds_nothing_and_says_so(store, caplog):
    store.write_bytes(store.read_bytes()[:-9])
    assert known_records(store, STATES) == {}
    assert "is damaged" in caplog.text
