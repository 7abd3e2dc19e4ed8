import math

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import pdist, squareform

from dimlaws.errors import ConfigError
from dimlaws.studies.hyperbolic_construction import directions, distances, embed, rounded
from dimlaws.studies.hyperbolic_tree_embedding import hyperbolic_tree_embedding
from dimlaws.studies.metric_scaling import (
    classical_coordinates,
    euclidean_dimension,
    hyperbolic_distances,
    hyperbolic_points,
    recovered_points,
)
from dimlaws.studies.trees import (
    double_star,
    mean_average_precision,
    path_lengths,
    random_tree,
    regular_tree,
    worst_distortion,
)

RANDOM = random_tree(4, 5, 30, np.random.default_rng(0))


@pytest.mark.parametrize("parents", [regular_tree(3, 3), double_star(5), RANDOM])
def test_path_lengths_are_shortest_paths(parents):
    n = len(parents)
    edges = coo_array((np.ones(n - 1), (parents[1:], range(1, n))), shape=(n, n))
    np.testing.assert_array_equal(path_lengths(parents), shortest_path(edges, directed=False))
    lengths = path_lengths(parents)
    assert (lengths == 1).sum(axis=1).max() <= {40: 4, 12: 6, 30: 4}[n]


def test_random_tree_has_the_depth_asked_for():
    assert path_lengths(RANDOM)[0].max() == 5


@pytest.mark.parametrize(("dim", "degree"), [(2, 4), (3, 4), (5, 4)])
def test_distances_of_an_embedding(dim, degree):
    """In exact arithmetic and, near the centre, in floats; edges have the length asked for."""
    scale, bits = 1.2, 60
    embedded = embed(RANDOM, dim, degree, scale)
    found = distances(rounded(embedded, bits), bits)
    points = np.array([[float(x) for x in point] for point in embedded])
    inside = 1 - np.square(points).sum(axis=1)
    q = 2 * squareform(pdist(points, "sqeuclidean")) / np.multiply.outer(inside, inside)
    np.testing.assert_allclose(found, np.arccosh(1 + q), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found[path_lengths(RANDOM) == 1], scale, rtol=1e-9)
    assert distances(rounded(embedded, 2), 2) is None


def test_far_points_keep_the_angles_of_the_construction():
    """Siblings see each other at the angle between directions: the hyperbolic law of cosines."""
    scale, bits = 40.0, 400
    found = distances(rounded(embed(regular_tree(2, 2), 2, 3, scale), bits), bits)
    angle = directions(3, 2)[1]
    span = math.acosh(math.cosh(scale) ** 2 - math.sinh(scale) ** 2 * math.cos(angle))
    assert found[3, 4] == pytest.approx(span, rel=1e-9)


@pytest.mark.parametrize(("count", "dim", "angle"), [(4, 3, 109.471), (6, 3, 90), (8, 4, 90)])
def test_directions_are_the_best_known_codes(count, dim, angle):
    """Tetrahedron, octahedron, cross-polytope: within 3 degrees."""
    vectors, found = directions(count, dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1)
    assert angle - 3 < math.degrees(found) <= angle + 1e-6


def test_average_precision_by_a_slow_loop():
    lengths = path_lengths(RANDOM)
    points = np.random.default_rng(1).standard_normal((len(RANDOM), 2))
    spans = squareform(pdist(points))
    means = []
    for a in range(len(RANDOM)):
        near = [b for b in range(len(RANDOM)) if lengths[a, b] == 1]
        shares = []
        for b in near:
            closer = [c for c in range(len(RANDOM)) if c != a and spans[a, c] <= spans[a, b]]
            shares.append(sum(c in near for c in closer) / len(closer))
        means.append(sum(shares) / len(shares))
    assert mean_average_precision(lengths, spans) == pytest.approx(sum(means) / len(means))
    assert mean_average_precision(lengths, lengths) == 1
    assert worst_distortion(lengths, 3 * lengths) == pytest.approx(1)


def test_hyperbolic_scaling_recovers_points():
    given = hyperbolic_distances(hyperbolic_points(20, 4, 3.0, np.random.default_rng(0)))
    found = hyperbolic_distances(recovered_points(given, 4))
    np.testing.assert_allclose(found, given, atol=1e-8)
    # One dimension fewer does not do.
    assert np.abs(hyperbolic_distances(recovered_points(given, 3)) - given).max() > 0.1


def test_classical_scaling_recovers_euclidean_points():
    points = np.random.default_rng(0).standard_normal((12, 3))
    found = classical_coordinates(squareform(pdist(points)))
    assert found.shape == (12, 3)
    np.testing.assert_allclose(pdist(found), pdist(points))
    # On a line a path needs one dimension.
    assert euclidean_dimension(path_lengths([0, 0, 1, 2, 3]), 1.0) == 1


def test_records():
    options = {"depths": [1, 2, 3], "random_nodes": 20, "leaves": 9, "dims": [2, 3], "points": 15}
    for tree in ("binary", "random", "double_star"):
        found = pd.DataFrame(hyperbolic_tree_embedding(1, tree=tree, **options))
        values = {name: rows["value"] for name, rows in found.groupby("quantity")}
        assert (values["average_precision"] == 1).all()
        assert (values["relative_distortion"] <= 1).all()
        np.testing.assert_allclose(values["bits"], values["predicted_bits"], rtol=0.25)
        assert (values["recovery_error"] < 1e-6).all()
    assert found.equals(pd.DataFrame(hyperbolic_tree_embedding(1, tree="double_star", **options)))
    with pytest.raises(ConfigError, match="dims from 2"):
        hyperbolic_tree_embedding(1, tree="binary", depths=[1], dims=[1])
