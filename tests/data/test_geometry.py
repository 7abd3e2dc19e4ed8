import numpy as np
import pytest
import skdim
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad
from scipy.spatial.distance import pdist

from dimlaws.data.geometry import (
    CUBE_HALF_WIDTH,
    GEOMETRIES,
    Affine,
    Decoder,
    Hypercube,
    Sphere,
    SwissRoll,
    Torus,
    random_isometry,
)

ISOMETRIC_CHARTS = [Affine, Hypercube, Torus, SwissRoll]


def jacobians(geometry, u, step=1e-5):
    """Central differences, ``[n, c, m]``."""
    columns = []
    for i in range(u.shape[1]):
        shift = np.zeros_like(u)
        shift[:, i] = step
        columns.append((geometry.embed(u + shift) - geometry.embed(u - shift)) / (2 * step))
    return np.stack(columns, axis=2)


def any_geometry(kind, m, ambient_dim=40, curvature=1.0):
    if kind == "decoder":
        return Decoder.random(m, ambient_dim, curvature, np.random.default_rng(9))
    return GEOMETRIES[kind](m)


@pytest.mark.parametrize("m", [1, 2, 5])
@pytest.mark.parametrize("shape", ISOMETRIC_CHARTS)
def test_chart_is_an_isometry(shape, m):
    geometry = shape(m)
    u = geometry.draw(50, np.random.default_rng(0))
    metric = np.einsum("nci,ncj->nij", *[jacobians(geometry, u)] * 2)
    np.testing.assert_allclose(metric, np.broadcast_to(np.eye(m), metric.shape), atol=1e-7)


def test_swiss_roll_is_a_spiral_of_one_and_a_half_turns():
    geometry = SwissRoll(1)
    z = geometry.embed(np.linspace(-CUBE_HALF_WIDTH, CUBE_HALF_WIDTH, 400)[:, None])
    angle = np.unwrap(np.arctan2(z[:, 1], z[:, 0]))
    radius = np.hypot(z[:, 0], z[:, 1])
    assert angle[-1] - angle[0] == pytest.approx(3 * np.pi, abs=1e-9)
    # Archimedes: the radius is linear in the angle, and 3 times as large after the 3 half turns
    slope, intercept = np.polyfit(angle, radius, 1)
    np.testing.assert_allclose(radius, slope * angle + intercept, atol=1e-10)
    assert radius[-1] / radius[0] == pytest.approx(3.0, abs=1e-9)


@pytest.mark.parametrize("m", [1, 3])
def test_swiss_roll_mean_square_is_the_integral(m):
    geometry = SwissRoll(m)

    def squared_radius(length):
        return float((geometry.embed(np.array([[length]])) ** 2).sum())

    total, _ = quad(squared_radius, -CUBE_HALF_WIDTH, CUBE_HALF_WIDTH, epsabs=1e-11)
    flat = m - 1
    assert geometry.mean_square == pytest.approx(total / (2 * CUBE_HALF_WIDTH) + flat, abs=1e-9)


@pytest.mark.parametrize("m", [1, 2, 7])
@pytest.mark.parametrize("kind", sorted(GEOMETRIES))
def test_mean_square_matches_a_large_sample(kind, m):
    geometry = any_geometry(kind, m)
    z = geometry.embed(geometry.draw(20_000, np.random.default_rng(1)))
    squares = (z**2).sum(axis=1)
    standard_error = squares.std() / np.sqrt(len(squares))
    assert z.shape == (20_000, geometry.embedding_dim)
    assert abs(squares.mean() - geometry.mean_square) < 4 * standard_error + 1e-9


@pytest.mark.parametrize("m", [1, 2, 6])
def test_sphere_is_uniform_with_radius_root_m(m):
    z = Sphere(m).draw(5000, np.random.default_rng(2))
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), np.sqrt(m), rtol=1e-13)
    assert np.abs(z.mean(axis=0)).max() < 4.5 * np.sqrt(m / (m + 1) / 5000)
    # (1 + z_i / r) / 2 is Beta(m/2, m/2) on S^m
    for column in z.T:
        share = (1 + column / np.sqrt(m)) / 2
        assert stats.kstest(share, stats.beta(m / 2, m / 2).cdf).pvalue > 1e-4


def test_draws_have_unit_variance_and_the_stated_law():
    rng = np.random.default_rng(3)
    laws = {
        Affine: stats.norm(),
        Hypercube: stats.uniform(-np.sqrt(3), 2 * np.sqrt(3)),
        SwissRoll: stats.uniform(-np.sqrt(3), 2 * np.sqrt(3)),
        Torus: stats.uniform(-np.pi, 2 * np.pi),
    }
    for shape, law in laws.items():
        for column in shape(2).draw(4000, rng).T:
            assert stats.kstest(column, law.cdf).pvalue > 1e-4


