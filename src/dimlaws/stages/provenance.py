"""What was run, on what, with which code and data: ``provenance.json``."""

import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

from dimlaws.errors import CorruptFileError
from dimlaws.plan.checked import INDEX, check_plan_file
from dimlaws.plan.composition import experiment_names
from dimlaws.plan.data_sets import fetched_set
from dimlaws.seals import read_sealed_json, write_sealed_json
from dimlaws.stages.batchplan import BatchPlan
from dimlaws.storage import read_sealed

PACKAGES = (
    "hydra-core",
    "matplotlib",
    "numpy",
    "pandas",
    "pyarrow",
    "safetensors",
    "scikit-learn",
    "scipy",
    "snakemake",
    "torch",
)
"""Packages whose version can change a number or a figure."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def write_provenance(
    scale: str, results: Path, output: Path, *, config: Path = Path("config")
) -> None:
    """Write the provenance of everything at a scale as JSON with sorted keys and its checksum.

    Of each experiment in ``config``: the key of its plan, seeds, checksums of the data sets that
    it reads, numbers of runs and diverged runs, and wall and CPU seconds of each batch, null
    where no benchmark was kept. Machine and threads are those of this process.

    Raises
    ------
    CorruptFileError
        if a plan, a checkpoint or a file of times is not what the pipeline writes.
    """
    content = {
        "scale": scale,
        "git": git_state(Path.cwd(), results),
        "packages": package_versions(),
        "machine": machine(),
        "threads": {name: os.environ.get(name) for name in THREADS},
        "experiments": {
            name: _experiment(results / scale / name) for name in experiment_names(config)
        },
    }
    write_sealed_json(output, content)


def git_state(folder: Path, results: Path) -> dict[str, Any]:
    """Return ``commit`` and ``dirty`` of the work tree that holds ``folder``; None outside one.

    Files below ``results`` do not count: running at a committed scale rewrites them.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top is None:
        return {"commit": None, "dirty": None}
    paths = ["."]
    resolved = (folder / results).resolve()
    if resolved.is_relative_to(top):
        paths.append(f":(exclude,literal){resolved.relative_to(top)}")
    changes = _git(Path(top), "status", "--porcelain", "--", *paths)
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what a git command prints, or None where git or a repository is absent."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def package_versions() -> dict[str, str | None]:
    """Return the versions of Python, of this package and of those that the numbers depend on."""
    versions: dict[str, str | None] = {"python": platform.python_version()}
    for name in ("dimlaws", *PACKAGES):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def machine() -> dict[str, Any]:
    """Return platform, processor, usable and present cores, and memory in bytes."""
    return {
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "cores_usable": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    }


def _cpu_model() -> str | None:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or None
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or None)


def _experiment(folder: Path) -> dict[str, Any]:
    index = read_sealed_json(folder / "plan" / INDEX)
    seeds: set[int] = set()
    data: dict[str, str] = {}
    batches = {}
    for batch in index["batches"]:
        plan_file = folder / "plan" / f"{batch}.json"
        check_plan_file(plan_file)
        plan = BatchPlan.read(plan_file)
        for run in plan.runs:
            seeds.add(run["seed"])
            node = run["config"]["data"]
            name = fetched_set(node)
            if node is not None and name is not None:
                data[name] = node["sha256"]
        batches[batch] = _batch(folder, plan)
    return {
        "plan_key": index["key"],
        "seeds": sorted(seeds),
        "data_sha256": data,
        "runs": sum(entry["runs"] for entry in batches.values()),
        "diverged_runs": sum(entry["diverged_runs"] for entry in batches.values()),
        "batches": batches,
    }


def _batch(folder: Path, plan: BatchPlan) -> dict[str, Any]:
    diverged = 0
    if plan.trains:
        arrays, _ = read_sealed(folder / "trained" / f"{plan.batch}.safetensors")
        diverged = int((arrays["diverged_step"] >= 0).sum())
    return {
        "runs": len(plan.runs),
        "diverged_runs": diverged,
        "train": _seconds(folder, "train", plan.batch) if plan.trains else None,
        "simulate": _seconds(folder, "simulate", plan.batch) if plan.simulates else None,
        "measure": None if plan.simulates else _seconds(folder, "measure", plan.batch),
    }


def _seconds(folder: Path, stage: str, batch: str) -> dict[str, float | None]:
    """Return the wall time of the job's benchmark and the CPU time beside its log, or null.

    The benchmark's own CPU time is not used: it is that of the last sample, up to 30 s too early.
    """
    benchmark = folder / "benchmarks" / stage / f"{batch}.tsv"
    cpu = folder / "logs" / stage / f"{batch}.cpu"
    return {
        "wall_seconds": _first_number(benchmark, r"s\t.*\n(\S+)\t.*\n"),
        "cpu_seconds": _first_number(cpu, r"(\S+)( .*)?\n"),
    }


def _first_number(file: Path, pattern: str) -> float | None:
    """Return the number of seconds that a file holds, None if there is no file."""
    if not file.is_file():
        return None
    found = re.fullmatch(pattern, file.read_text(encoding="utf-8", errors="replace"))
    if found is None or not re.fullmatch(r"\d+\.\d+", found[1]):
        raise CorruptFileError(f"{file} does not hold a number of seconds; delete it and rerun")
    return float(found[1])
