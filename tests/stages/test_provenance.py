import hashlib
import json
import platform
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dimlaws.errors import CorruptFileError
from dimlaws.seals import read_sealed_json, sha256, write_sealed_json
from dimlaws.stages.provenance import git_state, write_provenance
from dimlaws.storage import canonical_json, write_sealed, write_text

SHA = hashlib.sha256(b"set").hexdigest()
# As Snakemake writes it.
BENCHMARK = "s\th:m:s\tmax_rss\tcpu_time\n2.5\t0:00:02\t100.00\t0.01\n"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def run(number: int, *, model: bool, fetched: bool) -> dict[str, object]:
    data = {"_target_": "dimlaws.data.image.ImageSet", "name": "mnist", "sha256": SHA}
    config = {
        "data": data if fetched else {"_target_": "dimlaws.data.manifolds.Cube"},
        "model": {"_target_": "dimlaws.models.mlp.Mlp"} if model else None,
        "training": {"_target_": "dimlaws.training.recipe.Recipe"} if model else None,
    }
    return {"id": f"run{number}", "seed": number, "config": config, "swept": {"seed": number}}


def experiment(root: Path, name: str, batches: dict[str, list[dict[str, object]]]) -> Path:
    write_text(root / "config" / "experiment" / f"{name}.yaml", "")
    folder = root / "results" / "smoke" / name
    checksums = {}
    for batch, runs in batches.items():
        plan = canonical_json({"experiment": name, "batch": batch, "runs": runs})
        write_text(folder / "plan" / f"{batch}.json", plan)
        checksums[batch] = sha256(plan.encode())
    index = {"key": f"key-{name}", "name": name, "batches": {batch: {} for batch in batches}}
    write_sealed_json(folder / "plan" / "index.json", {**index, "checksums": checksums})
    return folder


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    trained = [run(number, model=True, fetched=True) for number in (3, 1, 2)]
    folder = experiment(tmp_path, "trained", {"aaa": trained})
    arrays = {"diverged_step": np.array([-1, 0, 7])}
    write_sealed(folder / "trained" / "aaa.safetensors", arrays, {})
    write_text(folder / "benchmarks" / "train" / "aaa.tsv", BENCHMARK)
    write_text(folder / "logs" / "train" / "aaa.cpu", "1.25 0.50 0.70\n")
    write_text(folder / "benchmarks" / "measure" / "aaa.tsv", BENCHMARK)
    write_text(folder / "logs" / "measure" / "aaa.cpu", "1.25\n")
    measured = {
        "bbb": [run(5, model=False, fetched=False)],
        "ccc": [run(6, model=False, fetched=False)],
    }
    folder = experiment(tmp_path, "measured", measured)
    write_text(folder / "benchmarks" / "measure" / "bbb.tsv", BENCHMARK)
    write_text(folder / "logs" / "measure" / "bbb.cpu", "1.25\n")
    config = {"data": None, "model": None, "training": None, "study": {"_target_": "dimlaws.a.b"}}
    study = [{"id": "run7", "seed": 7, "config": config, "swept": {}}]
    folder = experiment(tmp_path, "study", {"ddd": study})
    write_text(folder / "benchmarks" / "simulate" / "ddd.tsv", BENCHMARK)
    write_text(folder / "logs" / "simulate" / "ddd.cpu", "1.25\n")
    # Left over from an experiment whose file was removed.
    write_text(tmp_path / "results" / "smoke" / "gone" / "plan" / "index.json", "{}")
    return tmp_path


def provenance(root: Path) -> dict[str, object]:
    output = root / "results" / "smoke" / "provenance.json"
    write_provenance("smoke", Path("results"), output)
    text = output.read_text()
    assert text == canonical_json(json.loads(text))
    return read_sealed_json(output)


