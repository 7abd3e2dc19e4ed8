import math
from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from dimlaws.theory.retrieval import (
    fitted_critical_documents,
    largest_margin,
    least_dimension,
    moment_curve,
    pair_queries,
    shared_component,
)


def relevance(n, k):
    rows = [
        [1.0 if i in chosen else -1.0 for i in range(n)] for chosen in combinations(range(n), k)
    ]
    return np.array(rows)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (7, 1), (6, 2), (6, 3), (9, 4)])
def test_largest_margin_between_a_dual_bound_and_a_construction(n, k):
    """Upper: of weights with equal marginals the margin is at most sqrt(N n) times their norm."""
    signs = relevance(n, k)
    share = (
        np.where(signs > 0, 1 / (signs > 0).sum(), 0),
        np.where(signs < 0, 1 / (signs < 0).sum(), 0),
    )

    def bound(p):
        weights = p * share[0] - (1 - p) * share[1]
        return np.linalg.norm(weights, 2) * math.sqrt(signs.size)

    upper = minimize_scalar(bound, bounds=(0, 1), method="bounded", options={"xatol": 1e-10}).fun
    a = shared_component(n, k)
    simplex = np.eye(n) - 1 / n
    simplex /= np.linalg.norm(simplex, axis=1, keepdims=True)
    sums = (signs > 0) @ simplex
    sums /= np.linalg.norm(sums, axis=1, keepdims=True)
    lower = (signs * ((1 - a**2) * sums @ simplex.T - a**2)).min()
    assert largest_margin(n, k) == pytest.approx(upper, rel=1e-6)
    assert largest_margin(n, k) == pytest.approx(lower, rel=1e-9)


def test_largest_margin_of_published_training():
    """The best margin of Bangachev et al. (2026) at n = 20, k = 2, d = 30 falls just short."""
    assert 0.98 < 0.2900632 / largest_margin(20, 2) < 1


def test_published_numbers_of_the_limit():
    """Weller et al. (2025): extrapolations of their fit, and their bound at a margin of 0.1."""
    for dim, documents in {512: 5e5, 768: 1.7e6, 1024: 4e6, 3072: 1.07e8, 4096: 2.5e8}.items():
        assert fitted_critical_documents(dim) == pytest.approx(documents, rel=0.06)
    for documents, dim in {10**2: 4, 10**5: 10, 10**9: 17}.items():
        assert math.ceil(least_dimension(documents, 2, 0.1)) == dim


@pytest.mark.parametrize("n", [5, 12, 31])
def test_all_pairs_are_best_on_the_moment_curve(n):
    curve = moment_curve(n)
    np.testing.assert_allclose(np.linalg.norm(curve, axis=1), 1)
    for pair in combinations(range(n), 2):
        query = pair_queries(n, pair[0], [pair[1]])[0]
        assert np.linalg.norm(query) == pytest.approx(1)
        scores = curve @ query
        assert set(np.argsort(-scores)[:2]) == set(pair)
        # The polynomial behind the query: a constant, and -(1 - cos)(1 - cos) scaled.
        angles = 2 * np.pi * np.arange(n) / n
        product = np.prod([1 - np.cos(angles - angles[i]) for i in pair], axis=0)
        assert np.corrcoef(scores, product)[0, 1] == pytest.approx(-1)
