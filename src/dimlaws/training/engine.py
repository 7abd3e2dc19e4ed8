"""Trains the runs of a batch together, in one process on one thread."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from dimlaws.errors import ConfigError
from dimlaws.models.model import Model, Params
from dimlaws.seeds import stream
from dimlaws.training.layout import Layout
from dimlaws.training.loss import row_losses
from dimlaws.training.optimizer import make_optimizer
from dimlaws.training.order import MinibatchOrder
from dimlaws.training.packing import pack_size
from dimlaws.training.runs import EnsembleData, Run
from dimlaws.training.schedule import rate_factor
from dimlaws.training.trained import Trained, join

_CHUNK_STEPS = 64
"""Minibatch rows are drawn for this many steps at a time, to bound memory."""


def train(
    model: Model,
    data: EnsembleData,
    runs: Sequence[Run],
    *,
    init_content: Any = None,
    start: Params | None = None,
    start_step: int = 0,
    masks: Params | None = None,
    pack: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Trained:
    """Train all runs and return them in the order given.

    Parameters
    ----------
    model : the architecture.
    data : the data of these runs, in the same order.
    runs : the runs; they may differ in seed, learning rate, weight decay and steps.
    init_content : what identifies the model in the stream of initial values (JSON-like).
    start : parameters ``[M, ...]`` to start from instead of random ones.
    start_step : the step that ``start`` belongs to; schedule and minibatch order go on from there,
        optimizer state starts anew. At most ``rewind_step``.
    masks : for some parameters ``[M, ...]``, 1 where a weight may live and 0 where it is pruned.
    pack : runs per ensemble; by default what fits the cache.
    progress : called with the number of model-steps done since the last call.

    Raises
    ------
    ConfigError : the runs do not share a recipe, or the data do not fit the loss.
    """
    _check(data, runs, start_step)
    torch.set_num_threads(1)
    # Adam's state of dead units decays into denormal numbers, which are slow.
    torch.set_flush_denormal(True)
    if pack is None:
        pack = pack_size(model, data.input_shape, data.outputs, runs[0].recipe.batch_size)
    # Runs of one pack stop one after the other, so runs of similar length go together.
    by_length = sorted(range(len(runs)), key=lambda i: runs[i].recipe.steps)
    parts = []
    for indices in np.array_split(by_length, -(-len(runs) // pack)):
        index = indices.tolist()
        chosen = [runs[i] for i in index]
        if start is None:
            values = _initial(model, data, chosen, init_content)
        else:
            values = {name: value[index].to(data.device) for name, value in start.items()}
        mask = None if masks is None else {name: value[index] for name, value in masks.items()}
        part = _train_pack(model, data.select(index), chosen, values, start_step, mask, progress)
        parts.append(part)
    return join(parts).select(np.argsort(by_length).tolist())


def _check(data: EnsembleData, runs: Sequence[Run], start_step: int) -> None:
    if len(data) != len(runs) or not runs:
        raise ConfigError(f"{len(runs)} runs came with the data of {len(data)}; one each is needed")
    first = runs[0].recipe
    for run in runs:
        shared = replace(
            run.recipe,
            learning_rate=first.learning_rate,
            weight_decay=first.weight_decay,
            steps=first.steps,
        )
        if shared != first:
            raise ConfigError(
                f"runs {runs[0].id} and {run.id} cannot train together; only learning_rate, "
                "weight_decay, steps and the seed may differ within a batch"
            )
    if first.loss == "cross_entropy" and not data.is_classification:
        raise ConfigError("training.loss is cross_entropy but the targets are numbers; use mse")
    if start_step > first.rewind_step:
        raise ConfigError(
            f"training cannot start at step {start_step}; "
            f"valid: 0 to rewind_step, which is {first.rewind_step}"
        )


def _initial(model: Model, data: EnsembleData, runs: Sequence[Run], content: Any) -> Params:
    draws = [
        model.init(
            np.random.default_rng(stream(run.seed, "init", content)),
            data.input_shape,
            data.outputs,
        )
        for run in runs
    ]
    return {name: torch.stack([draw[name] for draw in draws]).to(data.device) for name in draws[0]}


def _train_pack(
    model: Model,
    data: EnsembleData,
    runs: Sequence[Run],
    values: Params,
    start_step: int,
    masks: Params | None,
    progress: Callable[[int], None] | None,
) -> Trained:
    """Train runs sorted by length; those that are done are the first ones, and are left alone."""
    recipes = [run.recipe for run in runs]
    recipe = recipes[0]
    steps = np.array([own.steps for own in recipes])
    rates = np.array([own.learning_rate for own in recipes])
    layout = Layout.of(values)
    theta = layout.flatten(values)
    mask = None
    if masks is not None:
        ones = {name: torch.ones_like(value) for name, value in values.items()}
        mask = layout.flatten({**ones, **{name: m.to(theta) for name, m in masks.items()}})
        theta.mul_(mask)
    optimizer = make_optimizer(theta, recipes)
    orders = [
        MinibatchOrder(rows, recipe.batch_size, run.seed)
        for rows, run in zip(data.train, runs, strict=True)
    ]
    losses = np.full((steps[-1] - start_step, len(runs)), np.nan)
    rewind = theta.clone()
    done = 0
    for first, last in _segments(start_step, recipe.rewind_step, steps):
        if first == recipe.rewind_step:
            rewind = theta.clone()
        finished = int(np.searchsorted(steps, first, side="right"))
        if finished > done:
            optimizer.drop_first(finished - done)
            data = data.select(range(finished - done, len(data)))
            done = finished
        rows = torch.from_numpy(
            np.stack([order.batches(first, last) for order in orders[done:]], axis=1)
        ).to(theta.device)
        factor = rate_factor(recipe.schedule, np.arange(first, last)[:, None], steps[done:])
        rate = torch.from_numpy(factor * rates[done:]).to(theta).unsqueeze(2)
        living = theta[done:].requires_grad_()
        seen = torch.empty(last - first, len(living), device=theta.device)
        for i in range(last - first):
            x, y = data.gather(rows[i])
            output, _ = model.forward(layout.unflatten(living), x)
            loss = row_losses(recipe.loss, output, y).mean(1)
            (gradient,) = torch.autograd.grad(loss.sum(), living)
            with torch.no_grad():
                seen[i] = loss
                if mask is not None:
                    # Enough to keep pruned weights at zero: they start there, and moments
                    # that see only zeros stay zero.
                    gradient.mul_(mask[done:])
                optimizer.step(living, gradient, rate[i])
        losses[first - start_step : last - start_step, done:] = seen.cpu().numpy()
        if progress is not None:
            progress((last - first) * len(living))
    return _finish(layout, theta, rewind, losses, steps, start_step, recipe.history_points)


def _segments(start: int, rewind: int, steps: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Cut the steps into short stretches during which the set of living runs does not change."""
    stops = sorted({start, *range(start, int(steps[-1]), _CHUNK_STEPS), rewind, *steps.tolist()})
    return itertools.pairwise(stops)


