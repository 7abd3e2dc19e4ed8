import numpy as np
import pytest

from dimlaws.theory.small_sample_classification import average_distance_accuracy


def test_threshold_and_limits():
    """Half where the gaps are equal; all or nothing beside it in many dimensions."""
    for dim in (10, 1000):
        assert average_distance_accuracy(dim, 10, 1.5, 1.0, 0.5) == pytest.approx(0.5)
    assert average_distance_accuracy(10**6, 10, 1.4, 1.0, 0.5) == pytest.approx(1)
    assert average_distance_accuracy(10**6, 10, 1.6, 1.0, 0.5) == pytest.approx(0)


@pytest.mark.parametrize(("own", "gap"), [(1.8, 0.5), (1.2, 0.3)])
def test_against_monte_carlo(own, gap):
    rng, dim, n, draws = np.random.default_rng(0), 60, 5, 4000
    right = []
    for _ in range(draws):
        z, x = np.sqrt(own) * rng.standard_normal(dim), np.sqrt(own) * rng.standard_normal((n, dim))
        y = np.sqrt(gap) + rng.standard_normal((n, dim))
        right.append(np.sum((z - x) ** 2) < np.sum((z - y) ** 2))
    found = average_distance_accuracy(dim, n, own, 1.0, gap)
    error = np.sqrt(found * (1 - found) / draws)
    # The normal limit is off by the skewness of a coordinate, of order 1 / sqrt(dim).
    assert abs(np.mean(right) - found) < 4 * error + 0.01
