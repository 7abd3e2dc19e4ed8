"""Two at once: in one checkout the second says so, and two checkouts share their data.

Meanwhile, nothing of it listens on a network.
"""

import os
import shutil
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest
from project import NUMBERS, contents

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

EXPERIMENT = "config/experiment/widths.yaml"
RUNS = "results/quick/widths/runs.parquet"
VERDICTS = "results/quick/widths/verdicts.csv"


def state(project):
    """Return bytes and time of each file, but for those that every start of Snakemake writes."""
    return {
        file.relative_to(project.folder): (file.read_bytes(), file.stat().st_mtime_ns)
        for file in project.folder.rglob("*")
        if file.is_file() and not {"log", "iocache", "__pycache__"} & set(file.parts)
    }


def unmeasured(project, folder):
    """Leave widths to measure; return the file while which exists jobs may wait."""
    project.dying()
    for file in (project / "results/quick/widths").glob("*/*.parquet"):
        file.unlink()
    (project / RUNS).unlink()
    (project / VERDICTS).unlink()
    wait = folder / "wait"
    wait.touch()
    return wait


def wait_for(count, folder, process):
    """Wait until so many jobs wait for the file ``folder``/wait."""
    while len(list(folder.glob("wait.*"))) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def family(root):
    """Return a process and all that descend from it."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # ended meanwhile
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def listening(processes):
    """Return the sockets of processes that wait for somebody on a network to connect."""
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    lines = [line.split() for file in tables if file.exists() for line in file.open()]
    waiting = {f"socket:[{words[9]}]" for words in lines if words[3] == "0A"}
    found = set()
    for pid in processes:
        with suppress(OSError):
            for handle in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    found |= {str(handle.readlink())} & waiting
    return found


def refused(done, sentence):
    assert done.status != 0
    assert sentence in done.output
    assert "Traceback" not in done.output


def test_the_second_in_one_checkout(finished, tmp_path, project):
    wait = unmeasured(project, tmp_path)
    first = project.start("snakemake", "--cores", "2", VERDICTS, WAIT=f"measure:{wait}")
    wait_for(2, tmp_path, first)
    before = state(project)
    # With the same configuration, it is Snakemake that says so; a dry run may look.
    refused(project.snakemake(VERDICTS), "Directory cannot be locked")
    assert project.planned(VERDICTS) == {"measure": 2, "collect": 1, "judge": 1}
    assert state(project) == before

    # A wider sweep, another region, and so another plan: no command may write it.
    original = (project / EXPERIMENT).read_text()
    project.edit(EXPERIMENT, "model.width: 4,8", "model.width: 4,8,16")
    project.edit(EXPERIMENT, "expected: [null, 0]", "expected: [0, null]")
    before = state(project)
    here = "would change, but a Snakemake is at work here, so nothing was changed"
    for command in ((VERDICTS,), ("-n",), ("--config", "scale=smoke")):
        refused(project.snakemake(*command), here)
    refused(project.call("dimlaws", "claims"), here)
    assert state(project) == before

    with socket.create_server(("127.0.0.1", 0)):
        assert listening({os.getpid()})
    wait.unlink()
    seen = set()
    while first.poll() is None:
        processes = family(first.pid)
        seen |= processes
        assert not listening(processes)
        time.sleep(0.2)
    assert len(seen) > 3
    output, _ = first.communicate()
    assert first.returncode == 0, output
    assert contents(project / "results", *NUMBERS) == contents(finished / "results", *NUMBERS)
    # Now the edit counts.
    assert project.planned(RUNS) == {"train": 1, "measure": 1, "collect": 1}
    (project / EXPERIMENT).write_text(original)


def test_a_lock_that_was_left_behind(finished, tmp_path, project):
    wait = unmeasured(project, tmp_path)
    first = project.start("snakemake", "--cores", "1", RUNS, WAIT=f"measure:{wait}")
    wait_for(1, tmp_path, first)
    first.kill()
    first.wait()
    wait.unlink()
    project.edit(EXPERIMENT, "expected: [null, 0]", "expected: [0, null]")
    refused(project.snakemake("-n"), "say `snakemake --unlock`")
    project.edit(EXPERIMENT, "expected: [0, null]", "expected: [0, null")
    done = project.make("--unlock")
    assert "Unlocked working directory" in done.output
    project.edit(EXPERIMENT, "expected: [0, null", "expected: [0, null]")
    assert project.planned()["judge"] == 1


def test_two_checkouts_with_one_data_folder(finished, tmp_path):
    data = tmp_path / "data"
    projects = [finished.copy(tmp_path / name) for name in ("one", "two")]
    for project in projects:
        shutil.rmtree(project / "results")
        shutil.rmtree(project / ".snakemake")
    target = str(data / "digits.safetensors")
    started = [
        project.start("snakemake", "--cores", "1", target, DIMLAWS_DATA=str(data))
        for project in projects
    ]
    for process in started:
        output, _ = process.communicate(timeout=600)
        assert process.returncode == 0, output
    (expected,) = contents(finished / "results", "data/*.safetensors").values()
    assert contents(data, "*.safetensors") == {"digits.safetensors": expected}
    assert {file.name for file in data.iterdir()} == {"digits.safetensors", "logs"}
