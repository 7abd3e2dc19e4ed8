"""Plan files: what each job reads, rewritten only where its content differs.

A plan file is the job's input, so Snakemake reruns exactly the jobs whose plan changed, and an
edit of a configuration in the middle of a run does not leak into jobs not yet started.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dimlaws.errors import ConfigError, CorruptFileError, DimlawsError, nearest
from dimlaws.plan.checked import INDEX
from dimlaws.plan.composition import experiment_names, hydra_folder
from dimlaws.plan.data_sets import fetched_set
from dimlaws.plan.experiment import LONGEST_NAME, ExperimentPlan, plan_experiment
from dimlaws.plan.reading import check_file
from dimlaws.plan.runs import Batch
from dimlaws.plan.size import MOST_MEMORY_MB, MOST_SECONDS, Size, batch_size
from dimlaws.seals import read_sealed_json, sha256, write_sealed_json
from dimlaws.signature import PACKAGE
from dimlaws.storage import canonical_json, write_text_if_changed
from dimlaws.validation import targets

RESERVED = ("figures", "logs", "report")
"""Folders that stand beside those of the experiments."""


class PlanInUseError(DimlawsError):
    """A plan that must not change, since a Snakemake works by it."""


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
    While a Snakemake is at work in the folder that holds ``results``, nothing is written.

    Raises
    ------
    ConfigError
        if the scale does not exist, or a configuration is at fault.
    PlanInUseError
        if what a Snakemake at work goes by would change.
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
        for file in sorted(folder.rglob("*.yaml")):
            check_file(file, f"config/{file.relative_to(folder)}")
        with hydra_folder(folder):
            # All plans are made before the first is written: a fault leaves the old ones.
            plans = [plan_experiment(folder, name, scale) for name in stale]
    planned = {plan.name: _index(plan) for plan in plans}
    indices = [planned.get(name) or _read_index(files[name]) for name in names]
    _check_together(indices)
    if in_use(results.parent):
        # What changes no content, such as a comment, is as good as planned.
        for plan in plans:
            _check_unchanged(files[plan.name], plan, planned[plan.name])
        return indices
    for plan in plans:
        _write(files[plan.name], plan, keys[plan.name], planned[plan.name])
    return indices


def _check_names(experiments: list[str]) -> None:
    for name in experiments:
        if not re.fullmatch(rf"[A-Za-z0-9_]{{1,{LONGEST_NAME}}}", name) or name in RESERVED:
            raise ConfigError(
                f"config/experiment/{repr(name)[1:-1]}.yaml: rename the file: the name of an "
                f"experiment is at most {LONGEST_NAME} letters, digits and underscores, and none "
                f"of {', '.join(RESERVED)}"
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
    return results / scale / name / "plan" / INDEX


def _is_current(file: Path, key: str) -> bool:
    """Whether a plan was made from what ``key`` stands for, and all its files are whole."""
    try:
        index = read_sealed_json(file)
        return index["key"] == key and all(
            sha256((file.parent / f"{name}.json").read_bytes()) == checksum
            for name, checksum in index["checksums"].items()
        )
    except (FileNotFoundError, CorruptFileError):
        return False


def _read_index(file: Path) -> Index:
    if not file.is_file():
        raise DimlawsError(f"{file} is missing: nothing was planned here; run `dimlaws plan`")
    content = read_sealed_json(file)
    return Index(**{key: content[key] for key in content.keys() - {"key", "checksums"}})


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
            **asdict(_checked_size(plan, batch)),
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


def _checked_size(plan: ExperimentPlan, batch: Batch) -> Size:
    size = batch_size(batch)
    if size.memory_mb > MOST_MEMORY_MB or size.train_seconds > MOST_SECONDS:
        raise ConfigError(
            f"config/experiment/{plan.name}.yaml: data, model, training: {len(batch.runs)} runs "
            f"would hold {size.memory_mb:.1e} MB and train for {size.train_seconds:.1e} s, by "
            f"estimate; at most {MOST_MEMORY_MB:.1e} MB and {MOST_SECONDS:.1e} s are allowed"
        )
    return size


def _write(index_file: Path, plan: ExperimentPlan, key: str, index: Index) -> None:
    texts = {name: canonical_json(content) for name, content in _contents(plan).items()}
    # Until all files are written, no index says that they belong together.
    index_file.unlink(missing_ok=True)
    files = {index_file.parent / f"{name}.json": text for name, text in texts.items()}
    for file, text in files.items():
        write_text_if_changed(file, text)
    for file in index_file.parent.glob("**/*.json"):
        if file not in files:
            file.unlink()
    write_sealed_json(index_file, {"key": key, "checksums": _checksums(texts), **asdict(index)})


def _checksums(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: sha256(text.encode()) for name, text in texts.items()}


def in_use(folder: Path) -> bool:
    """Whether a Snakemake holds a lock on its working directory, or did when it was killed."""
    return any((folder / ".snakemake" / "locks").glob("*.lock"))


def _check_unchanged(index_file: Path, plan: ExperimentPlan, index: Index) -> None:
    """Raise ``PlanInUseError`` unless the plan on disk is the same but for its key."""
    try:
        found = read_sealed_json(index_file)
    except (FileNotFoundError, CorruptFileError):
        found = {}
    texts = {name: canonical_json(content) for name, content in _contents(plan).items()}
    planned = {"checksums": _checksums(texts), **asdict(index)}
    if canonical_json({**found, **planned}) != canonical_json(found):
        raise PlanInUseError(
            f"the plan of {plan.name} at scale {plan.scale} would change, but a Snakemake is at "
            "work here, so nothing was changed: wait for its end or, if none is running any "
            "more, say `snakemake --unlock`"
        )


def _contents(plan: ExperimentPlan) -> Mapping[str, Any]:
    """Return what each plan file holds, by its name without suffix."""
    contents: dict[str, Any] = {"measures": plan.measures, "claims": plan.claims}
    for batch in plan.batches:
        contents[batch.id] = {
            "experiment": plan.name,
            "batch": batch.id,
            "runs": [
                {"id": run.id, "seed": run.seed, "config": run.config, "swept": run.swept}
                for run in batch.runs
            ],
        }
    return {**contents, **{f"figures/{name}": node for name, node in plan.figures.items()}}
