"""A full disk and a read-only one: one sentence, nothing half-made, equal bytes afterwards."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from disk import Disks
from project import NUMBERS, contents

from dimlaws.storage import read_sealed

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

ROOMY = 4096
"""Pages, 16 MiB."""

FULL = "No space left on device: {}; make room and rerun"
WIDTHS = "results/quick/widths"


@pytest.fixture
def disks():
    tools = all(map(shutil.which, ("unshare", "nsenter", "mount")))
    found = Disks() if tools else None
    if found is None or not found.usable:
        if found is not None:
            found.close()
        reason = "neither root nor a user namespace may mount a disk here"
        # Continuous integration must not pass because it tested nothing.
        if os.environ.get("DIMLAWS_REQUIRE_FAULTS"):
            pytest.fail(reason)
        pytest.skip(reason)
    yield found
    found.close()


def complaints(done):
    """Return what the failed commands say, each once: the log, which is shown, says it again."""
    assert done.status != 0
    assert "Traceback" not in done.output, done.output
    assert "--- Logging error ---" not in done.output
    lines = re.findall(r"^dimlaws \w+: .*", done.output, flags=re.MULTILINE)
    return sorted(line.partition(": ")[2] for line in lines)


def on_a_disk(disks, project, *without):
    """Put the project's results, without some files, on a disk of their own; return its root."""
    results = project / "results"
    kept = project / "kept"
    results.rename(kept)
    results.mkdir()
    disks.mount_small(results, ROOMY)
    for pattern in without:
        found = list(kept.glob(pattern))
        assert found, pattern
        for path in found:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert disks.call(project, "cp", "-a", f"{kept}/.", "results").status == 0
    return disks.seen(results)


def test_full_for_the_jobs_of_a_run(disks, finished, project):
    batch = min((project / WIDTHS / "trained").iterdir()).stem
    spacing = min((project / "results/quick/spacing/records").iterdir()).stem
    targets = [
        "results/data/digits.safetensors",
        f"{WIDTHS}/trained/{batch}.safetensors",
        f"results/quick/spacing/records/{spacing}.parquet",
    ]
    results = on_a_disk(
        disks,
        project,
        "data/*.safetensors",
        f"quick/widths/trained/{batch}.*",
        f"quick/widths/store/{batch}.safetensors",
        f"quick/spacing/*/{spacing}.parquet",
        # Nor have the logs of before room that those of now could take.
        "data/logs",
        "quick/*/logs",
    )
    before = contents(results, *NUMBERS)
    disks.fill(project / "results", 0)
    done = disks.snakemake(project, *targets)
    assert complaints(done) == sorted(FULL.format(target) for target in targets)
    assert contents(results, *NUMBERS) == before
    assert not list(results.glob("**/.*.part"))
    disks.resize(project / "results", ROOMY)
    done = disks.snakemake(project, *targets)
    assert done.status == 0, done.output
    patterns = (*NUMBERS, "*/figures/*")
    assert contents(results, *patterns) == contents(finished / "results", *patterns)


SAVES_OFTEN = """
import sys
from dimlaws.cli import main, use_one_thread
use_one_thread()
from dimlaws.training import resume
resume.INTERVAL = 0.0
sys.exit(main())
"""


