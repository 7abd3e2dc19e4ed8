"""Confidence intervals by bootstrap over seeds."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from dimlaws.arrays import real_array
from dimlaws.errors import EstimationError

Vector = npt.NDArray[np.float64]

MAX_NAN = 0.05
"""Largest share of resamples in which the statistic may be undefined."""


@dataclass(frozen=True)
class Interval:
    """An estimate, the ends of its confidence interval, and the number of seeds behind it."""

    estimate: float
    low: float
    high: float
    n: int


def bootstrap_over_seeds(
    statistic: Callable[[npt.NDArray[Any]], float],
    seeds: npt.ArrayLike,
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return ``statistic(seeds)`` with a confidence interval; seeds are the clusters resampled.

    ``statistic`` takes an array of seed labels (repeats allowed, order without meaning) and uses
    all runs of each. The half-width is ``h = t_{n-1} sqrt(n / (n-1)) sd``, with ``sd`` the
    bootstrap standard deviation: for a mean it equals the t interval. The interval is
    ``[estimate - h, estimate + h]``, stretched by the bootstrap estimate of bias (Efron &
    Tibshirani 1993, An Introduction to the Bootstrap, ch. 10) on the side to which that points,
    because a largest gap or a mean absolute error is too large on average.

    Percentile intervals are not used: with few seeds they are too narrow (Hesterberg 2015, The
    American Statistician 69:371), and widened to the t interval's level they run out of
    resamples. Coverage of a nominal 95 % interval, simulated (2000 repetitions, s.e. 0.5 %),
    for 3, 5 and 10 seeds: mean of normal values 95.0, 95.8, 95.5 % (widened percentiles 74.9,
    93.2, 95.2 %), log-log slope 95.3, 95.2, 95.4 % (75.6, 92.6, 94.8 %). It is lower for a mean
    of skewed values (log-normal, sigma 0.5: 92 %) and at a kink, such as the largest gap between
    four cells that are all equal (94, 90, 87 %).

    Where there are no more than ``resamples`` distinct resamples (up to 7 seeds for 2000), all
    of them are used with their multinomial weights, and nothing is random.

    Raises ``EstimationError`` for fewer than two seeds, for a statistic that is not finite, or one
    that is not on more than 5 % of the resamples (those of fewer are left out), and for values so
    large that their squares overflow.
    """
    labels = real_array(seeds)
    n = labels.size
    if labels.ndim != 1 or n < 2 or len(np.unique(labels)) != n:
        raise EstimationError(f"a bootstrap over seeds needs two or more distinct seeds; got {n}")
    estimate = float(statistic(labels))
    if not math.isfinite(estimate):
        raise EstimationError(f"the statistic is undefined ({estimate}) on the measured values")
    draws, weights = _resamples(n, resamples, seed)
    values = np.array([statistic(labels[draw]) for draw in draws], dtype=np.float64)
    defined = np.isfinite(values)
    lost = 1.0 - float(weights[defined].sum())
    if lost > MAX_NAN:
        raise EstimationError(
            f"the statistic is undefined on {lost:.0%} of the resamples; "
            f"at most {MAX_NAN:.0%} may be"
        )
    values, weights = values[defined], weights[defined] / weights[defined].sum()
    shift = float(weights @ (values - estimate))
    with np.errstate(over="ignore"):
        spread = math.sqrt(float(weights @ (values - estimate - shift) ** 2))
    if not math.isfinite(spread):
        raise EstimationError(f"the spread of values around {estimate:.1e} overflows")
    half = float(special.stdtrit(n - 1, (1 + confidence) / 2)) * math.sqrt(n / (n - 1)) * spread
    return Interval(
        estimate, estimate - max(shift, 0.0) - half, estimate - min(shift, 0.0) + half, n
    )


def _resamples(n: int, limit: int, seed: int) -> tuple[npt.NDArray[np.int64], Vector]:
    """Return draws ``[resamples, n]`` and their probabilities; all of them if within ``limit``."""
    if math.comb(2 * n - 1, n) > limit:
        generator = np.random.default_rng(np.random.SeedSequence(seed))
        return generator.integers(0, n, (limit, n)), np.full(limit, 1.0 / limit)
    draws = np.array(list(itertools.combinations_with_replacement(range(n), n)), dtype=np.int64)
    counts = (draws[:, :, None] == np.arange(n)).sum(axis=1)
    factorials = np.array([math.factorial(k) for k in range(n + 1)], dtype=np.float64)
    return draws, factorials[n] / factorials[counts].prod(axis=1) / float(n) ** n