def _finish(
    layout: Layout,
    theta: torch.Tensor,
    rewind: torch.Tensor,
    losses: npt.NDArray[np.float64],
    steps: npt.NDArray[np.int64],
    start_step: int,
    points: int,
) -> Trained:
    diverged = np.full(len(steps), -1, dtype=np.int64)
    history_step = np.empty((len(steps), points), dtype=np.int64)
    history_loss = np.empty((len(steps), points))
    for m, budget in enumerate(steps - start_step):
        curve = losses[:budget, m]
        bad = np.flatnonzero(~np.isfinite(curve))
        if len(bad) or not bool(torch.isfinite(theta[m]).all()):
            diverged[m] = start_step + (int(bad[0]) if len(bad) else budget)
            theta[m] = torch.nan
            curve = np.where(np.arange(budget) < diverged[m] - start_step, curve, np.nan)
        ends = np.maximum(1, np.arange(1, points + 1) * budget // points)
        begins = np.minimum(np.concatenate([[0], ends[:-1]]), ends - 1)
        history_step[m] = start_step + ends
        history_loss[m] = [curve[a:b].mean() for a, b in zip(begins, ends, strict=True)]
    return Trained(
        layout.unflatten(theta), layout.unflatten(rewind), history_step, history_loss, diverged
    )
