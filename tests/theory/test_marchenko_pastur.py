from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import ive

from dimlaws.errors import ConfigError
from dimlaws.theory.marchenko_pastur import density, expectation, mass_at_zero, support


def narayana_moment(k, c):
    """E λ^k = Σ_r N(k, r + 1) c^r, N the Narayana numbers C(k, r) C(k - 1, r) / (r + 1)."""
    return sum(c**r * (comb(k, r) * comb(k - 1, r) // (r + 1)) for r in range(k))


@pytest.mark.parametrize("ratio", [1e-6, 0.1, 0.999, 1.0, 1.001, 3.0, 1e4])
def test_moments_are_narayana_polynomials(ratio):
    powers = np.arange(7)
    found = expectation(lambda x: x ** powers[:, None], ratio)
    numbers = [1.0, *(narayana_moment(k, ratio) for k in range(1, 7))]
    np.testing.assert_allclose(found, numbers, rtol=1e-12)


def test_moments_at_ratio_one_are_catalan_numbers():
    found = expectation(lambda x: np.stack([x, x**2, x**3, x**4]), 1.0)
    np.testing.assert_allclose(found, [1, 2, 5, 14], rtol=1e-12)


@pytest.mark.parametrize("ratio", [0.01, 0.5, 0.99, 1 - 1e-4])
def test_inverse_moments(ratio):
    """E 1/λ = 1/(1 - c) and E 1/λ² = 1/(1 - c)³ for c < 1."""
    found = expectation(lambda x: np.stack([1 / x, 1 / x**2]), ratio)
    np.testing.assert_allclose(found, [1 / (1 - ratio), 1 / (1 - ratio) ** 3], rtol=1e-11)


@pytest.mark.parametrize("time", [1e-2, 1.0, 1e4, 1e8])
def test_exponentials_at_ratio_one_are_bessel_functions(time):
    """E exp(-λt) = e^{-2t} (I0(2t) + I1(2t)) at c = 1: the quarter-circle law's transform."""
    found = expectation(lambda x: np.exp(-x * time), 1.0)
    assert found == pytest.approx(ive(0, 2 * time) + ive(1, 2 * time), rel=1e-12)


@pytest.mark.parametrize("ratio", [0.25, 0.98, 2.0])
def test_expectation_is_that_of_the_density(ratio):
    def late(x):
        return np.exp(-300 * x) + np.log1p(x)

    low, high = support(ratio)
    known, _ = quad(
        lambda x: late(x) * density(x, ratio),
        low,
        high,
        points=[low + 1e-3, low + 1e-2],
        limit=500,
        epsabs=1e-13,
        epsrel=1e-12,
    )
    known += mass_at_zero(ratio) * late(0.0)
    assert expectation(late, ratio) == pytest.approx(known, rel=1e-8)


@given(ratio=st.floats(0.02, 50))
@settings(max_examples=20, deadline=None)
def test_both_products_have_the_same_eigenvalues(ratio):
    """XᵀX and XXᵀ differ in zeros only, and in scale: c E_c f(λ) = E_1/c f(λ c), if f(0) = 0."""
    left = ratio * expectation(lambda x: x * np.exp(-x), ratio)
    right = expectation(lambda x: ratio * x * np.exp(-ratio * x), 1 / ratio)
    assert left == pytest.approx(right, rel=1e-11)


@pytest.mark.parametrize(("rows", "columns"), [(400, 100), (100, 250)])
def test_eigenvalues_of_a_random_matrix(rows, columns):
    """Linear statistics of Wishart matrices fluctuate by O(1/d) about those of the law."""
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(30):
        x = rng.standard_normal((rows, columns))
        eigenvalues = np.linalg.eigvalsh(x.T @ x / rows)
        assert np.sum(eigenvalues < 1e-10) == columns * mass_at_zero(columns / rows)
        draws.append(np.exp(-eigenvalues).mean())
    error = np.std(draws, ddof=1) / np.sqrt(len(draws))
    # For real entries the mean itself is off by O(1/d).
    known = expectation(lambda x: np.exp(-x), columns / rows)
    assert np.mean(draws) == pytest.approx(known, abs=4 * error + 0.2 / columns)


def test_density_vanishes_outside_and_refuses():
    low, high = support(4.0)
    assert (low, high) == (1.0, 9.0)
    np.testing.assert_array_equal(density([0.0, 0.5, 9.5], 4.0), 0)
    assert density([5.0], 4.0)[0] == pytest.approx(4 / (2 * np.pi * 4 * 5))
    assert mass_at_zero(4.0) == 0.75
    assert mass_at_zero(0.5) == 0
    for ratio in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ConfigError, match="aspect ratio"):
            expectation(np.exp, ratio)
