"""One experiment at one scale: its batches, measures, claims and figures, all checked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dimlaws.errors import ConfigError, nearest
from dimlaws.instantiate import instantiate
from dimlaws.plan.composition import GROUPS, Composed, compose, experiment_names, file_of_key
from dimlaws.plan.runs import Batch, PlannedRun, plan_batches, plan_run
from dimlaws.plan.sweep import Resolver, axes, points, split_axes
from dimlaws.validation import Node, check_node

CLAIM = "dimlaws.claims.claim.Claim"
TOP_LEVEL = {
    *GROUPS,
    "claims",
    "constants",
    "description",
    "figures",
    "measures",
    "scale",
    "seed",
    "size",
    "sizes",
    "source",
}
"""Keys that an experiment may set; ``constants``, ``size`` and ``sizes`` are for interpolation."""


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


def fetched_set(node: Node | None) -> str | None:
    """Return the name of the data set that a ``data`` node must have fetched, if any."""
    return str(node["name"]) if node is not None and "sha256" in node else None


def plan_experiment(folder: Path, name: str, scale: str) -> ExperimentPlan:
    """Plan one experiment, inside ``hydra_folder(folder)``; raise ``ConfigError`` at any fault.

    The message starts with the file that the faulty key stands in.
    """
    composed = compose(name, scale)
    try:
        return _plan(folder, name, scale, composed)
    except ConfigError as error:
        key = str(error).partition(":")[0]
        file = file_of_key(folder, name, composed.choices, key)
        raise ConfigError(f"{file}: {error}") from None


def _plan(folder: Path, name: str, scale: str, composed: Composed) -> ExperimentPlan:
    for key in composed.config:
        if key not in TOP_LEVEL:
            raise ConfigError(f"{key}: unknown key; {nearest(key, TOP_LEVEL)}")
    runs = _runs(name, scale, composed)
    resolved = Resolver(composed.config).whole
    plan = ExperimentPlan(
        name=name,
        scale=scale,
        description=str(resolved.get("description") or ""),
        batches=plan_batches(runs),
        measures=_nodes(resolved, "measures"),
        claims={
            claim: {"_target_": CLAIM, **node} for claim, node in _mappings(resolved, "claims")
        },
        figures=dict(_mappings(resolved, "figures")),
    )
    _check_claims(folder, plan)
    _check_figures(folder, plan)
    _check_objects(folder, plan)
    return plan


def _runs(name: str, scale: str, composed: Composed) -> list[PlannedRun]:
    group_axes, key_axes = split_axes(axes(composed.sweep))
    runs: list[PlannedRun] = []
    for options in points(group_axes):
        chosen = composed
        if options:
            overrides = [f"{group}={option}" for group, option in options.items()]
            chosen = compose(name, scale, overrides)
        resolver = Resolver(chosen.config)
        for point in points(key_axes):
            runs.append(plan_run(resolver.resolve(point), {**options, **point}))
    seen: dict[str, PlannedRun] = {}
    for run in runs:
        twin = seen.setdefault(run.id, run)
        if twin is not run:
            raise ConfigError(
                f"hydra.sweeper.params: {twin.swept} and {run.swept} give the same run; "
                "sweep only keys that the run depends on"
            )
    return runs


def _mappings(resolved: dict[str, Any], section: str) -> list[tuple[str, Node]]:
    """Return the named nodes of a section; a null leaves out what a group had brought in."""
    found = resolved.get(section) or {}
    for key, node in found.items():
        if not str(key).replace("-", "_").isidentifier():
            raise ConfigError(f"{section}.{key}: names are letters, digits, '-' and '_'")
        if node is not None and not isinstance(node, dict):
            raise ConfigError(f"{section}.{key}: expected a mapping")
    return [(str(key), node) for key, node in sorted(found.items()) if node is not None]


def _nodes(resolved: dict[str, Any], section: str) -> dict[str, Node]:
    nodes = dict(_mappings(resolved, section))
    for key, node in nodes.items():
        check_node(node, f"{section}.{key}")
    return nodes


def _check_claims(folder: Path, plan: ExperimentPlan) -> None:
    papers = yaml.safe_load((folder / "papers.yaml").read_text(encoding="utf-8"))
    for name, node in plan.claims.items():
        where = f"claims.{name}"
        check_node(node, where)
        if node["paper"] not in papers:
            hint = nearest(node["paper"], papers)
            raise ConfigError(f"{where}.paper: {node['paper']!r} is not in papers.yaml; {hint}")
        figure = node.get("figure")
        if figure is not None and figure not in plan.figures:
            hint = nearest(figure, plan.figures)
            raise ConfigError(f"{where}.figure: no figure {figure!r} here; {hint}")
        _instantiate(node, where)


def _check_figures(folder: Path, plan: ExperimentPlan) -> None:
    for name, node in plan.figures.items():
        where = f"figures.{name}"
        check_node({key: value for key, value in node.items() if key != "experiments"}, where)
        names = experiment_names(folder)
        for experiment in node.get("experiments", ()):
            if experiment not in names:
                hint = nearest(str(experiment), names)
                raise ConfigError(f"{where}.experiments: no experiment {experiment!r}; {hint}")


def _check_objects(folder: Path, plan: ExperimentPlan) -> None:
    """Build each distinct data set and training recipe: they check keys against one another.

    Models are left out, since building one would import torch.
    """
    built: set[str] = set()
    for batch in plan.batches:
        for run in batch.runs:
            for group in ("data", "training"):
                node = run.config[group]
                if node is not None and str(node) not in built:
                    built.add(str(node))
                    _instantiate(node, group)
            _check_pin(folder, run.config["data"])


def _instantiate(node: Node, where: str) -> None:
    try:
        instantiate(node)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _check_pin(folder: Path, node: Node | None) -> None:
    name = fetched_set(node)
    if node is None or name is None:
        return
    file = folder / "data" / f"{name}.yaml"
    if not file.is_file():
        known = (path.stem for path in file.parent.glob("*.yaml"))
        raise ConfigError(f"data.name: no data set {name!r}; {nearest(name, known)}")
    pinned = _pin(file)
    if node["sha256"] != pinned:
        raise ConfigError(f"data.sha256: must be the one pinned in config/data/{name}.yaml")


_pins: dict[tuple[Path, int], str] = {}


def _pin(file: Path) -> str:
    key = (file, file.stat().st_mtime_ns)
    if key not in _pins:
        _pins[key] = yaml.safe_load(file.read_text(encoding="utf-8"))["data"]["sha256"]
    return _pins[key]
