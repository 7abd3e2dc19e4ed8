"""One experiment at one scale: its batches, measures, claims and figures, all checked."""

import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dimlaws.claims.chapters import CHAPTERS
from dimlaws.errors import ConfigError, nearest
from dimlaws.instantiate import instantiate
from dimlaws.plan.composition import PARTS, Composed, compose, experiment_names, file_of_key
from dimlaws.plan.data_sets import fetched_set, pinned_checksum
from dimlaws.plan.reading import check_plain
from dimlaws.plan.resolution import Resolver, resolve_sections
from dimlaws.plan.runs import Batch, PlannedRun, plan_batches, plan_run
from dimlaws.plan.sweep import axes, points, split_axes
from dimlaws.signature import Kind
from dimlaws.studies import study_name
from dimlaws.types import Bounds
from dimlaws.validation import Node, check_node, check_value, without_defaults

CLAIM = "dimlaws.claims.claim.Claim"
TOP_LEVEL = {
    *PARTS,
    "claims",
    "constants",
    "description",
    "figures",
    "max_runs_per_batch",
    "measures",
    "scale",
    "seed",
    "size",
    "sizes",
    "source",
}
"""Keys that an experiment may set; ``constants``, ``size`` and ``sizes`` are for interpolation."""

SECTIONS = ("description", "max_runs_per_batch", "measures", "claims", "figures")
"""Keys that belong to all runs of an experiment."""

LONGEST_NAME = 100
"""Characters of a name that becomes a part of paths: a folder holds names of 255 bytes."""

LONGEST_MESSAGE = 1000


@dataclass(frozen=True)
class ExperimentPlan:
    """All that one experiment asks of the pipeline at one scale."""

    name: str
    scale: str
    description: str
    batches: list[Batch]
    measures: dict[str, Node]
    claims: dict[str, Node]
    figures: dict[str, Node]

    @property
    def trains(self) -> bool:
        """Whether there is anything to train."""
        return any(run.config["model"] for batch in self.batches for run in batch.runs)

    @property
    def simulates(self) -> bool:
        """Whether the runs are those of a study."""
        return any("study" in run.config for batch in self.batches for run in batch.runs)

    @property
    def measure_names(self) -> set[str]:
        """What can stand in the column ``measure`` of the records."""
        nodes = (run.config.get("study") for batch in self.batches for run in batch.runs)
        return {*self.measures, *(study_name(node) for node in nodes if node is not None)}


def plan_experiment(folder: Path, name: str, scale: str) -> ExperimentPlan:
    """Plan one experiment, inside ``hydra_folder(folder)``; raise ``ConfigError`` at any fault.

    The message is one line, and starts with the file that the faulty key stands in.
    """
    try:
        return _planned(folder, name, scale)
    except ConfigError as error:
        # Keys and values of the configuration stand in it, whatever they hold.
        line = textwrap.shorten(str(error), LONGEST_MESSAGE, placeholder=" ...")
        raise ConfigError(line) from None


def _planned(folder: Path, name: str, scale: str) -> ExperimentPlan:
    composed = compose(name, scale)
    with _located(folder, name, composed.choices):
        _check_keys(composed)
        swept = axes(composed.sweep)
    runs = _runs(folder, name, scale, composed, swept)
    with _located(folder, name, composed.choices):
        sections = resolve_sections(composed.config, SECTIONS, swept)
        for section, value in sections.items():
            check_plain(value, section)
        check_value(sections["description"], Kind(scalar=str, optional=True), "description")
        plan = ExperimentPlan(
            name=name,
            scale=scale,
            description=str(sections["description"] or ""),
            batches=plan_batches(runs, _most_runs(sections)),
            measures=measure_nodes(sections, runs[0]),
            claims={
                claim: {**node, "_target_": CLAIM}
                for claim, node in _mappings(sections, "claims", r"[A-Za-z0-9_-]+")
            },
            figures=dict(_mappings(sections, "figures", r"[A-Za-z0-9_]+")),
        )
        _check_claims(folder, plan)
        _check_figures(folder, plan)
    return plan


@contextmanager
def _located(folder: Path, name: str, choices: dict[str, str]) -> Iterator[None]:
    """Put the file that the faulty key stands in before the message of a ``ConfigError``."""
    try:
        yield
    except ConfigError as error:
        key = str(error).partition(":")[0]
        raise ConfigError(f"{file_of_key(folder, name, choices, key)}: {error}") from None


def _runs(
    folder: Path, name: str, scale: str, composed: Composed, swept: dict[str, list[Any]]
) -> list[PlannedRun]:
    group_axes, key_axes = split_axes(swept)
    runs: dict[str, PlannedRun] = {}
    checked: set[str] = set()
    for key, values in group_axes.items():
        for option in values:
            if not isinstance(option, str) or not re.fullmatch(r"[\w./-]+", option):
                raise ConfigError(
                    f"{file_of_key(folder, name, composed.choices, key)}: "
                    f"hydra.sweeper.params.{key}: {option!r} is not the name of an option"
                )
    for options in points(group_axes):
        overrides = [f"{group}={option}" for group, option in options.items()]
        chosen = compose(name, scale, overrides) if options else composed
        with _located(folder, name, chosen.choices):
            _check_keys(chosen)
            resolver = Resolver(chosen.config)
            for point in points(key_axes):
                resolved = resolver.resolve(point)
                for part, value in resolved.items():
                    check_plain(value, part)
                run = plan_run(resolved, {**options, **point})
                twin = runs.setdefault(run.id, run)
                if twin is not run:
                    raise ConfigError(
                        f"hydra.sweeper.params: {twin.swept} and {run.swept} give the same run; "
                        "sweep only keys that the run depends on"
                    )
                _check_objects(folder, run, checked)
    return list(runs.values())


