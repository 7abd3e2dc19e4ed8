import itertools

import numpy as np
import pytest
from scipy import stats

from dimlaws.errors import EstimationError
from dimlaws.laws.intervals import bootstrap_over_seeds

VALUES = np.array([1.2, 0.7, 3.1, 2.2, 1.9])
REPETITIONS = 500
SLACK = 4 * np.sqrt(0.05 * 0.95 / REPETITIONS)
"""Four standard errors of a simulated coverage of 95 %."""


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_for_a_mean_it_is_the_t_interval(confidence):
    found = bootstrap_over_seeds(lambda s: VALUES[s].mean(), range(5), confidence=confidence)
    low, high = stats.t.interval(confidence, 4, VALUES.mean(), stats.sem(VALUES))
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)
    assert (found.estimate, found.n) == (VALUES.mean(), 5)


def test_few_seeds_use_every_resample_with_its_probability():
    """The ideal bootstrap of a nonlinear statistic, by a loop over all 3^3 ordered resamples."""
    values = np.array([1.0, 2.0, 5.0])
    replicates = np.array([np.ptp(values[list(d)]) for d in itertools.product(range(3), repeat=3)])
    shift = replicates.mean() - 4.0
    half = stats.t.ppf(0.975, 2) * np.sqrt(1.5) * replicates.std()
    found = bootstrap_over_seeds(lambda s: np.ptp(values[s]), range(3))
    assert shift < 0
    assert found.low == pytest.approx(4 - half, rel=1e-12)
    assert found.high == pytest.approx(4 - shift + half, rel=1e-12)


def test_random_resamples_approach_all_resamples_and_repeat_themselves():
    def interval(resamples, seed=0):
        found = bootstrap_over_seeds(
            lambda s: VALUES[s].mean(), range(5), resamples=resamples, seed=seed
        )
        return found.low, found.high

    exact = interval(126)  # C(9, 5): the number of distinct resamples of five
    assert interval(125, seed=3) == interval(125, seed=3)
    assert interval(125, seed=3) != interval(125, seed=4)
    width = exact[1] - exact[0]
    # The s.e. of a standard deviation from B normal replicates is 1/sqrt(2B) of it.
    assert interval(125)[1] - interval(125)[0] == pytest.approx(width, rel=4 * (2 * 125) ** -0.5)


def coverage(statistic, draw, truth, n, seed):
    generator = np.random.default_rng(seed)
    hits = 0
    for _ in range(REPETITIONS):
        values = draw(generator, n)
        found = bootstrap_over_seeds(
            lambda s, v=values: statistic(v[:, s]), range(n), resamples=250
        )
        hits += found.low <= truth <= found.high
    return hits / REPETITIONS


@pytest.mark.parametrize("n", [5, 10])
def test_coverage_for_a_mean_is_nominal(n):
    share = coverage(lambda v: v.mean(), lambda g, n: g.normal(1, 1, (1, n)), 1.0, n, seed=n)
    assert abs(share - 0.95) <= SLACK


@pytest.mark.parametrize("n", [5, 10])
def test_coverage_for_a_log_log_slope_is_nominal(n):
    log_x = np.log(2.0 ** np.arange(6))
    design = (log_x - log_x.mean()) / np.sum((log_x - log_x.mean()) ** 2)

    def draw(generator, n):
        return -0.5 * log_x[:, None] + 0.3 * generator.normal(size=(6, n))

    share = coverage(lambda v: design @ v.mean(axis=1), draw, -0.5, n, seed=n)
    assert abs(share - 0.95) <= SLACK


@pytest.mark.parametrize("n", [5, 10])
def test_a_mean_absolute_error_too_large_by_noise_still_covers(n):
    """Each |mean - 0.3| is too large on average; the interval must still reach down to 0.3."""

    def draw(generator, n):
        return 0.3 + generator.normal(size=(4, n))

    share = coverage(lambda v: np.abs(v.mean(axis=1)).mean(), draw, 0.3, n, seed=n)
    assert share >= 0.95 - SLACK


def test_few_undefined_resamples_are_left_out_and_many_are_refused():
    def undefined_where(condition):
        return lambda s: np.nan if condition(s) else VALUES[s].mean()

    # All five draws equal: 5 of 3125 ordered resamples.
    found = bootstrap_over_seeds(undefined_where(lambda s: len(set(s)) == 1), range(5))
    draws = [d for d in itertools.product(range(5), repeat=5) if len(set(d)) > 1]
    spread = VALUES[np.array(draws)].mean(axis=1).std()
    half = stats.t.ppf(0.975, 4) * np.sqrt(5 / 4) * spread
    assert found.high - found.estimate == pytest.approx(half, rel=1e-12)
    # Seed 0 absent: (4/5)^5 = 33 % of them.
    with pytest.raises(EstimationError, match="undefined on 33% of the resamples"):
        bootstrap_over_seeds(undefined_where(lambda s: 0 not in s), range(5))
    with pytest.raises(EstimationError, match="on the measured values"):
        bootstrap_over_seeds(lambda s: np.nan, range(5))


@pytest.mark.parametrize("seeds", [[], [7], [1, 1, 2]])
def test_too_few_or_repeated_seeds_are_refused(seeds):
    with pytest.raises(EstimationError, match="two or more distinct seeds"):
        bootstrap_over_seeds(len, seeds)