def test_full_for_a_state_of_training(disks, finished, tmp_path):
    """The state that was saved before stays, and training goes on from it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    disks.mount_small(folder, ROOMY)
    trained = min((finished / WIDTHS / "trained").iterdir())
    command = (sys.executable, "-c", SAVES_OFTEN, "train", f"{WIDTHS}/plan/{trained.stem}.json")
    target = folder / "made.safetensors"
    command += ("--output", str(target), "--store", str(folder / "kept.safetensors"))
    # Room for the first state, and not for the second beside it.
    disks.fill(folder, 5)
    done = disks.call(finished, *command)
    assert complaints(done) == [FULL.format(target)]
    left = [path for path in disks.seen(folder).rglob("*") if path.is_file()]
    (state,) = (path for path in left if path.name != "ballast")
    assert state.parent.name == "kept.unfinished"
    assert read_sealed(state)[0]
    disks.resize(folder, ROOMY)
    done = disks.call(finished, *command)
    assert done.status == 0, done.output
    assert disks.seen(target).read_bytes() == trained.read_bytes()
    assert not state.exists()


RUNS = f"{WIDTHS}/runs.parquet"
COMMANDS = [
    (["measure", f"{WIDTHS}/plan/BATCH.json", f"{WIDTHS}/plan/measures.json"], "made.parquet", 2),
    (["collect", f"{WIDTHS}/records/BATCH.parquet"], "made.parquet", 0),
    (["judge", RUNS, f"{WIDTHS}/plan/claims.json", "--experiment", "widths"], "made.csv", 0),
    (["verdicts", f"{WIDTHS}/verdicts.csv"], "made.csv", 0),
    (["figure", f"{WIDTHS}/plan/figures/widths.json", RUNS], "made.svg", 2),
    (["provenance", "quick"], "made.json", 0),
    (["report", "quick"], "made/index.html", 2),
]
"""Commands, what they make, and the pages that are free for it; a log takes one."""


@pytest.mark.parametrize(("command", "made", "free"), COMMANDS, ids=[row[0][0] for row in COMMANDS])
def test_full_for_a_result(disks, finished, tmp_path, command, made, free):
    folder = tmp_path / "disk"
    folder.mkdir()
    disks.mount_small(folder, ROOMY)
    batch = min((finished / WIDTHS / "trained").iterdir()).stem
    if command[0] == "measure":
        command = [*command, "--trained", f"{WIDTHS}/trained/BATCH.safetensors"]
    disks.fill(folder, free)
    target = folder / made
    done = disks.call(
        finished,
        *("dimlaws", *(word.replace("BATCH", batch) for word in command)),
        *("--output", str(target), "--log", str(folder / "log")),
    )
    assert complaints(done) == [FULL.format(target)]
    left = [path.name for path in disks.seen(folder).rglob("*") if path.is_file()]
    assert set(left) <= {"ballast", "log", "style.css"}


def test_read_only(disks, finished, project):
    disks.forbid_writing(project / "results")
    # What only reads works.
    done = disks.snakemake(project)
    assert done.status == 0, done.output
    assert done.jobs == {}
    for command in ("verdicts", "claims"):
        done = disks.call(project, "dimlaws", command)
        assert done.status == 0, done.output
        assert "loss-falls-with-width" in done.output
    disks.allow_writing(project / "results")
    shutil.rmtree(project / "results/quick/report")
    disks.forbid_writing(project / "results")
    done = disks.snakemake(project, "-n")
    assert done.jobs == {"report": 1}
    done = disks.snakemake(project)
    assert done.status != 0
    assert "results/quick cannot be written; make it writable" in done.output
    assert "Traceback" not in done.output
    assert "Finished" not in done.output
    # Planning writes before any job does.
    project.edit("config/experiment/widths.yaml", "seed: 0,1,2", "seed: 0,1")
    done = disks.snakemake(project)
    assert done.status != 0
    assert "Read-only file system: results/quick/widths/plan/" in done.output
    assert "Traceback" not in done.output
    done = disks.call(project, "dimlaws", "plan")
    (line,) = complaints(done)
    assert line.startswith("Read-only file system: results/quick/widths/plan/")
    project.edit("config/experiment/widths.yaml", "seed: 0,1", "seed: 0,1,2")
    disks.allow_writing(project / "results")
    done = project.make()
    assert done.jobs == {"report": 1}
    patterns = (*NUMBERS, "*/figures/*")
    assert contents(project / "results", *patterns) == contents(finished / "results", *patterns)


def test_without_permission(finished, project):
    shutil.rmtree(project / "results/quick/report")
    subprocess.run(["chmod", "-R", "a-w", project / "results"], check=True)
    # Root may write in spite of permissions until it gives that up.
    plain = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
    done = project.call(*plain, "snakemake", "--cores", "2")
    assert done.status != 0
    assert "results/quick cannot be written; make it writable" in done.output
    assert "Traceback" not in done.output
    subprocess.run(["chmod", "-R", "u+w", project / "results"], check=True)
    project.make()
    patterns = (*NUMBERS, "*/figures/*")
    assert contents(project / "results", *patterns) == contents(finished / "results", *patterns)
