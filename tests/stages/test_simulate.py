import logging
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from dimlaws.errors import EstimationError
from dimlaws.instantiate import configured
from dimlaws.plan.runs import plan_batches, plan_run
from dimlaws.stages import simulate as stage
from dimlaws.stages.batchplan import BatchPlan
from dimlaws.stages.records import read_records
from dimlaws.stages.simulate import simulate_batch
from dimlaws.storage import canonical_json, write_text

TARGET = "dimlaws.studies.spacing.spacing"


class Study:
    """The plan of one batch of a study, and where its results stand."""

    def __init__(self, folder):
        self.plan = folder / "batch.json"
        self.output = folder / "records" / "batch.parquet"
        self.store = folder / "store" / "batch.parquet"

    def write(self, seeds=(0, 1), rows=(8, 16, 32)):
        runs = [
            plan_run(
                {"study": {"_target_": TARGET, "rows": n, "dim": 2}, "seed": seed},
                {"study.rows": n, "seed": seed},
            )
            for seed in seeds
            for n in rows
        ]
        (batch,) = plan_batches(runs, most=1000)
        runs = [
            {"id": run.id, "seed": run.seed, "config": run.config, "swept": run.swept}
            for run in batch.runs
        ]
        content = {"experiment": "small", "batch": batch.id, "runs": runs}
        write_text(self.plan, canonical_json(content))
        return [run["id"] for run in runs]

    def make(self, store=True):
        simulate_batch(self.plan, self.output, self.store if store else None)
        return read_records(self.output)[0]


@pytest.fixture
def study(tmp_path, spacing_study):
    return Study(tmp_path)


@pytest.fixture
def simulated(monkeypatch):
    """Return the list of the ids of the runs that were simulated."""
    calls = []
    original = stage.simulated

    def counting(run):
        calls.append(run["id"])
        return original(run)

    monkeypatch.setattr(stage, "simulated", counting)
    return calls


def stop_at(monkeypatch, count, error):
    """Let the run after ``count`` others raise."""
    original, done = stage.simulated, []

    def stopping(run):
        if len(done) == count:
            raise error
        done.append(run["id"])
        return original(run)

    monkeypatch.setattr(stage, "simulated", stopping)
    return done


def test_records_are_those_that_the_function_returns(study):
    ids = study.write()
    table = study.make()
    assert set(table.columns) == {
        *("run", "batch", "seed", "measure", "quantity", "value", "study.rows")
    }
    plan = BatchPlan.read(study.plan)
    assert table["run"].tolist() == plan.ids == ids
    assert set(table["measure"]) == {"spacing"}
    assert set(table["batch"]) == {plan.batch}
    assert table["value"].dtype == "float64"
    for run, row in zip(plan.runs, table.to_dict("records"), strict=True):
        spacing = configured({"_target_": TARGET, "rows": row["study.rows"], "dim": 2})
        (expected,) = spacing(run["seed"])
        assert row["value"] == expected["value"]
        assert row["seed"] == run["seed"]


def test_only_new_runs_are_simulated(study, simulated, caplog):
    caplog.set_level(logging.INFO, "dimlaws.simulate")
    first = study.write()
    before = study.make()
    # One value of a swept key is another, and there is one seed more.
    ids = study.write(seeds=(0, 1, 2), rows=(8, 16, 33))
    after = study.make()
    assert simulated[:6] == first
    assert set(simulated[6:]) == set(ids) - set(first)
    assert len(simulated) == 6 + 2 + 3
    assert "9 runs: 5 to simulate, 4 known" in caplog.text
    kept = after.set_index("run")["value"]
    for run, value in before.set_index("run")["value"].items():
        assert kept.get(run, value) == value
    reused = study.output.read_bytes()
    study.make(store=False)
    assert study.output.read_bytes() == reused == study.store.read_bytes()


def test_equal_plans_give_equal_bytes(study):
    study.write()
    study.make()
    first = study.output.read_bytes()
    study.make(store=False)
    assert study.output.read_bytes() == first


def test_what_other_code_simulated_is_simulated_again(study, simulated, monkeypatch):
    study.write()
    study.make()
    monkeypatch.setattr(BatchPlan, "code", lambda *_: "other")
    study.make()
    assert len(simulated) == 12


def test_a_damaged_store_is_simulated_again(study, simulated, caplog):
    study.write()
    study.make()
    good = study.output.read_bytes()
    study.store.unlink()
    study.store.write_bytes(good[:-8])
    study.make()
    assert len(simulated) == 12
    assert "is damaged" in caplog.text
    assert study.output.read_bytes() == good == study.store.read_bytes()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a bug")])
def test_an_interrupted_batch_keeps_what_is_done(study, monkeypatch, simulated, error):
    study.write()
    study.make(store=False)
    whole = study.output.read_bytes()
    study.output.unlink()
    simulated.clear()
    with monkeypatch.context() as patch:
        done = stop_at(patch, 4, error)
        with pytest.raises(type(error)):
            study.make()
    assert len(done) == 4
    assert not study.output.exists()
    study.make()
    assert simulated[4:] == BatchPlan.read(study.plan).ids[4:]
    assert study.output.read_bytes() == whole


def test_the_store_is_written_while_runs_end(study, monkeypatch):
    """Not only at the end: a job that is killed outright has no time to save."""
    study.write()
    original, kept = stage.simulated, []

    def looking(run):
        kept.append(len(read_records(study.store)[0]) if study.store.exists() else 0)
        return original(run)

    monkeypatch.setattr(stage, "simulated", looking)
    # A save that takes no time is made after every run.
    monkeypatch.setattr(stage, "time", SimpleNamespace(monotonic=lambda: 0.0))
    study.make()
    assert kept == [0, 1, 2, 3, 4, 5]


def test_saving_takes_a_small_share_of_the_time(study, monkeypatch):
    study.write(seeds=range(5), rows=range(2, 82))
    clock, saves = [0.0], []

    def run(planned):
        clock[0] += 1.0
        return {}

    def write(path, *_):
        if path == study.store:
            saves.append(clock[0])
            clock[0] += 2.0

    monkeypatch.setattr(stage, "simulated", run)
    monkeypatch.setattr(stage, "write_batch", write)
    monkeypatch.setattr(stage, "link_or_copy", lambda *_: None)
    monkeypatch.setattr(stage, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    simulate_batch(study.plan, study.output, study.store)
    # The first run's save, and then one of 2 s for every 40 runs of 1 s.
    assert len(saves) == 10
    assert set(np.diff(saves)) == {42}


def test_a_run_without_an_answer_is_named_and_the_others_are_kept(study, monkeypatch, simulated):
    ids = study.write(rows=(8, 16))
    failing = BatchPlan.read(study.plan).runs[2]
    original = stage.configured

    def refusing(node):
        if node == failing["config"]["study"]:
            return lambda seed: answer(node, seed)
        return original(node)

    def answer(node, seed):
        if seed == failing["seed"]:
            raise EstimationError("too few points for an estimate")
        return original(node)(seed)

    monkeypatch.setattr(stage, "configured", refusing)
    with pytest.raises(EstimationError) as caught:
        study.make()
    rows, seed = failing["swept"]["study.rows"], failing["seed"]
    assert str(caught.value) == (
        f"too few points for an estimate (run {ids[2]}: seed={seed}, study.rows={rows})"
    )
    assert not study.output.exists()
    assert read_records(study.store)[0]["run"].tolist() == ids[:2]


def test_simulating_needs_no_torch():
    script = "import sys, dimlaws.stages.simulate\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
