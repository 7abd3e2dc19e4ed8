"""Runs and batches: what is trained, named by what it is, not by where it stands."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from dimlaws.errors import ConfigError
from dimlaws.plan.composition import GROUPS
from dimlaws.signature import Kind
from dimlaws.types import Bounds
from dimlaws.validation import Node, check_node, check_value, per_run_keys, without_defaults

HOMES = {"data": "dimlaws.data", "model": "dimlaws.models", "training": "dimlaws.training"}
"""Package that the target of each group lies in."""

SEED = Kind(scalar=int, bounds=Bounds(low=0))

SEEDS_PER_BATCH = 5
"""Seeds 0 to 4 are one batch, 5 to 9 the next: jobs stay short, and a new seed moves no run."""


@dataclass(frozen=True)
class PlannedRun:
    """One point of a sweep, resolved.

    ``config`` holds the nodes ``data``, ``model`` and ``training`` without defaults; ``swept`` the
    swept keys by their dotted names.
    """

    id: str
    seed: int
    config: dict[str, Node | None]
    swept: dict[str, Any]


@dataclass
class Batch:
    """The runs of one experiment that share tensor shapes: one job, trained together."""

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
    config: dict[str, Node | None] = {}
    for group in GROUPS:
        node = resolved.get(group)
        if node is None and group != "data":
            config[group] = None
            continue
        config[group] = without_defaults(check_node(node, group, HOMES[group]))
    if (config["model"] is None) != (config["training"] is None):
        raise ConfigError("model, training: set both, or both to null where nothing is trained")
    return PlannedRun(digest({**config, "seed": seed}), seed, config, swept)


def plan_batches(runs: Iterable[PlannedRun]) -> list[Batch]:
    """Group runs by the configuration that fixes tensor shapes, and by blocks of seeds."""
    batches: dict[str, Batch] = {}
    for run in runs:
        shared = {group: _shared(node) for group, node in run.config.items()}
        key = digest({**shared, "seeds": run.seed // SEEDS_PER_BATCH})
        batches.setdefault(key, Batch(key)).runs.append(run)
    for batch in batches.values():
        batch.runs.sort(key=lambda run: (run.seed, run.id))
    return [batches[key] for key in sorted(batches)]


def _shared(node: Node | None) -> Node | None:
    if node is None:
        return None
    varying = set(per_run_keys(node))
    return {key: value for key, value in node.items() if key not in varying}
