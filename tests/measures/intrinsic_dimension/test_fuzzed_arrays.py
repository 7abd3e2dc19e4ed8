"""Whatever array an estimator is given: the right number, or one sentence that says why not."""

import inspect

import numpy as np
import odd_arrays
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from odd_arrays import HARD, NO_NUMBERS, SAME, SCALES, TABLE

from dimlaws.measures import intrinsic_dimension
from dimlaws.measures.intrinsic_dimension import (
    covariance_spectrum,
    nearest_neighbors,
    nearest_neighbors_batch,
)
from dimlaws.measures.intrinsic_dimension.estimator import Estimator

# Few neighbours, so that some of the short tables have an answer, and jobs are quick.
QUICK = {
    "CorrelationDimension": {"k1": 3, "k2": 6},
    "DANCo": {"n_neighbors": 4, "max_dimension": 6},
    "ESS": {"n_neighbors": 8},
    "Gride": {"range_max": 4},
    "LocalPCA": {"n_neighbors": 8},
    "MLE": {"n_neighbors": 5},
    "MoM": {"n_neighbors": 5},
    "TLE": {"n_neighbors": 8},
}


def estimate(kind, name):
    def fitted(X):
        estimator = kind(**QUICK.get(name, {})).fit(X)
        return estimator.dimension_, estimator.dimension_se_

    return fitted


FUNCTIONS = {
    # A new estimator is found here by itself.
    **{
        name: estimate(kind, name)
        for name, kind in vars(intrinsic_dimension).items()
        if inspect.isclass(kind) and issubclass(kind, Estimator)
    },
    "nearest_neighbors": lambda X: nearest_neighbors(X, 3).distances,
    "nearest_neighbors_batch": lambda X: nearest_neighbors_batch([X, X], 3)[1].distances,
    "covariance_spectrum": lambda X: covariance_spectrum(X).fractions,
}
each = pytest.mark.parametrize("name", FUNCTIONS)


def test_all_estimators_are_found():
    named = {name for name in intrinsic_dimension.__all__ if name[0].isupper()} - {"Neighbors"}
    assert named == {name for name in FUNCTIONS if name[0].isupper()}


@each
def test_the_form_does_not_matter(name):
    for form in SAME:
        odd_arrays.assert_same(FUNCTIONS[name], TABLE, form)


@each
def test_what_are_no_numbers_is_refused(name):
    for kind, X in NO_NUMBERS.items():
        # NumPy drops the masks where it makes one array of a list of two.
        if (name, kind) != ("nearest_neighbors_batch", "masked"):
            odd_arrays.assert_refused(FUNCTIONS[name], X)


@each
def test_what_is_hard(name):
    for X in HARD.values():
        odd_arrays.assert_finite_or_refused(FUNCTIONS[name], X)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name[0].isupper()])
def test_the_unit_does_not_matter(name):
    expected = odd_arrays.answer(FUNCTIONS[name], TABLE)
    for scale in SCALES:
        found = odd_arrays.answer(FUNCTIONS[name], TABLE * scale)
        np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=f"{scale:g}")


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    X=arrays.arrays(
        st.sampled_from([np.dtype(kind) for kind in ("f8", "f4", "f2", "i8", "u1", "?")]),
        arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=40),
    )
)
def test_arrays_at_random(X):
    for name, function in FUNCTIONS.items():
        if name != "Calibrated":  # never has an answer for so few rows
            odd_arrays.assert_finite_or_refused(function, X)
