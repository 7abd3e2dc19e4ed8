import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import ive

from dimlaws.errors import ConfigError
from dimlaws.theory.linear_dynamics import (
    final_generalization_error,
    frozen_share,
    generalization_error,
    optimal_stopping,
    training_error,
)


def by_quad(time, alpha, snr, inr):
    """E_g by SciPy, over angles of the semicircle that Marchenko-Pastur becomes; own formulas.

    The density of the eigenvalues of X^T X, entries of variance 1/N and P = alpha N rows, is
    sqrt((b - l)(l - a)) / (2 pi l) on (1 -+ sqrt(alpha))^2: with l = 1 + alpha + 2 sqrt(alpha)
    cos(u) it is 2 alpha sin^2(u) / (pi l) du.
    """

    def integrand(u):
        l = 1 + alpha + 2 * np.sqrt(alpha) * np.cos(u)  # noqa: E741
        left = np.exp(-l * time)
        error = (1 + inr) * left**2 + (1 - left) ** 2 / (l * snr)
        return 2 * alpha * np.sin(u) ** 2 / (np.pi * l) * error

    value, _ = quad(integrand, 0, np.pi, limit=400, epsrel=1e-11)
    return value + max(0, 1 - alpha) * (1 + inr) + 1 / snr


@pytest.mark.parametrize("alpha", [0.25, 0.8, 1.25, 4.0])
def test_generalization_error_by_quadrature(alpha):
    times = np.array([0.0, 1.0, 10.0, 1e3])
    for snr, inr in ((5.0, 0.0), (1.0, 1.0)):
        known = [by_quad(time, alpha, snr, inr) for time in times]
        np.testing.assert_allclose(generalization_error(times, alpha, snr, inr), known, rtol=1e-8)


def test_reference_values():
    """SNR 5, INR 0, t = 1e4, from an independent integration: to its three digits."""
    known = {0.25: 1.02, 0.5: 0.90, 0.8: 1.20, 1.0: 13.3, 1.25: 1.00, 2.0: 0.40, 4.0: 0.267}
    for alpha, error in known.items():
        assert generalization_error(1e4, alpha, 5.0, 0.0) == pytest.approx(error, rel=6e-3)
    for snr, time, error in ((1, 0.67, 1.62), (5, 3.0, 0.568), (20, 12.2, 0.256)):
        found, lowest = optimal_stopping(1.0, snr, 0.0)
        # The times of reference are points of a grid.
        assert found == pytest.approx(time, rel=0.03)
        assert lowest == pytest.approx(error, rel=3.5e-3)


@given(alpha=st.floats(0.05, 20), snr=st.floats(0.1, 100), inr=st.floats(0, 5))
@settings(max_examples=25, deadline=None)
def test_both_ends_of_training(alpha, snr, inr):
    start = 1 + inr + 1 / snr
    assert generalization_error(0.0, alpha, snr, inr) == pytest.approx(start, rel=1e-10)
    assert training_error(0.0, alpha, snr, inr) == pytest.approx(start, rel=1e-10)
    if abs(alpha - 1) > 0.01:
        last = final_generalization_error(alpha, snr, inr)
        assert generalization_error(1e8, alpha, snr, inr) == pytest.approx(last, rel=1e-8)
    # What is left of the noise on P rows after N weights fitted it: (1 - N/P) / SNR.
    left = max(0.0, 1 - 1 / alpha) / snr
    assert training_error(1e8, alpha, snr, inr) == pytest.approx(left, rel=1e-8, abs=1e-3)


def test_training_error_at_alpha_one_by_bessel_functions():
    """E exp(-sl) = f(s) = e^{-2s} (I0(2s) + I1(2s)) at alpha = 1, and E l exp(-sl) = -f'(s)."""

    def transform(s):
        return ive(0, 2 * s) + ive(1, 2 * s)

    for time in (0.5, 3.0, 50.0):
        s, step = 2 * time, 1e-4 * time
        slope = (transform(s + step) - transform(s - step)) / (2 * step)
        known = -1.5 * slope + transform(s) / 4
        assert training_error(time, 1.0, 4.0, 0.5) == pytest.approx(known, rel=1e-6)


@pytest.mark.parametrize(("alpha", "inr"), [(0.5, 0.5), (2.0, 0.0)])
def test_gradient_descent_by_loop(alpha, inr):
    """Many draws of small steps, each measured directly: on the rows, and by distance."""
    rng = np.random.default_rng(0)
    weights, snr, step = 120, 4.0, 0.02
    rows = int(alpha * weights)
    found = []
    for _ in range(60):
        x = rng.standard_normal((rows, weights)) / np.sqrt(weights)
        teacher = rng.standard_normal(weights)
        y = x @ teacher + rng.standard_normal(rows) / np.sqrt(snr)
        w = np.sqrt(inr) * rng.standard_normal(weights)
        for _ in range(100):
            w += step * x.T @ (y - x @ w)
        found.append([np.mean((w - teacher) ** 2) + 1 / snr, np.mean((x @ w - y) ** 2)])
    known = [f(2.0, alpha, snr, inr) for f in (generalization_error, training_error)]
    error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    # Steps of 0.02 bend the flow by less than step * max l^2 t e^{-2lt} / 2, about 1 %.
    np.testing.assert_array_less(np.abs(np.mean(found, axis=0) - known), 4 * error + 0.02)


@pytest.mark.parametrize(
    ("alpha", "snr", "inr"), [(0.3, 1.0, 0.0), (1.0, 20.0, 1.0), (3.0, 5.0, 0)]
)
def test_optimal_stopping_is_the_lowest_point(alpha, snr, inr):
    time, error = optimal_stopping(alpha, snr, inr)
    times = np.geomspace(1e-3, 1e5, 4001)
    errors = generalization_error(times, alpha, snr, inr)
    assert error <= errors.min() + 1e-12
    assert error == pytest.approx(errors.min(), rel=1e-5)
    assert time == pytest.approx(times[np.argmin(errors)], rel=0.01)


def test_one_eigenvalue_stops_where_its_derivative_is_zero():
    """For alpha >> 1 all eigenvalues are alpha: stop at ln(1 + alpha SNR (1 + INR)) / alpha."""
    alpha, snr = 1e6, 1e-3
    time, _ = optimal_stopping(alpha, snr, 1.0)
    assert time == pytest.approx(np.log1p(alpha * snr * 2) / alpha, rel=0.01)


def test_frozen_share_and_divergence():
    assert frozen_share(0.25) == 0.75
    assert frozen_share(2.0) == 0
    with pytest.raises(ConfigError, match="diverges"):
        final_generalization_error(1.0, 1.0, 0.0)
    assert generalization_error(1e8, 1.0, 1.0, 0.0) > 100
