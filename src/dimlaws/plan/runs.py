"""Runs and batches, named by what they are, not by where they stand."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dimlaws.errors import ConfigError
from dimlaws.plan.composition import GROUPS, PARTS
from dimlaws.signature import Kind
from dimlaws.types import Bounds
from dimlaws.validation import Node, check_node, check_value, per_run_keys, without_defaults

HOMES = {
    "data": "dimlaws.data",
    "model": "dimlaws.models",
    "training": "dimlaws.training",
    "study": "dimlaws.studies",
}
"""Package that the target of each part lies in."""

SEED = Kind(scalar=int, bounds=Bounds(low=0))

SEEDS_PER_BATCH = 5
"""Seeds 0 to 4 are one batch, 5 to 9 the next: jobs stay short, and a new seed moves no run."""


@dataclass(frozen=True)
class PlannedRun:
    """One point of a sweep, resolved.

    ``config`` holds the nodes ``data``, ``model`` and ``training`` without defaults, and ``study``
    where there is one; ``swept`` the swept keys by their dotted names.
    """

    id: str
    seed: int
    config: dict[str, Node | None]
    swept: dict[str, Any]


@dataclass
class Batch:
    """The runs of one experiment that share tensor shapes: one job, computed together."""

    id: str
    runs: list[PlannedRun] = field(default_factory=list)


def digest(value: Any) -> str:
    """Return a short content hash of a JSON-like value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def plan_run(resolved: dict[str, Any], swept: dict[str, Any]) -> PlannedRun:
    """Check a resolved run and name it; raise ``ConfigError`` at the first fault.

    The id is a hash of the configuration without defaults, so equal runs have equal ids, and a
    new option with a default orphans nothing.
    """
    seed = resolved.get("seed")
    check_value(seed, SEED, "seed")
    assert isinstance(seed, int)
    given = [part for part in PARTS if resolved.get(part) is not None]
    _check_parts(given)
    config: dict[str, Node | None] = dict.fromkeys(GROUPS)
    for part in given:
        config[part] = without_defaults(check_node(resolved[part], part, HOMES[part]))
    return PlannedRun(digest({**config, "seed": seed}), seed, config, swept)


def _check_parts(given: list[str]) -> None:
    groups = [part for part in given if part in GROUPS]
    if "study" in given and groups:
        raise ConfigError(
            f"study: set {', '.join(groups)} to null beside a study, or take the study away"
        )
    if "study" not in given and "data" not in given:
        raise ConfigError("data: null is for studies only; set data, or a study")
    if ("model" in given) != ("training" in given):
        raise ConfigError("model, training: set both, or both to null where nothing is trained")


def plan_batches(runs: Iterable[PlannedRun], most: int) -> list[Batch]:
    """Group runs by the configuration that fixes tensor shapes, and by blocks of seeds.

    A group of more than ``most`` runs is split by their ids, so that another run moves few.
    """
    groups: dict[str, list[PlannedRun]] = {}
    shapes: dict[str, dict[str, Any]] = {}
    for run in runs:
        shared = {part: _shared(node) for part, node in run.config.items()}
        shape = {**shared, "seeds": run.seed // SEEDS_PER_BATCH}
        key = digest(shape)
        shapes[key] = shape
        groups.setdefault(key, []).append(run)
    batches = [
        Batch(digest({**shapes[key], "part": bits}) if bits else key, part)
        for key, group in groups.items()
        for bits, part in _split(sorted(group, key=lambda run: (run.seed, run.id)), most)
    ]
    return sorted(batches, key=lambda batch: batch.id)


def _split(
    runs: list[PlannedRun], most: int, bits: str = ""
) -> Iterator[tuple[str, list[PlannedRun]]]:
    """Yield parts of at most so many runs, each with the first bits that its ids share."""
    if len(runs) <= most:
        yield bits, runs
        return
    for bit in "01":
        part = [run for run in runs if f"{int(run.id, 16):048b}"[len(bits)] == bit]
        if part:
            yield from _split(part, most, bits + bit)


def _shared(node: Node | None) -> Node | None:
    if node is None:
        return None
    varying = set(per_run_keys(node))
    return {key: value for key, value in node.items() if key not in varying}
