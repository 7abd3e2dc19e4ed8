"""Plan files: what each job reads, rewritten only where its content differs.

A plan file is the job's input, so Snakemake reruns exactly the jobs whose plan changed, and an
edit of a configuration in the middle of a run does not leak into jobs not yet started.
"""

import hashlib
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dimlaws.errors import ConfigError, CorruptFileError, DimlawsError, nearest
from dimlaws.plan.composition import experiment_names, hydra_folder
from dimlaws.plan.data_sets import fetched_set
from dimlaws.plan.experiment import ExperimentPlan, plan_experiment
from dimlaws.plan.size import batch_size
from dimlaws.signature import PACKAGE
from dimlaws.storage import canonical_json, read_json, write_text, write_text_if_changed
from dimlaws.validation import targets

RESERVED = ("figures", "logs", "report")
"""Folders that stand beside those of the experiments."""


@dataclass(frozen=True)
class Index:
    """What the workflow needs to know of a planned experiment to lay out its jobs.

    ``batches`` maps a batch id to its ``runs`` (how many), the fetched data ``sets`` it reads, the
    ``targets`` (configured classes and functions) that its training or study depends on, and its
    ``memory_mb`` and ``train_seconds`` (see ``size``).
    ``measures`` and ``quantities`` are targets, ``figures`` maps names to targets;
    ``figure_experiments`` gives the experiments whose runs a figure draws, ``claim_figures`` the
    figure that shows a claim, of this experiment or another, or None.
    """

    name: str
    description: str
    trains: bool
    simulates: bool
    batches: dict[str, dict[str, Any]]
    measures: list[str]
    quantities: list[str]
    figures: dict[str, str]
    figure_experiments: dict[str, list[str]]
    claim_figures: dict[str, str | None]


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
    if not folder.is_dir():
        raise ConfigError(f"no folder {str(folder)!r} here; run this where the Snakefile lies")
    if scale not in scale_names(folder):
        raise ConfigError(f"no scale {scale!r}; {nearest(scale, scale_names(folder))}")
    names = experiment_names(folder)
    _check_names(names)
    keys = _keys(folder, names) if write else {}
    files = {name: _index_file(results, scale, name) for name in names}
    stale = [name for name in keys if not _is_current(files[name], keys[name])]
    plans = []
    if stale:
        with hydra_folder(folder):
            # All plans are made before the first is written: a fault leaves the old ones.
            plans = [plan_experiment(folder, name, scale) for name in stale]
    planned = {plan.name: _index(plan) for plan in plans}
    indices = [planned.get(name) or _read_index(files[name]) for name in names]
    _check_together(indices)
    for plan in plans:
        _write(files[plan.name], plan, {"key": keys[plan.name], **asdict(planned[plan.name])})
    return indices


def _check_names(experiments: list[str]) -> None:
    for name in experiments:
        if not re.fullmatch(r"[A-Za-z0-9_]+", name) or name in RESERVED:
            raise ConfigError(
                f"config/experiment/{name}.yaml: rename the file: the name of an experiment is "
                f"letters, digits and underscores, and none of {', '.join(RESERVED)}"
            )


def _keys(folder: Path, names: list[str]) -> dict[str, str]:
    """Return a digest for each experiment of all files that its plan depends on."""
    shared = hashlib.sha256()
    for root, pattern in ((folder, "*.yaml"), (PACKAGE, "*.py")):
        for file in sorted(root.rglob(pattern)):
            if file.parent != folder / "experiment":
                shared.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
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
    """Whether a plan was made from what ``key`` stands for, and all its files are in place."""
    try:
        index = read_json(file)
    except (FileNotFoundError, CorruptFileError):
        return False
    if not isinstance(index, dict) or index.get("key") != key:
        return False
    names = ["measures", "claims", *index["batches"], *(f"figures/{f}" for f in index["figures"])]
    return all((file.parent / f"{name}.json").is_file() for name in names)


def _read_index(file: Path) -> Index:
    if not file.is_file():
        raise DimlawsError(f"{file} is missing: nothing was planned here; run `dimlaws plan`")
    content = read_json(file)
    del content["key"]
    return Index(**content)


def _check_together(indices: list[Index]) -> None:
    """Figures share one folder and verdicts one table, so names differ between experiments."""
    owners: dict[tuple[str, str], str] = {}
    for index in indices:
        named = [("figures", name) for name in index.figures]
        for section, name in [*named, *(("claims", name) for name in index.claim_figures)]:
            owner = owners.setdefault((section, name), index.name)
            if owner != index.name:
                raise ConfigError(
                    f"config/experiment/{index.name}.yaml: {section}.{name}: the experiment "
                    f"{owner} has one of that name; names must differ"
                )
    figures = {name for section, name in owners if section == "figures"}
    for index in indices:
        for claim, figure in index.claim_figures.items():
            if figure is not None and figure not in figures:
                raise ConfigError(
                    f"config/experiment/{index.name}.yaml: claims.{claim}.figure: no experiment "
                    f"has a figure {figure!r}; {nearest(figure, figures)}"
                )


def _index(plan: ExperimentPlan) -> Index:
    batches = {}
    for batch in plan.batches:
        nodes = [node for run in batch.runs for node in run.config.values() if node is not None]
        sets = {fetched_set(run.config["data"]) for run in batch.runs} - {None}
        batches[batch.id] = {
            "runs": len(batch.runs),
            "sets": sorted(str(name) for name in sets),
            "targets": sorted({target for node in nodes for target in targets(node)}),
            **asdict(batch_size(batch)),
        }
    figures = sorted(plan.figures.items())
    return Index(
        name=plan.name,
        description=plan.description,
        trains=plan.trains,
        simulates=plan.simulates,
        batches=batches,
        measures=sorted({target for node in plan.measures.values() for target in targets(node)}),
        quantities=sorted({claim["quantity"]["_target_"] for claim in plan.claims.values()}),
        figures={name: node["_target_"] for name, node in figures},
        figure_experiments={name: node.get("experiments", [plan.name]) for name, node in figures},
        claim_figures={name: node.get("figure") for name, node in plan.claims.items()},
    )


def _write(index_file: Path, plan: ExperimentPlan, index: dict[str, Any]) -> None:
    folder = index_file.parent
    contents: dict[Path, Any] = {
        folder / "measures.json": plan.measures,
        folder / "claims.json": plan.claims,
    }
    for batch in plan.batches:
        contents[folder / f"{batch.id}.json"] = {
            "experiment": plan.name,
            "batch": batch.id,
            "runs": [
                {"id": run.id, "seed": run.seed, "config": run.config, "swept": run.swept}
                for run in batch.runs
            ],
        }
    for name, node in plan.figures.items():
        contents[folder / "figures" / f"{name}.json"] = node
    # Until all files are written, no index says that they belong together.
    index_file.unlink(missing_ok=True)
    for file, content in contents.items():
        write_text_if_changed(file, canonical_json(content))
    for file in folder.glob("**/*.json"):
        if file not in contents:
            file.unlink()
    write_text(index_file, canonical_json(index))
