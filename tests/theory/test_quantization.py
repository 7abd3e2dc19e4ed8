import itertools

import numpy as np
import pytest
from scipy import integrate
from scipy.stats import norm

from dimlaws.theory.quantization import (
    lloyd_max_levels,
    mean_square_error,
    quantized_cosine,
    rate_distortion_error,
)

PUBLISHED = {2: 0.3634, 4: 0.1175, 8: 0.03454, 16: 0.009497}
"""Max (1960), table I: mean square error by number of levels."""


@pytest.mark.parametrize(("count", "published"), PUBLISHED.items())
def test_errors_are_those_of_the_published_table(count, published):
    assert mean_square_error(lloyd_max_levels(count)) == pytest.approx(published, rel=1e-3)


def test_levels_of_two_bits():
    """Max (1960), table I, and the closed form of one bit, sqrt(2 / π)."""
    assert lloyd_max_levels(4) == pytest.approx([-1.510, -0.4528, 0.4528, 1.510], abs=5e-4)
    assert lloyd_max_levels(2)[1] == pytest.approx(np.sqrt(2 / np.pi), rel=1e-12)


def test_error_of_any_levels_by_quadrature():
    levels = np.array([-1.3, 0.2, 0.4, 2.0])

    def integrand(x):
        return np.min((x - levels) ** 2) * norm.pdf(x)

    edges = [-9.0, *(levels[1:] + levels[:-1]) / 2, 9.0]
    pieces = [integrate.quad(integrand, a, b)[0] for a, b in itertools.pairwise(edges)]
    assert mean_square_error(levels) == pytest.approx(sum(pieces), rel=1e-8)


def test_no_levels_nearby_are_better_and_the_bound_is_below():
    levels = lloyd_max_levels(8)
    rng = np.random.default_rng(0)
    least = mean_square_error(levels)
    for _ in range(20):
        assert mean_square_error(np.sort(levels + 0.05 * rng.standard_normal(8))) > least
    for bits in (1, 2, 3, 4):
        error = mean_square_error(lloyd_max_levels(2**bits))
        assert rate_distortion_error(bits) < error < 2.72 * rate_distortion_error(bits)


def test_cosine_of_a_long_vector():
    numbers = np.random.default_rng(0).standard_normal(200_000)
    levels = lloyd_max_levels(4)
    kept = levels[np.argmin(np.abs(numbers[:, None] - levels), axis=1)]
    cosine = numbers @ kept / np.linalg.norm(numbers) / np.linalg.norm(kept)
    assert quantized_cosine(mean_square_error(levels)) == pytest.approx(cosine, abs=5e-4)
