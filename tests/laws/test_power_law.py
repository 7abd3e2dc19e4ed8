import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from dimlaws.errors import EstimationError
from dimlaws.laws.power_law import fit_offset_power_law, fit_power_law

X = 2.0 ** np.arange(3, 11)


@settings(max_examples=30, deadline=None)
@given(st.floats(-3, 3), st.floats(1e-6, 1e6))
def test_an_exact_power_law_is_recovered(exponent, prefactor):
    law = fit_power_law(X, prefactor * X**-exponent)
    assert law.exponent == pytest.approx(exponent, abs=1e-10)
    assert law.prefactor == pytest.approx(prefactor, rel=1e-9)


def test_noisy_data_give_scipys_regression():
    y = 3 * X**-0.4 * np.exp(0.1 * np.random.default_rng(0).normal(size=len(X)))
    line = stats.linregress(np.log(X), np.log(y))
    law = fit_power_law(X, y)
    assert law.exponent == pytest.approx(-line.slope, rel=1e-12)
    assert law.prefactor == pytest.approx(np.exp(line.intercept), rel=1e-12)
    assert law.r2 == pytest.approx(line.rvalue**2, rel=1e-12)


def test_two_points_and_a_constant():
    law = fit_power_law([1, 10], [1, 0.1])
    assert (law.exponent, law.prefactor, law.r2) == pytest.approx((1, 1, 1))
    flat = fit_power_law([1, 10], [2, 2])
    assert flat.exponent == 0
    assert np.isnan(flat.r2)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([1, 2], [1, 0], "positive"),
        ([-1, 2], [1, 1], "positive"),
        ([1, 2], [1, np.nan], "positive, finite"),
        ([1], [1], "2 distinct"),
        ([3, 3], [1, 2], "2 distinct"),
        ([1, 2, 3], [1, 2], "one length"),
    ],
)
def test_bad_points_are_refused(x, y, message):
    with pytest.raises(EstimationError, match=message):
        fit_power_law(x, y)


@pytest.mark.parametrize("exponent", [0.05, 0.25, 1.0, 3.0])
@pytest.mark.parametrize("floor", [0.0, 1e-3, 0.7])
@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e9])
def test_an_exact_law_with_a_floor_is_recovered(exponent, floor, scale):
    law = fit_offset_power_law(X * scale, floor + 2 * (X / 8) ** -exponent)
    # The loss is quadratic at its minimum: its argument has half the digits of its value.
    assert law.exponent == pytest.approx(exponent, rel=1e-4)
    assert law.floor == pytest.approx(floor, abs=2e-4)
    curve = law.floor + law.prefactor * (X * scale) ** -law.exponent
    assert curve == pytest.approx(floor + 2 * (X / 8) ** -exponent, rel=1e-6)


def test_a_noisy_floor_fit_is_no_worse_than_scipys_bounded_least_squares():
    generator = np.random.default_rng(1)
    for _ in range(5):
        y = (0.3 + 4 * X**-0.6) * np.exp(0.02 * generator.normal(size=len(X)))

        def residuals(p, y=y):
            return (p[0] + p[1] * X ** -p[2]) / y - 1

        best = min(
            optimize.least_squares(residuals, (0.2, 3, a), bounds=([0, 0, 0.01], [9, 99, 10])).cost
            for a in (0.3, 1, 2)
        )
        law = fit_offset_power_law(X, y)
        cost = 0.5 * np.sum(residuals((law.floor, law.prefactor, law.exponent)) ** 2)
        assert cost <= best * (1 + 1e-6)


def test_what_has_no_floor_law_is_refused():
    for y in (np.ones_like(X), X**0.5, X**-12.0):
        with pytest.raises(EstimationError, match="no power law with a floor"):
            fit_offset_power_law(X, y)
    with pytest.raises(EstimationError, match="3 distinct"):
        fit_offset_power_law([1, 2], [2, 1])
