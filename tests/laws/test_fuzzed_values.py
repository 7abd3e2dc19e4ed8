"""Whatever values a fit is given: the right numbers, or one sentence that says why not."""

import numpy as np
import odd_arrays
import pytest
from odd_arrays import NO_NUMBERS, SAME, VECTOR

from dimlaws.errors import EstimationError
from dimlaws.laws.crossing import crossing_point
from dimlaws.laws.intervals import bootstrap_over_seeds
from dimlaws.laws.power_law import fit_offset_power_law, fit_power_law
from dimlaws.laws.pruning_law import fit_pruning_law
from dimlaws.laws.ranks import ranks, spearman

DENSITY = np.geomspace(0.01, 1, 240)
ERROR = 0.1 * DENSITY**-0.4


def power_law(x, y):
    law = fit_power_law(x, y)
    return law.exponent, law.prefactor


def offset_power_law(x, y):
    law = fit_offset_power_law(x, y)
    return law.floor, law.exponent, law.prefactor


def pruning_law(density, error, unpruned, sizes=None):
    return fit_pruning_law(density, error, unpruned, sizes).exponent


def interval(seeds):
    found = bootstrap_over_seeds(lambda drawn: float(drawn.mean(dtype=float)), seeds, resamples=50)
    return found.estimate, found.low, found.high


UNPRUNED = np.full(240, 0.1)
FUNCTIONS = {
    "power law, x": lambda v: power_law(v, VECTOR),
    "power law, y": lambda v: power_law(VECTOR, v),
    "floor, x": lambda v: offset_power_law(v, 1 + 1 / VECTOR),
    "floor, y": lambda v: offset_power_law(1 / VECTOR, v),
    "pruning, density": lambda v: pruning_law(v, ERROR, UNPRUNED),
    "pruning, error": lambda v: pruning_law(1 / VECTOR, v, UNPRUNED),
    "pruning, unpruned": lambda v: pruning_law(DENSITY, ERROR, v),
    "crossing, x": lambda v: crossing_point(v, VECTOR, 100.5, "width"),
    "crossing, values": lambda v: crossing_point(VECTOR, v, 100.5, "width"),
    "interval": interval,
    "ranks": ranks,
    "spearman": lambda v: spearman(v, VECTOR**2),
}
each = pytest.mark.parametrize("name", FUNCTIONS)

HARD = {
    "zeros": VECTOR * 0,
    "one value": VECTOR * 0 + 1,
    "two values": np.repeat([1.0, 2.0], 120),
    "negative": -VECTOR,
    "falling": VECTOR[::-1],
    "every value twice": np.repeat(VECTOR[:120], 2),
    "short": VECTOR[:2],
    "one": VECTOR[:1],
    "empty": VECTOR[:0],
    "tiny": VECTOR * 1e-300,
    "subnormal": VECTOR * 1e-320,
    "huge": VECTOR * 1e300,
    "wide": np.logspace(-300, 300, 240),
    "ending in infinity": np.r_[VECTOR[1:], np.inf],
    "beginning with NaN": np.r_[np.nan, VECTOR[1:]],
    "NaN where it counts": np.where(VECTOR == 100, np.nan, VECTOR),
}
# Documented: ranks of NaN are NaN, and so is a correlation with a constant.
UNDEFINED = {
    ("ranks", "beginning with NaN"),
    ("ranks", "NaN where it counts"),
    ("ranks", "ending in infinity"),
    ("spearman", "beginning with NaN"),
    ("spearman", "NaN where it counts"),
    ("spearman", "zeros"),
    ("spearman", "one value"),
}


@each
def test_the_form_does_not_matter(name):
    for form in SAME:
        if not form.startswith("frame"):
            odd_arrays.assert_same(FUNCTIONS[name], VECTOR, form)


@each
def test_what_are_no_numbers_is_refused(name):
    for kind, values in NO_NUMBERS.items():
        if kind != "one axis":
            odd_arrays.assert_refused(FUNCTIONS[name], values)


@each
def test_what_is_hard(name):
    for kind, values in HARD.items():
        if (name, kind) not in UNDEFINED:
            odd_arrays.assert_finite_or_refused(FUNCTIONS[name], values)


@pytest.mark.parametrize("size", [0, -1, np.nan, np.inf])
def test_sizes_of_a_pruning_law_are_positive(size):
    sizes = np.where(VECTOR == 7, size, VECTOR)[:, None]
    with pytest.raises(EstimationError, match="positive, finite densities, errors, sizes"):
        fit_pruning_law(DENSITY, ERROR, UNPRUNED, sizes)


def test_a_crossing_is_read_off_values_that_are_known():
    unknown_later = np.where(VECTOR > 200, np.nan, VECTOR)
    assert 100 < crossing_point(VECTOR, unknown_later, 100.5, "width") < 101
    with pytest.raises(EstimationError, match="from nan at 100"):
        crossing_point(VECTOR, np.where(VECTOR == 100, np.nan, VECTOR), 100.5, "width")