def _most_runs(sections: dict[str, Any]) -> int:
    most = sections["max_runs_per_batch"]
    check_value(most, Kind(scalar=int, bounds=Bounds(low=1)), "max_runs_per_batch")
    assert isinstance(most, int)
    return most


def _check_keys(composed: Composed) -> None:
    for key in composed.config:
        if key not in TOP_LEVEL:
            raise ConfigError(f"{key}: unknown key; {nearest(str(key), TOP_LEVEL)}")


def _mappings(sections: dict[str, Any], section: str, names: str) -> list[tuple[str, Node]]:
    """Return the named nodes of a section; a null leaves out what a group had brought in."""
    found = {} if sections[section] is None else sections[section]
    if not isinstance(found, dict):
        raise ConfigError(f"{section}: expected a mapping of names to {section}")
    for key, node in found.items():
        # Names become parts of paths and of addresses.
        if not re.fullmatch(names, str(key)):
            raise ConfigError(f"{section}.{key}: names consist of {names}")
        if len(str(key)) > LONGEST_NAME:
            raise ConfigError(f"{section}: {len(key)} characters in a name; at most {LONGEST_NAME}")
        if node is not None and not isinstance(node, dict):
            raise ConfigError(f"{section}.{key}: expected a mapping")
    return [(str(key), node) for key, node in sorted(found.items()) if node is not None]


def measure_nodes(sections: dict[str, Any], run: PlannedRun) -> dict[str, Node]:
    """Return the checked measures of a resolved configuration by name, without defaults.

    ``run`` is any run of the experiment: those of a study have none, all others at least one.
    """
    nodes = dict(_mappings(sections, "measures", r"[A-Za-z0-9_]+"))
    if "study" in run.config:
        if nodes:
            names = ", ".join(nodes)
            raise ConfigError(f"study: it makes its records itself; drop the measures {names}")
        return {}
    if not nodes:
        raise ConfigError("measures are missing: an experiment needs at least one to have records")
    for key, node in nodes.items():
        check_node(node, f"measures.{key}", "dimlaws.measures")
    # A default written out is no change, and measures nothing again.
    return {key: without_defaults(node) for key, node in nodes.items()}


def _check_claims(folder: Path, plan: ExperimentPlan) -> None:
    papers = yaml.safe_load((folder / "papers.yaml").read_text(encoding="utf-8"))
    if not isinstance(papers, dict):
        raise ConfigError("claims: config/papers.yaml is not a mapping of keys to papers")
    for name, node in plan.claims.items():
        where = f"claims.{name}"
        quantity = check_node(node.get("quantity"), f"{where}.quantity", "dimlaws.claims")
        check_node(node, where)
        if node["chapter"] not in CHAPTERS:
            chapters = ", ".join(map(str, CHAPTERS))
            raise ConfigError(f"{where}.chapter: no chapter {node['chapter']}; valid: {chapters}")
        if node["paper"] not in papers:
            hint = nearest(node["paper"], papers)
            raise ConfigError(f"{where}.paper: {node['paper']!r} is not in papers.yaml; {hint}")
        measure = quantity.get("measure")
        if measure is not None and measure not in plan.measure_names:
            hint = nearest(measure, plan.measure_names)
            raise ConfigError(f"{where}.quantity.measure: no measure {measure!r} here; {hint}")
        _instantiate(node, where)


def _check_figures(folder: Path, plan: ExperimentPlan) -> None:
    for name, node in plan.figures.items():
        where = f"figures.{name}"
        own = {key: value for key, value in node.items() if key != "experiments"}
        check_node(own, where, "dimlaws.figures")
        names = experiment_names(folder)
        drawn = node.get("experiments", [plan.name])
        if not isinstance(drawn, list) or not drawn:
            raise ConfigError(f"{where}.experiments: {drawn!r} is not a list of experiments")
        for experiment in drawn:
            if experiment not in names:
                hint = nearest(str(experiment), names)
                raise ConfigError(f"{where}.experiments: no experiment {experiment!r}; {hint}")


def _check_objects(folder: Path, run: PlannedRun, checked: set[str]) -> None:
    """Build the data set and the training recipe of a run: they check keys against one another.

    Models are left out, since building one would import torch. ``checked`` are those done before.
    """
    for group in ("data", "training"):
        node = run.config[group]
        if node is not None and str(node) not in checked:
            checked.add(str(node))
            _instantiate(node, group)
            if group == "data":
                _check_pin(folder, node)


def _instantiate(node: Node, where: str) -> None:
    try:
        instantiate(node)
    except ConfigError as error:
        text = str(error)
        raise ConfigError(text if text.startswith(f"{where}.") else f"{where}: {text}") from None


def _check_pin(folder: Path, node: Node) -> None:
    name = fetched_set(node)
    if name is None:
        return
    try:
        pinned = pinned_checksum(folder, name)
    except ConfigError as error:
        raise ConfigError(f"data.name: {error}") from None
    if node["sha256"] != pinned:
        raise ConfigError(f"data.sha256: must be the one pinned in config/data/{name}.yaml")
