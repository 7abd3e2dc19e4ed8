"""Ranks and rank correlation against SciPy."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dimlaws.laws.ranks import ranks, spearman

VALUES = st.lists(st.integers(-5, 5), min_size=2, max_size=12)


@settings(deadline=None)
@given(VALUES)
def test_ranks_are_those_of_scipy(values):
    np.testing.assert_array_equal(ranks(values), stats.rankdata(values))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=12))
def test_correlation_is_that_of_scipy_with_ties(pairs):
    x, y = np.array(pairs, dtype=float).T
    if np.ptp(x) and np.ptp(y):
        assert math.isclose(spearman(x, y), stats.spearmanr(x, y).statistic, abs_tol=1e-12)
    else:
        assert math.isnan(spearman(x, y))
