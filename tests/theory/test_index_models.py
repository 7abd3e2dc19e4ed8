import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from dimlaws.theory.index_models import (
    first_order_error,
    gaussian_mean,
    least_squares_error,
    second_order_error,
)


def test_gaussian_means():
    assert gaussian_mean(np.cos) == pytest.approx(np.exp(-0.5), rel=1e-12)
    expected = quad(lambda z: np.tanh(z) ** 2 * norm.pdf(z), -12, 12)[0]
    assert gaussian_mean(lambda z: np.tanh(z) ** 2) == pytest.approx(expected, rel=1e-8)


def test_linear_link_is_ordinary_regression():
    """For y = z + noise and r = q = 1 least squares has the error σ √(p / n)."""
    assert least_squares_error(lambda z: z, 1, 1, 0.5, 0.01) == pytest.approx(0.05, abs=1e-8)
    # The true covariance leaves the variance of the signal in: √(1 + σ²).
    assert first_order_error(lambda z: z, 1, 1, 0.5, 0.01) == pytest.approx(0.1 * np.sqrt(1.25))


@pytest.mark.parametrize(("r", "expected"), [(1, 15 / 4), (2, 15 / 4 + 9 / 4)])
def test_square_link_in_closed_form(r, expected):
    """For w = Σ z_j² / r: E w² z_k² by the moments 1, 3 and 15, over (E g'' / r)² = 4 / r²."""
    found = second_order_error(lambda z: z**2, r, r, 1e-12, 1.0)
    # r² E w² z_k² = 15 + 2 (r - 1) 3 + (r - 1) 3 + (r - 1)(r - 2).
    assert found**2 == pytest.approx(expected, rel=1e-9)


def test_second_order_against_monte_carlo():
    """The mean square of w z_k, sampled, for three indices and six responses."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal((200_000, 3))
    w = np.cos(z).mean(axis=1) + 0.5 / np.sqrt(6) * rng.standard_normal(len(z))
    squares = (w * z[:, 0]) ** 2 / (np.exp(-0.5) / 3) ** 2
    error = squares.std() / np.sqrt(len(z))
    found = second_order_error(np.cos, 3, 6, 0.5, 1.0) ** 2
    assert abs(found - squares.mean()) < 4 * error
