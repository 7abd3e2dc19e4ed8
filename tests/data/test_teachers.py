import numpy as np
import pytest

from dimlaws.data.geometry import Affine, Hypercube, Sphere, SwissRoll, Torus
from dimlaws.data.teachers import (
    REFERENCE_SIZE,
    classify,
    random_teacher,
    root_mean_square_slope,
)
from dimlaws.errors import ConfigError


def make(geometry, sharpness, *, seed=0, outputs=1, task_dim=None):
    rng = np.random.default_rng(seed)
    reference = geometry.draw(REFERENCE_SIZE, rng)
    return random_teacher(geometry, reference, task_dim, outputs, sharpness, rng)


def chart_slopes(geometry, teacher, u, step=1e-5):
    """Squared slope ``[n, t]`` by central differences in a chart whose metric is the identity."""
    total = 0.0
    for i in range(u.shape[1]):
        shift = np.zeros_like(u)
        shift[:, i] = step
        ahead = teacher(geometry.label_coordinates(u + shift, None))
        behind = teacher(geometry.label_coordinates(u - shift, None))
        total = total + ((ahead - behind) / (2 * step)) ** 2
    return total


def great_circle_slopes(sphere, teacher, z, rng, step=1e-5):
    """Squared slope ``[n, t]``, unbiased: m times that along a random unit tangent."""
    m = sphere.intrinsic_dim
    tangent = rng.standard_normal(z.shape)
    tangent -= (tangent * z).sum(axis=1, keepdims=True) / m * z
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    arc = step / np.sqrt(m)
    ends = [np.cos(arc) * z + np.sqrt(m) * np.sin(a) * tangent for a in (arc, -arc)]
    return m * ((teacher(ends[0]) - teacher(ends[1])) / (2 * step)) ** 2


def close(sample, expected, scale=0.0):
    """Whether the mean agrees within 4 standard errors of this and of the reference sample.

    ``scale`` is the standard deviation of a factor that was fixed on the reference sample.
    """
    variance = sample.var() * (1 / len(sample) + 1 / REFERENCE_SIZE) + scale**2 / REFERENCE_SIZE
    return abs(sample.mean() - expected) < 4 * np.sqrt(variance)


@pytest.mark.parametrize("sharpness", [1.0, 1.5, 5.0])
@pytest.mark.parametrize(
    "geometry", [Affine(3), Hypercube(1), Hypercube(8), SwissRoll(2), Torus(1), Torus(4)], ids=repr
)
def test_variance_is_one_and_slope_is_the_dial(geometry, sharpness):
    teacher = make(geometry, sharpness)
    u = geometry.draw(4000, np.random.default_rng(1))
    values = teacher(geometry.label_coordinates(u, None))[:, 0]
    assert close(values, 0.0)
    squares = (values - values.mean()) ** 2
    assert close(squares, 1.0)
    slopes = chart_slopes(geometry, teacher, u)[:, 0]
    assert close(slopes, sharpness**2, scale=sharpness**2 * squares.std())


@pytest.mark.parametrize("sharpness", [1.0, 4.0])
@pytest.mark.parametrize("m", [1, 2, 10])
def test_slope_on_the_sphere_is_per_geodesic_distance(m, sharpness):
    sphere = Sphere(m)
    teacher = make(sphere, sharpness)
    rng = np.random.default_rng(2)
    z = sphere.draw(4000, rng)
    values = teacher(z)[:, 0]
    squares = (values - values.mean()) ** 2
    assert close(squares, 1.0)
    slopes = great_circle_slopes(sphere, teacher, z, rng)[:, 0]
    assert close(slopes, sharpness**2, scale=sharpness**2 * squares.std())


def test_several_outputs_have_variance_one_each_and_the_slope_on_average():
    geometry, outputs = Hypercube(3), 6
    teacher = make(geometry, 3.0, outputs=outputs)
    u = geometry.draw(4000, np.random.default_rng(3))
    values = teacher(u)
    for column in values.T:
        assert close((column - column.mean()) ** 2, 1.0)
    slopes = chart_slopes(geometry, teacher, u).mean(axis=1)
    searched = REFERENCE_SIZE // outputs
    error = slopes.std() * np.sqrt(1 / len(slopes) + 1 / searched)
    assert abs(slopes.mean() - 9.0) < 4 * error


def test_sharpness_one_is_linear_and_more_is_not():
    geometry = Hypercube(4)
    u = geometry.draw(2000, np.random.default_rng(4))
    design = np.column_stack([u, np.ones(len(u))])
    unexplained = []
    for sharpness in (1.0, 1.5, 3.0):
        values = make(geometry, sharpness)(u)[:, 0]
        fit = design @ np.linalg.lstsq(design, values, rcond=None)[0]
        unexplained.append(np.var(values - fit))
    assert unexplained[0] < 1e-5
    assert 0.1 < unexplained[1] < unexplained[2]


