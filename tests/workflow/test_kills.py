"""Killed at any moment and run again, the workflow ends with the same bytes."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from project import NUMBERS, Project, contents

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

DIGITS = "results/data/digits.safetensors"
WIDTHS = "results/quick/widths"


def leftovers(project):
    return list((project / "results").rglob(".*.part"))


def test_jobs_killed_at_every_stage(finished, tmp_path):
    project = finished.copy(tmp_path / "project").dying()
    for folder in ("results", ".snakemake"):
        shutil.rmtree(project / folder)

    def dies(moment, *target):
        done = project.snakemake(*target, DIE=moment)
        assert done.status != 0
        return done

    dies("fetch:trying", DIGITS)
    assert not (project / DIGITS).exists()
    dies("fetch:write", DIGITS)
    assert not (project / DIGITS).exists()
    assert leftovers(project)

    dies("train:train", f"{WIDTHS}/runs.parquet")
    assert not list((project / WIDTHS).glob("trained/*"))
    dies("train:write", f"{WIDTHS}/runs.parquet")
    assert not list((project / WIDTHS).glob("trained/*.safetensors"))
    assert len(list((project / WIDTHS).glob("trained/.*.part"))) == 2
    # In place, but the job did not end: whether it is kept or not, it is whole.
    dies("train:move", f"{WIDTHS}/runs.parquet")

    dies("measure:to measure", f"{WIDTHS}/runs.parquet")
    dies("measure:write", f"{WIDTHS}/runs.parquet")
    assert not list((project / WIDTHS).glob("records/*.parquet"))
    dies("collect:write", f"{WIDTHS}/runs.parquet")
    assert not (project / WIDTHS / "runs.parquet").exists()
    dies("judge:write", f"{WIDTHS}/verdicts.csv")
    assert not (project / WIDTHS / "verdicts.csv").exists()

    project.make()
    assert contents(project / "results", *NUMBERS) == contents(finished / "results", *NUMBERS)
    assert project.planned() == {}


def test_snakemake_killed(finished, tmp_path, project):
    project.dying()
    shutil.rmtree(project / WIDTHS)
    wait = tmp_path / "wait"
    wait.touch()
    process = project.start(
        "snakemake", "--cores", "2", f"{WIDTHS}/runs.parquet", WAIT=f"train:{wait}"
    )
    while len(list(tmp_path.glob("wait.*"))) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    orphans = [int(file.suffix[1:]) for file in tmp_path.glob("wait.*")]
    process.kill()
    process.wait()
    # Snakemake cannot know that the lock's owner is dead, so it says how to take the lock away.
    done = project.snakemake(f"{WIDTHS}/runs.parquet")
    assert done.status != 0
    assert "Directory cannot be locked" in done.output
    assert "--unlock" in done.output
    project.make("--unlock")
    # The orphaned jobs go on writing the same results beside the new ones; one is killed.
    os.kill(orphans[0], signal.SIGKILL)
    wait.unlink()
    done = project.make(f"{WIDTHS}/runs.parquet")
    assert done.jobs == {"train": 2, "measure": 2, "collect": 1}
    # The orphan still writes, maybe.
    while Path(f"/proc/{orphans[1]}").exists():
        time.sleep(0.05)
    patterns = [f"quick/widths/{name}" for name in ("trained/*", "records/*", "runs.parquet")]
    assert contents(project / "results", *patterns) == contents(finished / "results", *patterns)
    assert project.planned(f"{WIDTHS}/runs.parquet") == {}
