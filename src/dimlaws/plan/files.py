"""Plan files: what each job reads, rewritten only where its content differs.

A plan file is the job's input, so Snakemake reruns exactly the jobs whose plan changed, and an
edit of a configuration in the middle of a run does not leak into jobs not yet started.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dimlaws.errors import ConfigError, nearest
from dimlaws.plan.composition import experiment_names, hydra_folder
from dimlaws.plan.experiment import ExperimentPlan, fetched_set, plan_experiment
from dimlaws.signature import PACKAGE
from dimlaws.storage import canonical_json, read_json, write_text_if_changed


@dataclass(frozen=True)
class Index:
    """What the workflow needs to know of a planned experiment to lay out its jobs.

    ``batches`` maps a batch id to its ``runs`` (how many), the fetched data ``sets`` it reads and
    the ``targets`` (configured classes and functions) that its training depends on.
    ``measures``, ``quantities`` and ``figures`` map names to targets; ``figure_experiments`` gives
    the experiments whose runs a figure draws.
    """

    name: str
    description: str
    trains: bool
    batches: dict[str, dict[str, Any]]
    measures: list[str]
    quantities: list[str]
    figures: dict[str, str]
    figure_experiments: dict[str, list[str]]


def scale_names(folder: Path) -> list[str]:
    """Return the names of the scales in a configuration folder, sorted."""
    return sorted(file.stem for file in (folder / "scale").glob("*.yaml"))


def plan_all(folder: Path, results: Path, scale: str, *, write: bool) -> list[Index]:
    """Return the index of every experiment at a scale, planning again those that changed.

    With ``write=False`` the plan on disk is read as it stands: a job on a cluster must not plan.

    Raises
    ------
    ConfigError
        if the scale does not exist, or a configuration is at fault.
    """
    if scale not in scale_names(folder):
        raise ConfigError(f"no scale {scale!r}; {nearest(scale, scale_names(folder))}")
    names = experiment_names(folder)
    if write:
        stale = {
            name: key
            for name, key in _keys(folder, names).items()
            if not _is_current(_index_file(results, scale, name), key)
        }
        if stale:
            with hydra_folder(folder):
                # All plans are made before the first is written: a fault leaves the old ones.
                plans = [plan_experiment(folder, name, scale) for name in stale]
            for plan in plans:
                _write(results, plan, stale[plan.name])
    return [_read_index(_index_file(results, scale, name)) for name in names]


def _keys(folder: Path, names: list[str]) -> dict[str, str]:
    """Return a digest for each experiment of all files that its plan depends on."""
    shared = hashlib.sha256()
    files = [file for file in folder.rglob("*.yaml") if file.parent.name != "experiment"]
    for file in sorted([*files, *PACKAGE.rglob("*.py")]):
        shared.update(file.name.encode() + b"\0" + file.read_bytes())
    keys = {}
    for name in names:
        own = shared.copy()
        own.update((folder / "experiment" / f"{name}.yaml").read_bytes())
        own.update("\n".join(names).encode())
        keys[name] = own.hexdigest()
    return keys


def _index_file(results: Path, scale: str, name: str) -> Path:
    return results / scale / name / "plan" / "index.json"


def _is_current(file: Path, key: str) -> bool:
    return file.is_file() and read_json(file)["key"] == key


def _read_index(file: Path) -> Index:
    content = read_json(file)
    del content["key"]
    return Index(**content)


def _write(results: Path, plan: ExperimentPlan, key: str) -> None:
    folder = _index_file(results, plan.scale, plan.name).parent
    contents: dict[Path, Any] = {
        folder / "measures.json": plan.measures,
        folder / "claims.json": plan.claims,
    }
    batches = {}
    for batch in plan.batches:
        contents[folder / f"{batch.id}.json"] = {
            "experiment": plan.name,
            "batch": batch.id,
            "runs": [
                {"id": run.id, "seed": run.seed, "config": run.config, "swept": run.swept}
                for run in batch.runs
            ],
        }
        nodes = [node for run in batch.runs for node in run.config.values() if node is not None]
        sets = {fetched_set(run.config["data"]) for run in batch.runs} - {None}
        batches[batch.id] = {
            "runs": len(batch.runs),
            "sets": sorted(str(name) for name in sets),
            "targets": sorted({node["_target_"] for node in nodes}),
        }
    for name, node in plan.figures.items():
        contents[folder / "figures" / f"{name}.json"] = node
    for file, content in contents.items():
        write_text_if_changed(file, canonical_json(content))
    for file in folder.glob("**/*.json"):
        if file not in contents and file.name != "index.json":
            file.unlink()
    index = {
        "key": key,
        "name": plan.name,
        "description": plan.description,
        "trains": plan.trains,
        "batches": batches,
        "measures": sorted({node["_target_"] for node in plan.measures.values()}),
        "quantities": sorted({claim["quantity"]["_target_"] for claim in plan.claims.values()}),
        "figures": {name: node["_target_"] for name, node in plan.figures.items()},
        "figure_experiments": {
            name: node.get("experiments", [plan.name]) for name, node in plan.figures.items()
        },
    }
    # Written last: its presence says that every other plan file is in place.
    write_text_if_changed(folder / "index.json", canonical_json(index))
