"""Whatever tables spread and similarity are given: the right number, or one sentence."""

import numpy as np
import odd_arrays
import pytest
from odd_arrays import HARD, NO_NUMBERS, SAME, SCALES, TABLE

from dimlaws.measures import shape_distance, similarity, spread

OTHER = TABLE[:, ::-1][:, :4] + np.arange(240)[:, None] * 7 % 13


def beside(function, **settings):
    """Compare a table with another one of as many rows."""

    def compared(X):
        shape = np.shape(X) if isinstance(X, np.ndarray) else getattr(X, "shape", (240,))
        rows = shape[0] if shape else 1
        return function(X, np.resize(OTHER, (rows, 4)), **settings)

    return compared


def moment_similarity(X):
    return beside(shape_distance.moment_similarity, moments=3, bootstraps=4)(X).similarity


UNIT_FREE = {
    "average_cosine_similarity": spread.average_cosine_similarity,
    "eigenvalue_early_enrichment": spread.eigenvalue_early_enrichment,
    "matched_dispersion": lambda X: spread.eigenvalue_early_enrichment(X, matched_dispersion=True),
    "vasicek_ratio_mse": spread.vasicek_ratio_mse,
    "linear kernel": beside(similarity.centered_kernel_alignment),
    "unbiased": beside(similarity.centered_kernel_alignment, unbiased=True),
    "rbf kernel": beside(similarity.centered_kernel_alignment, kernel="rbf"),
    "canonical_correlations": beside(similarity.canonical_correlations),
    "svcca": beside(similarity.svcca),
    "procrustes_distance": beside(similarity.procrustes_distance),
    "angular_shape_distance": beside(similarity.angular_shape_distance),
    "nuclear_norm_similarity": beside(shape_distance.nuclear_norm_similarity),
    "moment_similarity": moment_similarity,
}
FUNCTIONS = {
    **UNIT_FREE,
    "partition_isotropy": spread.partition_isotropy,
    "even_spectral_moments": beside(shape_distance.even_spectral_moments, count=2),
}
each = pytest.mark.parametrize("name", FUNCTIONS)


@each
def test_the_form_does_not_matter(name):
    for form in SAME:
        odd_arrays.assert_same(FUNCTIONS[name], TABLE, form)


@each
def test_what_are_no_numbers_is_refused(name):
    for X in NO_NUMBERS.values():
        odd_arrays.assert_refused(FUNCTIONS[name], X)


@each
def test_what_is_hard(name):
    for X in [*HARD.values(), *(TABLE * scale for scale in SCALES)]:
        odd_arrays.assert_finite_or_refused(FUNCTIONS[name], X)


@pytest.mark.parametrize("name", UNIT_FREE)
def test_the_unit_does_not_matter(name):
    expected = odd_arrays.answer(FUNCTIONS[name], TABLE)
    for scale in SCALES:
        found = odd_arrays.answer(FUNCTIONS[name], TABLE * scale)
        np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=f"{scale:g}")


def test_equal_eigenvalues_need_no_correction():
    grid = HARD["a grid"]
    plain = spread.eigenvalue_early_enrichment(grid)
    corrected = spread.eigenvalue_early_enrichment(grid, matched_dispersion=True)
    assert plain == pytest.approx(0, abs=1e-12)
    assert corrected == pytest.approx(0, abs=1e-12)