@pytest.mark.parametrize("geometry", [Hypercube(3), Sphere(3), Torus(3)], ids=repr)
@pytest.mark.parametrize("outputs", [1, 3])
def test_gradient_agrees_with_differences(geometry, outputs):
    teacher = make(geometry, 2.0, outputs=outputs)
    v = geometry.label_coordinates(geometry.draw(20, np.random.default_rng(5)), None)
    for output in range(outputs):
        gradient = teacher.gradient(v, output)
        for i in range(v.shape[1]):
            shift = np.zeros_like(v)
            shift[:, i] = 1e-5
            slope = (teacher(v + shift) - teacher(v - shift))[:, output] / 2e-5
            np.testing.assert_allclose(gradient[:, i], slope, atol=1e-7)
    slopes = [(teacher.gradient(v, k) ** 2).sum(axis=1) for k in range(outputs)]
    if isinstance(geometry, Hypercube):
        expected = np.sqrt(np.mean(slopes))
        assert root_mean_square_slope(geometry, teacher, v) == pytest.approx(expected)


@pytest.mark.parametrize("geometry", [Affine(4), Torus(4), Sphere(4)], ids=repr)
def test_task_dim_is_what_labels_depend_on(geometry):
    teacher = make(geometry, 2.0, task_dim=2)
    u = geometry.draw(100, np.random.default_rng(6))
    moved = u.copy()
    moved[:, 2:] = 0.3
    same = teacher(geometry.label_coordinates(moved, 2))
    np.testing.assert_array_equal(teacher(geometry.label_coordinates(u, 2)), same)
    moved = u.copy()
    moved[:, 1] += 0.1
    assert (teacher(geometry.label_coordinates(moved, 2)) != same).all()


def test_task_dim_keeps_the_dial():
    geometry = Hypercube(6)
    teacher = make(geometry, 3.0, task_dim=1)
    u = geometry.draw(4000, np.random.default_rng(7))
    assert close(teacher(u[:, :1])[:, 0] ** 2, 1.0)
    assert close(teacher.gradient(u[:, :1], 0)[:, 0] ** 2, 9.0)


def test_sharper_teacher_is_the_same_function_stretched():
    soft, sharp = make(Hypercube(2), 2.0), make(Hypercube(2), 6.0)
    ratio = sharp.frequencies / soft.frequencies
    np.testing.assert_allclose(ratio, ratio[0, 0])
    assert ratio[0, 0] > 2
    np.testing.assert_array_equal(soft.phases, sharp.phases)


def test_classify_is_sign_and_argmax():
    values = np.random.default_rng(8).standard_normal((50, 4))
    assert classify(values[:, :1]).tolist() == [1 if row[0] > 0 else 0 for row in values]
    assert classify(values).tolist() == [list(row).index(max(row)) for row in values]
    assert classify(values).dtype == np.int64
    assert classify(values[:, :1]).dtype == np.int64


@pytest.mark.parametrize("classes", [2, 4])
def test_classes_are_balanced_in_expectation(classes):
    # the linear limit needs no search, so many teachers are cheap
    geometry, seeds = Hypercube(3), 80
    rng = np.random.default_rng(9)
    shares = []
    for seed in range(seeds):
        outputs = 1 if classes == 2 else classes
        labels = classify(make(geometry, 1.0, seed=seed, outputs=outputs)(geometry.draw(500, rng)))
        shares.append(np.bincount(labels, minlength=classes) / 500)
    shares = np.array(shares)
    errors = shares.std(axis=0) / np.sqrt(seeds)
    assert (np.abs(shares.mean(axis=0) - 1 / classes) < 4 * errors).all()


def test_outputs_are_unrelated_functions():
    geometry = Hypercube(5)
    u = geometry.draw(500, np.random.default_rng(10))
    correlations = []
    for seed in range(60):
        values = make(geometry, 1.0, seed=seed, outputs=2)(u)
        correlations.append(np.corrcoef(values.T)[0, 1])
    assert abs(np.mean(correlations)) < 4 * np.std(correlations) / np.sqrt(60)
    # linear functions of m coordinates: the cosine of random directions has variance 1 / m
    assert abs(np.var(correlations) - 1 / 5) < 4 * np.sqrt(2 / 60) / 5


@pytest.mark.parametrize("sharpness", [0.99, 0.0, float("nan")])
def test_too_flat_is_refused(sharpness):
    with pytest.raises(ConfigError, match="at least 1"):
        make(Hypercube(2), sharpness)
