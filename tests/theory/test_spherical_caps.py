import numpy as np
import pytest
from scipy.integrate import quad

from dimlaws.theory.spherical_caps import (
    cap_probability,
    false_positive_probability,
    mean_reciprocal_rank,
    median_index_size,
    median_random_coherence,
    welch_bound,
)


@pytest.mark.parametrize(("cosine", "dim"), [(0.0, 5), (0.3, 2), (0.5, 3), (0.5, 32), (0.9, 7)])
def test_cap_is_the_integral_of_the_density_of_the_cosine(cosine, dim):
    def density(x):
        return (1 - x * x) ** ((dim - 3) / 2)

    part, whole = quad(density, cosine, 1)[0], quad(density, -1, 1)[0]
    assert cap_probability(cosine, dim) == pytest.approx(part / whole, rel=1e-6)


def test_caps_on_circle_and_sphere():
    assert cap_probability(0.5, 2) == pytest.approx(1 / 3)  # an arc of 120 of 360 degrees
    assert cap_probability(0.5, 3) == pytest.approx(0.25)  # Archimedes: (1 - c)/2


def test_known_probabilities_of_false_positives():
    """Values at c = 1/2 of the derivation that the experiment rests on."""
    assert false_positive_probability(0.5, 32, 100) == pytest.approx(0.141, abs=5e-4)
    assert false_positive_probability(0.5, 32, 1000) == pytest.approx(0.782, abs=5e-4)
    assert false_positive_probability(0.5, 64, [1e4, 1e5]) == pytest.approx(
        [0.105, 0.672], abs=5e-4
    )
    assert false_positive_probability(0.5, 128, 1e5) == pytest.approx(8e-5, rel=0.05)


def test_median_index_size_has_even_odds_and_its_slope_in_dimension():
    n = median_index_size(0.5, np.array([20, 600, 601]))
    assert false_positive_probability(0.5, 20, n[0]) == pytest.approx(0.5)
    assert np.log(n[2] / n[1]) == pytest.approx(-0.5 * np.log(0.75) + 0.5 / 600, rel=1e-3)


def test_mean_reciprocal_rank_is_that_of_the_binomial():
    p, n = float(cap_probability(0.5, 8)), 40
    rng = np.random.default_rng(0)
    ranks = 1 / (1 + rng.binomial(n, p, 40_000))
    error = ranks.std() / np.sqrt(len(ranks))
    assert mean_reciprocal_rank(0.5, 8, n) == pytest.approx(ranks.mean(), abs=4 * error)


def test_median_coherence_of_random_vectors():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(300):
        x = rng.standard_normal((30, 20))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        found.append(np.abs(x @ x.T - np.eye(30)).max())
    assert np.median(found) == pytest.approx(median_random_coherence(30, 20), rel=0.02)


def test_welch_bound_is_met_by_frames_that_are_known_to_meet_it():
    # The simplex, d + 1 vectors, and the six diagonals of the icosahedron.
    assert welch_bound(5, 4) == pytest.approx(1 / 4)
    assert welch_bound(6, 3) == pytest.approx(1 / np.sqrt(5))