@settings(deadline=None, max_examples=20)
@given(embedding_dim=st.integers(1, 12), extra=st.integers(0, 12), seed=st.integers(0, 2**32 - 1))
def test_isometry_keeps_pairwise_distances(embedding_dim, extra, seed):
    rng = np.random.default_rng(seed)
    turn = random_isometry(embedding_dim + extra, embedding_dim, rng)
    z = rng.standard_normal((20, embedding_dim))
    np.testing.assert_allclose(pdist(z @ turn.T), pdist(z), atol=1e-10)


def test_isometry_is_uniform_and_not_biased_by_qr():
    rng = np.random.default_rng(4)
    matrices = np.stack([random_isometry(3, 3, rng) for _ in range(2000)])
    # Haar on O(3): every entry has mean 0 and variance 1/3
    assert np.abs(matrices.mean(axis=0)).max() < 4.5 * np.sqrt(1 / 3 / 2000)
    determinants = np.linalg.det(matrices)
    assert abs(determinants.mean()) < 4 / np.sqrt(2000)


@pytest.mark.parametrize(("m", "ambient_dim"), [(1, 1), (1, 20), (3, 3), (3, 20), (8, 16)])
def test_decoder_has_rank_m(m, ambient_dim):
    geometry = any_geometry("decoder", m, ambient_dim)
    u = geometry.draw(20, np.random.default_rng(5))
    singular = np.linalg.svd(jacobians(geometry, u), compute_uv=False)
    assert singular.shape == (20, m)
    assert (singular[:, -1] > 1e-3 * singular[:, 0]).all()


def test_decoder_is_linear_without_curvature_and_bends_with_it():
    bends = []
    for curvature in (1e-3, 0.5, 1.0, 3.0):
        geometry = any_geometry("decoder", 3, 20, curvature)
        u = geometry.draw(2000, np.random.default_rng(6))
        z = geometry.embed(u)
        residual = z - u @ np.linalg.lstsq(u, z, rcond=None)[0]
        bends.append(float((residual**2).sum() / (z**2).sum()))
    assert bends[0] < 1e-10
    assert bends == sorted(bends)
    assert bends[-1] > 0.05


def test_decoder_rank_is_not_isometry():
    geometry = any_geometry("decoder", 2, 20)
    metric = np.einsum(
        "nci,ncj->nij", *[jacobians(geometry, geometry.draw(10, np.random.default_rng(7)))] * 2
    )
    assert np.ptp(metric[:, 0, 0]) / metric[:, 0, 0].mean() > 0.1


@pytest.mark.parametrize("task_dim", [None, 2])
def test_slope_on_the_sphere_is_along_great_circles(task_dim):
    m, step = 4, 1e-5
    rng = np.random.default_rng(8)
    sphere = Sphere(m)
    z = sphere.draw(10, rng)
    v = sphere.label_coordinates(z, task_dim)
    gradient = rng.standard_normal((10, v.shape[1]))
    expected = np.zeros(10)
    for point, g, row in zip(z, gradient, range(10), strict=True):
        normal = point[:, None] / np.sqrt(m)
        tangents = np.linalg.svd(normal)[0][:, 1:].T  # orthonormal, across the radius
        for tangent in tangents:
            ends = []
            for signed in (step, -step):
                arc = signed / np.sqrt(m)
                end = np.cos(arc) * point + np.sqrt(m) * np.sin(arc) * tangent
                ends.append(end[: v.shape[1]] @ g)
            expected[row] += ((ends[0] - ends[1]) / (2 * step)) ** 2
    np.testing.assert_allclose(sphere.squared_slope(v, gradient), expected, rtol=1e-7)


def test_slope_on_the_torus_is_with_respect_to_the_angles():
    rng = np.random.default_rng(9)
    torus = Torus(3)
    u = torus.draw(10, rng)
    gradient = rng.standard_normal((10, 6))
    by_angle = np.einsum("nci,nc->ni", jacobians(torus, u), gradient)
    slopes = torus.squared_slope(torus.label_coordinates(u, None), gradient)
    np.testing.assert_allclose(slopes, (by_angle**2).sum(axis=1), rtol=1e-8)


@pytest.mark.parametrize("kind", sorted(GEOMETRIES))
@pytest.mark.parametrize("m", [1, 2, 3])
def test_others_estimators_find_the_intrinsic_dimension(kind, m):
    n = 4800
    rng = np.random.default_rng(10)
    geometry = any_geometry(kind, m, 12)
    z = geometry.embed(geometry.draw(n, rng))
    x = z @ random_isometry(12, geometry.embedding_dim, rng).T
    # n independent ratios give relative standard error 1 / sqrt(n); points share neighbours and
    # TwoNN drops the top tenth, which widens it by about a half
    tolerance = 4 * 1.5 * m / np.sqrt(n)
    assert skdim.id.TwoNN().fit(x).dimension_ == pytest.approx(m, abs=tolerance)
    if kind in ("sphere", "torus"):  # no edge, so no edge bias at larger scales either
        assert skdim.id.MLE(K=10).fit(x).dimension_ == pytest.approx(m, abs=tolerance)
