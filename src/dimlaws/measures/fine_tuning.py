"""How many random directions a pretrained network must be fine-tuned in on another task."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from dimlaws.errors import ConfigError
from dimlaws.instantiate import instantiate
from dimlaws.measures.batch import Record, TrainedBatch
from dimlaws.measures.smallest_subspace import Floats, check_ascending, smallest_dimension
from dimlaws.models.model import Params
from dimlaws.seeds import stream
from dimlaws.training.recipe import Recipe
from dimlaws.training.runs import EnsembleData
from dimlaws.training.trained import Trained, join_params
from dimlaws.types import Fraction, PositiveFloat, PositiveInt

VARIANTS = {"DID": False, "SAID": True}
"""Names of Aghajanyan et al. 2020: whether each parameter tensor has a learned scale."""


def fine_tuning(
    batch: TrainedBatch,
    *,
    target: dict[str, Any],
    dims: list[PositiveInt],
    learning_rates: list[PositiveFloat],
    steps: PositiveInt = 200,
    fraction: Fraction = 0.9,
) -> list[Record]:
    """Measure d90 of fine-tuning (Aghajanyan et al. 2020) from every kept stage of pretraining.

    Pretraining is the training of the runs; its stages are the steps before which parameters were
    kept, step 0 (random values) among them, and its end. From each stage the network is trained on
    ``target`` with a new random last layer: the same at all stages, and not that which pretraining
    began with, to which the other layers have grown. It is trained once with all parameters, and
    in random subspaces of each dimension d by Fastfood, "DID" (their eq. 2) and "SAID" (eq. 4, one
    learned scale for each of the m parameter tensors, which count in d). The last layer is inside
    the subspace, like every parameter.

    d90 is the smallest d whose test accuracy is at least ``fraction`` of that of training all
    parameters from the same stage. Quantities per ``pretraining_steps``: ``pretraining_accuracy``
    on test rows of the pretraining task, ``full_accuracy`` on the target's; with the index
    ``subspace`` (DID or SAID) ``d90`` and ``censored``, see ``smallest_dimension``; with ``dim``
    also ``accuracy``.

    Parameters
    ----------
    target : the data set to fine-tune on, with as many classes as that of pretraining.
    dims : values of d, ascending; the smallest is larger than m.
    learning_rates : rates to try with all parameters, and times sqrt(D / d) in a subspace of the D
        parameters; each run keeps the one that ends with the smallest training loss.
    steps : minibatches of fine-tuning.
    fraction : share of the accuracy of full fine-tuning that is enough.

    Raises
    ------
    ConfigError : targets are not classes; dimensions do not ascend; untrained networks were not
        kept; or the target differs in its number of classes.
    """
    if not batch.data.is_classification:
        raise ConfigError("measure fine_tuning needs class labels, and the targets are numbers")
    check_ascending(dims, "fine_tuning")
    _, trained = batch.networks()
    batch.untrained("fine_tuning")
    head = _new_head(batch)
    ends = [run.recipe.steps for run in batch.runs]
    if len(set(ends)) > 1:
        raise ConfigError(f"measure fine_tuning compares runs of equal training.steps, not {ends}")
    stages = {**trained.snapshots, ends[0]: trained.params}
    start = join_params([{**params, **head} for params in stages.values()])
    size = sum(value[0].numel() for value in trained.params.values())
    many = _on_target(batch, target, len(stages))

    def tuned(dim: int | None, scales: bool) -> Floats:
        runs = [
            replace(
                run,
                # Unfinished training is kept by the ids of its runs, apart for each stage.
                id=f"{run.id}-{step}",
                recipe=_recipe(run.recipe, steps, dim, scales),
            )
            for step in stages
            for run in batch.runs
        ]
        # A step of Adam then moves the parameters as far, whatever d.
        factor = 1.0 if dim is None else math.sqrt(size / dim)
        rates = [factor * rate for rate in learning_rates]
        best = _best_of_rates(replace(many, runs=runs), start, rates)
        return many.accuracy(best.params).reshape(len(stages), -1)

    full = tuned(None, False)
    records = []
    for name, scales in VARIANTS.items():
        curves = np.stack([tuned(dim, scales) for dim in dims], axis=-1)
        for stage, step in enumerate(stages):
            index: dict[str, int | str] = {"pretraining_steps": step, "subspace": name}
            bounds = [
                smallest_dimension(dims, curve, fraction * best)
                for curve, best in zip(curves[stage], full[stage], strict=True)
            ]
            records += batch.records("d90", np.array([b.dimension for b in bounds]), **index)
            records += batch.records("censored", np.array([b.censored for b in bounds]), **index)
            for column, dim in enumerate(dims):
                accuracy = curves[stage, :, column]
                records += batch.records("accuracy", accuracy, **index, dim=dim)
    for stage, (step, params) in enumerate(stages.items()):
        pretrained = batch.accuracy(params)
        records += batch.records("full_accuracy", full[stage], pretraining_steps=step)
        records += batch.records("pretraining_accuracy", pretrained, pretraining_steps=step)
    return records


def _new_head(batch: TrainedBatch) -> Params:
    """Draw another last layer for every run, as the untrained network has one."""
    model, trained = batch.networks()
    layer = model.prunable(trained.params)[-1].rpartition(".")[0]
    draws = [
        model.init(
            np.random.default_rng(stream(run.seed, "new last layer")),
            batch.data.input_shape,
            batch.data.outputs,
        )
        for run in batch.runs
    ]
    names = [name for name in trained.params if name.rpartition(".")[0] == layer]
    return {
        name: torch.stack([draw[name] for draw in draws]).to(batch.data.device) for name in names
    }


def _on_target(batch: TrainedBatch, target: dict[str, Any], copies: int) -> TrainedBatch:
    """Return the batch with the rows of ``target``, ``copies`` times."""
    data_set = instantiate(target)
    if data_set.outputs != batch.data.outputs:
        raise ConfigError(
            f"fine_tuning.target has {data_set.outputs} classes, and the networks "
            f"{batch.data.outputs} outputs"
        )
    parts = [data_set.realize(run.seed) for run in batch.runs]
    data = EnsembleData.of(parts, data_set.outputs, str(batch.data.device))
    index = list(range(len(parts))) * copies
    runs = [batch.runs[i] for i in index]
    return replace(batch, runs=runs, data=data.select(index))


def _recipe(recipe: Recipe, steps: int, dim: int | None, scales: bool) -> Recipe:
    return replace(
        recipe,
        steps=steps,
        subspace_dim=dim,
        projection="fastfood",
        layer_scales=scales,
        weight_decay=0.0,
        rewind_step=0,
        snapshot_steps=[],
    )


def _best_of_rates(batch: TrainedBatch, start: Params, rates: Sequence[float]) -> Trained:
    """Train the runs from ``start`` at each rate; keep each run's rate of smallest training loss.

    The loss is the mean over the last minibatches that the recorded curve resolves, so test rows
    have no say in the choice.
    """
    count = len(batch.runs)
    trained = replace(
        batch,
        runs=[
            replace(run, recipe=replace(run.recipe, learning_rate=rate))
            for rate in rates
            for run in batch.runs
        ],
        data=batch.data.select(list(range(count)) * len(rates)),
    ).train(start=join_params([start] * len(rates)))
    last = trained.history_loss[:, -1]
    loss = np.where(trained.diverged_step < 0, last, np.inf).reshape(len(rates), count)
    return trained.select((loss.argmin(axis=0) * count + np.arange(count)).tolist())
