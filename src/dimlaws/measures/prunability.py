"""How many weights can go before a network gets worse."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from dimlaws.errors import ConfigError
from dimlaws.measures.batch import Record, TrainedBatch
from dimlaws.measures.pruning_methods import Pruning
from dimlaws.models.model import Params
from dimlaws.training.pruning import CubicSchedule, surviving
from dimlaws.types import Fraction, NonNegativeFloat, PositiveInt

Floats = npt.NDArray[np.float64]


def prunability(
    batch: TrainedBatch,
    *,
    method: Literal["iterative", "one-shot", "initial", "gradual"] = "iterative",
    criterion: Literal["magnitude", "random", "snip"] = "magnitude",
    levels: PositiveInt = 16,
    fraction: Fraction = 0.2,
    tolerance: NonNegativeFloat = 0.01,
    scope: Literal["global", "layer"] = "global",
    gradual_begin: Fraction = 0.1,
    gradual_end: Fraction = 0.7,
    gradual_events: PositiveInt = 20,
) -> list[Record]:
    """Measure the largest share of weights that pruning removes without harm.

    Level ``l`` has a share ``(1 - fraction)^l`` of the weights, whatever the method. "iterative" is
    pruning with rewinding (Frankle & Carbin 2019; Frankle et al. 2020): in each round the weights
    of smallest score go, the others return to their value at ``recipe.rewind_step`` and are trained
    again, in the same minibatch order. "one-shot" prunes the trained network to each density and
    evaluates it without training again. "initial" prunes the untrained network once to each density
    and trains it in full (Lee et al. 2019). "gradual" trains once for each density, and
    prunes meanwhile by a cubic schedule (Zhu & Gupta 2017). Biases are never pruned.

    The criterion scores a weight by its "magnitude" when it is pruned, at "random" (drawn once for
    each run), or by "snip": |gradient x weight| of the untrained network (Lee et al. 2019).

    Quantities per ``level`` (0 is dense): ``accuracy`` on test rows, ``density`` (share of weights
    left), ``density_without_first_layer`` (the same among the other layers). Quantities per run,
    see ``smallest_density``: ``remaining``, ``prunability = 1 - remaining``, ``remaining_weights``
    (number), ``remaining_without_first_layer`` and ``remaining_weights_without_first_layer``,
    ``censored``, ``dense_accuracy``. NaN for a run that diverged when dense; a level at which it
    diverges counts as failed.

    Parameters
    ----------
    method : prune step by step with retraining, once without, once before, or while training.
    criterion : what a weight is worth; "snip" goes with method "initial" only.
    levels : number of pruning rounds, or densities.
    fraction : share of the remaining weights that goes in each round.
    tolerance : loss of test accuracy (a fraction of all rows) that still counts as none.
    scope : rank the weights of all layers together, or prune each layer alike.
    gradual_begin : fraction of the steps after which "gradual" starts to prune.
    gradual_end : fraction of the steps after which "gradual" has pruned all.
    gradual_events : how many times "gradual" prunes.

    Raises
    ------
    ConfigError : targets are not classes; ``fraction`` is 0 or 1; ``gradual_end`` lies before
        ``gradual_begin``; the criterion does not go with the method; or the method needs networks
        from before the first step, which were not kept.
    """
    if not batch.data.is_classification:
        raise ConfigError("measure prunability needs class labels, and the targets are numbers")
    if not 0.0 < fraction < 1.0:
        raise ConfigError(f"prunability.fraction is {fraction:g}; it must lie between 0 and 1")
    pruning = Pruning(
        method,
        criterion,
        [(1.0 - fraction) ** level for level in range(1, levels + 1)],
        scope,
        CubicSchedule(gradual_begin, gradual_end, gradual_events),
    )
    model, trained = batch.networks()
    names = model.prunable(trained.params)
    rows: list[Record] = []
    accuracies, densities, others = [], [], []
    for level, (masks, params) in enumerate(pruning.levels(batch)):
        accuracies.append(batch.accuracy(params))
        densities.append(_density(masks, names))
        others.append(_density(masks, names[1:]))
        rows += batch.records("accuracy", accuracies[-1], level=level)
        rows += batch.records("density", densities[-1], level=level)
        rows += batch.records("density_without_first_layer", others[-1], level=level)
    bounds = [
        smallest_density(accuracy, density, other, tolerance)
        for accuracy, density, other in zip(
            np.stack(accuracies, axis=1),
            np.stack(densities, axis=1),
            np.stack(others, axis=1),
            strict=True,
        )
    ]
    total, others_total = (
        sum(trained.params[name][0].numel() for name in layers) for layers in (names, names[1:])
    )
    remaining = np.array([bound.remaining for bound in bounds])
    without_first = np.array([bound.remaining_without_first_layer for bound in bounds])
    censored = np.array([bound.censored for bound in bounds])
    return [
        *rows,
        *batch.records("prunability", 1.0 - remaining),
        *batch.records("remaining", remaining),
        *batch.records("remaining_weights", remaining * total),
        *batch.records("remaining_without_first_layer", without_first),
        *batch.records("remaining_weights_without_first_layer", without_first * others_total),
        *batch.records("censored", censored),
        *batch.records("dense_accuracy", accuracies[0]),
    ]


@dataclass(frozen=True)
class Bound:
    """Smallest density without harm; ``censored`` is 1 where the levels only bound it, else 0."""

    remaining: float
    remaining_without_first_layer: float
    censored: float


def smallest_density(
    accuracy: Floats, density: Floats, density_without_first_layer: Floats, tolerance: float
) -> Bound:
    """Read the smallest harmless density off one run's curves over the levels, dense first.

    A level fails if its accuracy is below that of the dense network by more than ``tolerance``.
    The first level that fails ends the search: a later recovery is luck more often than not, and
    a user who prunes step by step would have stopped. Between the last passing and the first
    failing level the crossing is interpolated, linear in accuracy and log density; where the
    failing level diverged, the last passing level is taken.

    Censored are runs that never fail (their density is the last level's, or lower) and runs
    that fail at the first level below dense (their density is 1, or a little lower).
    """
    if np.isnan(accuracy[0]):
        return Bound(np.nan, np.nan, np.nan)
    # Accuracies are counts over rows: the slack only undoes rounding of the difference.
    threshold = accuracy[0] - tolerance - 1e-9
    failed = np.flatnonzero(~(accuracy >= threshold))
    if len(failed) == 0:
        return Bound(float(density[-1]), float(density_without_first_layer[-1]), 1.0)
    level = int(failed[0])
    if level == 1:
        return Bound(1.0, 1.0, 1.0)
    fall = accuracy[level - 1] - accuracy[level]
    share = 0.0 if np.isnan(fall) else (accuracy[level - 1] - threshold) / fall
    return Bound(
        _between(density, level, share), _between(density_without_first_layer, level, share), 0.0
    )


def _between(density: Floats, level: int, share: float) -> float:
    """Interpolate in log density; fall back to linear where a level has nothing left."""
    before, after = density[level - 1], density[level]
    if after == 0.0:
        return float(before * (1.0 - share))
    return float(before * (after / before) ** share)


def _density(masks: Params, names: list[str]) -> Floats:
    total = sum(masks[name][0].numel() for name in names)
    return surviving(masks, names).cpu().numpy() / total