def test_experiments(workplace):
    found = provenance(workplace)["experiments"]
    seconds = {"wall_seconds": 2.5, "cpu_seconds": 1.25}
    unknown = {"wall_seconds": None, "cpu_seconds": None}
    nothing = {
        "runs": 1,
        "diverged_runs": 0,
        **dict.fromkeys(("train", "simulate", "measure")),
    }
    assert found == {
        "trained": {
            "plan_key": "key-trained",
            "seeds": [1, 2, 3],
            "data_sha256": {"mnist": SHA},
            "runs": 3,
            # Steps 0 and 7; -1 says that a run did not diverge.
            "diverged_runs": 2,
            "batches": {
                "aaa": {
                    "runs": 3,
                    "diverged_runs": 2,
                    "train": seconds,
                    "simulate": None,
                    "measure": seconds,
                }
            },
        },
        "measured": {
            "plan_key": "key-measured",
            "seeds": [5, 6],
            "data_sha256": {},
            "runs": 2,
            "diverged_runs": 0,
            "batches": {
                "bbb": {**nothing, "measure": seconds},
                "ccc": {**nothing, "measure": unknown},
            },
        },
        "study": {
            "plan_key": "key-study",
            "seeds": [7],
            "data_sha256": {},
            "runs": 1,
            "diverged_runs": 0,
            "batches": {"ddd": {**nothing, "simulate": seconds}},
        },
    }


def test_machine_threads_and_packages(workplace, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    found = provenance(workplace)
    assert found["threads"]["OMP_NUM_THREADS"] == "3"
    assert found["threads"]["MKL_NUM_THREADS"] is None
    assert found["packages"]["numpy"] == np.__version__
    assert found["packages"]["pandas"] == pd.__version__
    assert found["packages"]["python"] == platform.python_version()
    assert None not in found["packages"].values()
    # The kernel's own figure, in KiB, is what of the physical memory it manages.
    stated = int(Path("/proc/meminfo").read_text().split()[1]) * 1024
    assert found["machine"]["memory_bytes"] == pytest.approx(stated, rel=1e-3)
    assert 1 <= found["machine"]["cores_usable"] <= found["machine"]["cores"]


def test_outside_a_repository_there_is_no_commit(workplace):
    assert provenance(workplace)["git"] == {"commit": None, "dirty": None}


def test_commit_and_dirtiness(tmp_path):
    git(tmp_path, "init", "--quiet")
    write_text(tmp_path / "code.py", "1")
    assert git_state(tmp_path, Path("results")) == {"commit": None, "dirty": True}
    write_text(tmp_path / "results" / "paper" / "verdicts.csv", "1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert git_state(tmp_path, Path("results")) == {"commit": commit, "dirty": False}
    # Results are what is being made: rewriting them does not make the code another one.
    write_text(tmp_path / "results" / "paper" / "verdicts.csv", "2")
    assert git_state(tmp_path, Path("results")) == {"commit": commit, "dirty": False}
    write_text(tmp_path / "config" / "new.yaml", "")
    assert git_state(tmp_path / "config", tmp_path / "results")["dirty"] is True


def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path, Path("results")) == {"commit": None, "dirty": None}


@pytest.mark.parametrize(
    "name",
    ["trained/aaa.safetensors", "plan/aaa.json", "plan/index.json"],
)
def test_damaged_files_are_refused(workplace, refused, name):
    file = Path("results", "smoke", "trained", name)
    assert refused(file, lambda: provenance(workplace), flips=25, cuts=5) > 0.8


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("logs/train/aaa.cpu", ""),
        ("logs/train/aaa.cpu", "1>25 0.50 0.70\n"),
        ("logs/train/aaa.cpu", "nan\n"),
        ("logs/train/aaa.cpu", "1.25 0."),
        ("benchmarks/train/aaa.tsv", ""),
        ("benchmarks/train/aaa.tsv", BENCHMARK[:20]),
        ("benchmarks/train/aaa.tsv", BENCHMARK[:-1]),
        ("benchmarks/train/aaa.tsv", BENCHMARK.replace("2.5", "-2.5")),
        ("benchmarks/train/aaa.tsv", BENCHMARK.replace("h", "\0")[1:]),
    ],
)
def test_times_that_are_none_are_named(workplace, name, text):
    write_text(workplace / "results" / "smoke" / "trained" / name, text)
    with pytest.raises(CorruptFileError, match=f"{name} does not hold .* delete it and rerun"):
        provenance(workplace)
