"""How many random directions of parameter space hold a good network."""

import math
from dataclasses import replace
from typing import Literal

import numpy as np

from dimlaws.errors import ConfigError
from dimlaws.measures.batch import Record, TrainedBatch
from dimlaws.models.model import Params
from dimlaws.training.recipe import Kind
from dimlaws.training.trained import Trained
from dimlaws.types import PositiveFloat, PositiveInt


def objective_dimension(
    batch: TrainedBatch,
    *,
    dims: list[PositiveInt],
    projections: list[Literal["dense", "sparse", "fastfood", "sketch"]] = ["sparse"],  # noqa: B006
    split: Literal["train", "test"] = "test",
    learning_rate: PositiveFloat | None = None,
) -> list[Record]:
    """Train each network again in random subspaces through its initial parameters.

    Li et al. (2018), sec. 2: theta = theta_0 + P z with d values z that start from 0. The intrinsic
    dimension d_int90 of the objective is the smallest d at which accuracy reaches 90 %: of 1, which
    they call the global baseline, or of the accuracy of the network trained in all directions, the
    individual one. It is where ``accuracy`` crosses 0.9, and where ``relative_accuracy`` does.

    The learning rate of z is that of the parameters times sqrt(D / d): a step of Adam then moves
    them as far as one in all D directions, whatever d.

    Quantities per ``subspace_dim`` d and ``projection``: ``accuracy``, ``relative_accuracy`` (over
    that of the network trained in all directions) and ``final_loss``, the mean loss of the last
    minibatches. Quantities per run: ``direct_accuracy``, of the network trained in all directions,
    and ``parameters`` D. NaN where a run diverged.

    Parameters
    ----------
    dims : subspace dimensions d, in any order.
    projections : kinds of random matrix P; see ``training.subspace``.
    split : rows on which accuracy is measured; "train" for labels that cannot be predicted.
    learning_rate : in subspaces, at the first step, before it is scaled; null for the recipe's.

    Raises
    ------
    ConfigError : targets are not classes; a list is empty; the batch was itself trained in a
        subspace, or its initial parameters were not kept; or a subspace does not fit the network.
    """
    if not batch.data.is_classification:
        raise ConfigError("measure objective_dimension needs class labels; the targets are numbers")
    if not dims or not projections:
        raise ConfigError("objective_dimension: dims and projections need at least one entry")
    _, trained = batch.networks()
    if batch.runs[0].recipe.subspace_dim is not None:
        raise ConfigError("objective_dimension compares with training.subspace_dim null; set that")
    start = batch.untrained("objective_dimension")
    direct = batch.accuracy(trained.params, split)
    parameters = sum(value[0].numel() for value in trained.params.values())
    rows = batch.records("direct_accuracy", direct)
    rows += batch.records("parameters", np.full(len(batch.runs), float(parameters)))
    for projection in projections:
        for dim in sorted(set(dims)):
            factor = math.sqrt(parameters / dim)
            reached = _in_subspace(batch, start, projection, dim, learning_rate, factor)
            accuracy = batch.accuracy(reached.params, split)
            loss = np.where(reached.diverged_step < 0, reached.history_loss[:, -1], np.nan)
            at = {"projection": projection, "subspace_dim": dim}
            rows += batch.records("accuracy", accuracy, **at)
            rows += batch.records("relative_accuracy", accuracy / direct, **at)
            rows += batch.records("final_loss", loss, **at)
    return rows


def _in_subspace(
    batch: TrainedBatch,
    start: Params,
    projection: Kind,
    dim: int,
    learning_rate: float | None,
    factor: float,
) -> Trained:
    """Train the runs in subspaces of ``dim`` dimensions, at ``factor`` times their rate."""
    runs = [
        replace(
            run,
            recipe=replace(
                run.recipe,
                subspace_dim=dim,
                projection=projection,
                learning_rate=factor * (learning_rate or run.recipe.learning_rate),
            ),
        )
        for run in batch.runs
    ]
    return replace(batch, runs=runs).train(start=start)
