import errno
import importlib.metadata
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dimlaws.stages import doctor, package_checks
from dimlaws.stages.cluster_checks import cluster
from dimlaws.stages.folder_checks import folder, lock
from dimlaws.stages.machine_checks import memory, threads
from dimlaws.storage import canonical_json, write_text

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """An empty working directory with a data folder, and no Slurm."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIMLAWS_DATA", str(tmp_path / "sets"))
    found = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "sbatch" else found(name))
    return tmp_path


def examine(capsys, config=CONFIG):
    status = doctor.examine(config, Path("results"))
    return status, capsys.readouterr().out.splitlines()


def test_it_says_what_is_there_and_leaves_nothing(checkout, monkeypatch, capsys):
    (checkout / "sets").mkdir()
    (checkout / "sets" / "mnist.safetensors").write_bytes(b"")
    status, lines = examine(capsys)
    assert status == 0
    for line in (
        f"ok       torch: {importlib.metadata.version('torch')}",
        f"ok       cores: {len(os.sched_getaffinity(0))}",
        "ok       lock: none, a run can start",
        "ok       slurm: none found, jobs run on this machine",
        f"ok       data set mnist: fetched, {checkout}/sets/mnist.safetensors",
        "ok       data set digits: not fetched; can try bundled",
    ):
        assert line in lines
    assert not [line for line in lines if "manifold" in line]
    assert {line[:9].strip() for line in lines} <= {"ok", "warning"}
    assert sorted(path.name for path in checkout.rglob("*")) == ["mnist.safetensors", "sets"]


@pytest.mark.parametrize(("client", "status"), [("npm", 0), (None, 1)])
def test_a_set_without_any_client_is_out_of_reach(checkout, monkeypatch, capsys, client, status):
    (checkout / "data").mkdir()
    sources = '[{npm: "a@1", sha256: "0"}]'
    (checkout / "data" / "some.yaml").write_text(f"source: {{sources: {sources}}}\n")
    monkeypatch.setattr(shutil, "which", lambda name: name if name == client else None)
    found, lines = examine(capsys, checkout)
    assert found == status
    assert lines[-1] == (
        "ok       data set some: not fetched; can try npm"
        if client
        else "problem  data set some: out of reach: no client; install npm"
    )


def states(findings):
    return [(finding.state, finding.words) for finding in findings]


def test_packages(monkeypatch):
    installed = {"torch": "2.0.0+cpu", "snakemake": "8.30.1"}

    def version(name):
        if name not in installed:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(importlib.metadata, "version", version)
    found = [
        package_checks.package(name, pin)
        for name, pin in (
            ("torch", "2.0.0"),
            ("torch", "2.1.0"),
            ("snakemake", None),
            ("scipy", None),
        )
    ]
    assert states(found) == [
        ("ok", "2.0.0+cpu"),
        ("warning", "2.0.0+cpu, not the pinned 2.1.0"),
        ("problem", "8.30.1, older than 9"),
        ("problem", "not installed"),
    ]


def test_pins_are_compared_whatever_the_spelling(tmp_path):
    pins = "# pins\nPyYAML==0.0.1\nScikit_Learn==0.0.2\n"
    (tmp_path / "constraints.txt").write_text(pins)
    found = {f.subject: f.words for f in package_checks.packages(tmp_path / "constraints.txt")}
    assert found["pyyaml"].endswith("not the pinned 0.0.1")
    assert found["scikit-learn"].endswith("not the pinned 0.0.2")
    assert "pytest" not in found


def test_memory_against_the_largest_job(tmp_path):
    assert "nothing is planned yet" in memory(4096, tmp_path).words
    for scale, need in (("quick", 1000), ("paper", 5120)):
        index = {"batches": {"a": {"memory_mb": 10}, "b": {"memory_mb": need}}}
        write_text(tmp_path / scale / "sums" / "plan" / "index.json", canonical_json(index))
    write_text(tmp_path / "quick" / "other" / "plan" / "index.json", "{")
    words = "; the largest job, of sums at scale paper, asks for 5.0"
    assert states([memory(4096, tmp_path), memory(8192, tmp_path)]) == [
        ("problem", f"4.0 GiB{words}"),
        ("ok", f"8.0 GiB{words}"),
    ]


def test_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert threads().state == "ok"
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert states([threads()]) == [("warning", "OMP_NUM_THREADS=4")]


def test_a_folder_that_behaves(tmp_path):
    size, behaviour = folder("results folder", tmp_path / "not" / "there", 0)
    assert size.state == "ok"
    assert states([behaviour]) == [("ok", "atomic moves, hard links, exact times, file locks")]
    assert not list(tmp_path.iterdir())


def fails(code):
    def call(*_, **__):
        raise OSError(code, os.strerror(code))

    return call


def coarse(path, times=None, *, ns=None, set_time=os.utime):
    set_time(path, ns and tuple(moment // 10**9 for moment in ns))


def late(now=time.time):
    return now() + 60


@pytest.mark.parametrize(
    ("name", "call", "state", "words"),
    [
        ("os.link", fails(errno.EPERM), "warning", "no hard links"),
        ("os.utime", coarse, "warning", "times in whole seconds"),
        ("fcntl.flock", fails(errno.ENOLCK), "warning", "no file locks"),
        ("time.time", late, "warning", "its clock is"),
        ("tempfile.TemporaryDirectory", fails(errno.EROFS), "problem", "cannot be written"),
        ("pathlib.Path.replace", shutil.copyfile, "problem", "a file cannot be replaced"),
    ],
)
def test_a_folder_that_does_not(tmp_path, monkeypatch, name, call, state, words):
    monkeypatch.setattr(name, call)
    (found,) = [f for f in folder("data folder", tmp_path, 0) if f.state != "ok"]
    assert found.state == state
    assert found.words.startswith(words)
    assert found.advice


def test_room_that_is_taken_by_the_results_counts(tmp_path, monkeypatch):
    (tmp_path / "results").write_bytes(bytes(3 * 2**20))
    usage = shutil.disk_usage(tmp_path)._replace(free=2 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert next(folder("results folder", tmp_path, 5)).state == "ok"
    short = next(folder("results folder", tmp_path, 6))
    assert short.state == "problem"
    assert short.advice.startswith("make room")


def test_a_lock(tmp_path, monkeypatch):
    locks = tmp_path / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    assert lock(tmp_path).words == "none, a run can start"
    (locks / "0.input.lock").write_text("a\n")
    left = lock(tmp_path)
    assert left.state == "warning"
    assert "snakemake --unlock" in left.advice
    # A process that looks like a Snakemake: here, and elsewhere.
    program = tmp_path / "snakemake"
    program.write_text("import time\ntime.sleep(60)\n")
    (tmp_path / "elsewhere").mkdir()
    with subprocess.Popen([sys.executable, program], cwd=tmp_path) as process:
        try:
            end = time.monotonic() + 10
            while lock(tmp_path) == left and time.monotonic() < end:
                time.sleep(0.05)
            assert lock(tmp_path).words == f"a Snakemake is at work here, process {process.pid}"
            assert lock(tmp_path / "elsewhere").words == "none, a run can start"
        finally:
            process.kill()


def test_slurm(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert states(cluster()) == [("ok", "none found, jobs run on this machine")]
    scripts = {
        "sbatch": "echo slurm-wlm 22.05.8",
        "squeue": "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1",
        "munge": "exit 3",
    }
    for name, script in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert states(cluster()) == [
        ("ok", "slurm-wlm 22.05.8"),
        ("warning", "slurm_load_jobs error: Unable to contact slurm controller"),
        ("warning", "status 3"),
        ("warning", "not installed"),
    ]
