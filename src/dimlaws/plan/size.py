"""How large a batch is: the memory that its jobs need, and how long it trains.

Estimates from the configuration alone, for a scheduler: nothing is imported that computes, and no
data set need be there. They are meant to be somewhat too large; a job that fails all the same is
tried again with more. Constants are fitted to what the jobs of the shipped experiments took.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, prod
from typing import Any

from dimlaws.instantiate import instantiate
from dimlaws.plan.runs import Batch
from dimlaws.signature import read_signature
from dimlaws.validation import Node

LIBRARIES_MB = 450
"""A process that has imported torch and pandas."""

TRAINING_MB = 128
"""Runs that train together, and a minibatch of each (see ``training.packing``)."""

SLACK = 1.25
"""Copies that measures make for a while."""

STUDY_MB = 1000
"""What a study holds does not show in its configuration; so far 90 to 760."""

SET_SHAPES = {
    "cifar10": (60_000, 3 * 32 * 32),
    "digits": (1797, 8 * 8),
    "dsprites": (50_000, 64 * 64),
    "fashion_mnist": (70_000, 28 * 28),
    "mnist": (70_000, 28 * 28),
    "usps": (9298, 16 * 16),
}
"""Rows and pixels of each fetched set as it is held in memory, a byte for a pixel."""

SHARED_POOLS = {
    "dimlaws.data.images.Images",
    "dimlaws.data.imbalanced_images.ImbalancedImages",
    "dimlaws.data.resized_images.ResizedImages",
}
"""Data sets of which all runs of a batch hold the same rows, once."""

ROWS = 10_000
"""Taken for a number of rows that is null."""

OUTPUTS = 10
CONVOLUTIONAL_PARAMETERS = 100_000
"""Taken for networks that are not fully connected, which are smaller than their minibatches."""

MOST_MEMORY_MB = 2**24
MOST_SECONDS = 365 * 86400
"""A batch beyond these is taken for a slip of the keyboard: no machine holds it, none ends it."""

STEP_SECONDS = 2e-5
OPERATIONS_PER_SECOND = 1e10
"""One run and step of a batch on one core; and what its matrix products add, at most."""


@dataclass(frozen=True)
class Size:
    """``memory_mb`` of any job of a batch; ``train_seconds`` of one core, 0 without training."""

    memory_mb: int
    train_seconds: float


def batch_size(batch: Batch) -> Size:
    """Return the estimated size of a batch."""
    if "study" in batch.runs[0].config:
        return Size(STUDY_MB, 0.0)
    configs = [
        {part: _with_defaults(node) for part, node in run.config.items() if node is not None}
        for run in batch.runs
    ]
    held = _data_bytes(batch, configs)
    seconds = 0.0
    if "model" in configs[0]:
        parameters = _parameters(configs[0]["model"], _features(configs[0]["data"]))
        recipes = [config["training"] for config in configs]
        held += TRAINING_MB * 2**20 + _network_bytes(parameters, recipes)
        steps = sum(recipe["steps"] for recipe in recipes)
        operations = 6 * parameters * recipes[0]["batch_size"]
        seconds = steps * (STEP_SECONDS + operations / OPERATIONS_PER_SECOND)
    return Size(ceil(SLACK * (LIBRARIES_MB + held / 2**20)), seconds)


def _with_defaults(node: Node) -> dict[str, Any]:
    parameters = read_signature(node["_target_"]).parameters.values()
    return {**{parameter.name: parameter.default for parameter in parameters}, **node}


def _features(data: Mapping[str, Any]) -> int:
    if "sha256" in data:
        # Not what the set itself would say: it reads that in its file.
        return SET_SHAPES[data["name"]][1]
    return prod(instantiate(dict(data)).input_shape)


def _data_bytes(batch: Batch, configs: list[dict[str, dict[str, Any]]]) -> int:
    """Return the bytes of all rows that the runs of a batch hold at once."""
    first = configs[0]["data"]
    features = _features(first)
    pool = prod(SET_SHAPES[first["name"]]) if "sha256" in first else 0
    if first["_target_"] in SHARED_POOLS:
        # Projected images are floats; and one run's images are, while they are measured.
        return pool * (4 if first.get("components") else 1) + 4 * features * _rows(first)
    rows = {
        _pool_key(run.seed, config["data"]): _rows(config["data"])
        for run, config in zip(batch.runs, configs, strict=True)
    }
    # Twice: rows are drawn, and then put together in one array.
    return pool + 2 * 4 * features * sum(rows.values())


def _rows(data: Mapping[str, Any]) -> int:
    if "rows" in data:
        return int(data["rows"])
    train = data.get("pool_size", data["train_size"])
    return (ROWS if train is None else int(train)) + (data["test_size"] or ROWS)


def _pool_key(seed: int, data: Mapping[str, Any]) -> str:
    """Return what tells apart the rows that runs draw."""
    labels = {"label_noise", "label_sharpness", "task_dim"}
    if "pool_size" in data:
        labels.add("train_size")
    return str([seed, *sorted((key, value) for key, value in data.items() if key not in labels)])


def _parameters(model: Mapping[str, Any], features: int) -> int:
    if "width" not in model and "widths" not in model:
        return CONVOLUTIONAL_PARAMETERS
    hidden: list[int] = list(model.get("widths") or [model["width"]])
    # Layers between equal ones are counted, not listed: a depth may be any number.
    between: int = 0 if model.get("widths") else model["depth"] - 1
    outputs = OUTPUTS
    if "code" in model:
        hidden, outputs = [*hidden, model["code"], *reversed(hidden)], features
    layers = pairwise([features, *hidden, outputs])
    repeated = between * (hidden[0] + 1) * hidden[0] if hidden else 0
    return repeated + sum((fan_in + 1) * fan_out for fan_in, fan_out in layers)


def _network_bytes(parameters: int, recipes: list[dict[str, Any]]) -> int:
    """Return the bytes of one run in training, and of the results of all."""
    recipe = recipes[0]
    kept = {recipe["rewind_step"], *recipe["snapshot_steps"]}
    # Gradient, moments, masks and directions; twice: results are joined in the end.
    return 4 * parameters * (12 + 2 * len(recipes) * (1 + len(kept)))
