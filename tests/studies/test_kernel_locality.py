import numpy as np
import pandas as pd
import pytest

from dimlaws.errors import ConfigError
from dimlaws.studies.gaussian_field_regression import KERNELS
from dimlaws.studies.kernel_locality import kernel_locality, patch_kernel


def torus(n, angles, seed=0):
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, (n, angles))
    return np.stack([np.cos(phases), np.sin(phases)], axis=-1)


def slow_kernel(x, y, patch):
    """Mean over cyclic patches of exp(-distance / patch), one pair of points at a time."""
    angles = len(x)
    values = []
    for start in range(angles):
        squares = 0.0
        for step in range(patch):
            squares += np.sum((x[(start + step) % angles] - y[(start + step) % angles]) ** 2)
        values.append(np.exp(-np.sqrt(squares) / patch))
    return np.mean(values)


@pytest.mark.parametrize("patch", [1, 2, 3, 4])
def test_patch_kernel_is_that_of_a_slow_loop(patch):
    X, Y = torus(3, 4), torus(2, 4, seed=1)
    expected = [[slow_kernel(x, y, patch) for y in Y] for x in X]
    found = patch_kernel(KERNELS["laplace"], X, Y, patch)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    # A patch of all angles is one kernel of the whole point; turning the input changes nothing.
    turned = patch_kernel(KERNELS["laplace"], np.roll(X, 1, axis=1), np.roll(Y, 1, axis=1), patch)
    np.testing.assert_allclose(found, turned, rtol=1e-12)


def test_single_angles_set_the_exponent_whatever_the_input():
    """A student of single angles has the exponent 1, one of all angles a smaller one."""
    tables = [
        pd.DataFrame(
            kernel_locality(seed, rows=[64, 128, 256], patches=[1], angles=m, test_rows=64)
        ).assign(angles=m)
        for m in (2, 4)
        for seed in (100, 101)
    ]
    rows = pd.concat(tables)
    laplace = rows[(rows["quantity"] == "exponent") & (rows["teacher"] == "laplace")]
    found = laplace.groupby(["student", "angles"])["value"].mean()
    np.testing.assert_allclose(found["local"], 1, atol=0.15)
    assert found["full", 4] < found["full", 2] < 0.6
    predicted = rows[rows["quantity"] == "predicted_exponent"]
    smooth = predicted[(predicted["teacher"] == "matern") & (predicted["student"] == "full")]
    assert set(smooth["value"]) == {3 / 2, 3 / 4}


def test_deterministic_and_refused():
    options = {"rows": [8, 16, 32], "patches": [1], "angles": 2, "test_rows": 8}
    assert kernel_locality(3, **options) == kernel_locality(3, **options)
    assert kernel_locality(3, **options) != kernel_locality(4, **options)
    for wrong in ({"rows": [8, 8, 16]}, {"patches": [2]}, {"teacher_patch": 2}):
        with pytest.raises(ConfigError, match="patches below angles"):
            kernel_locality(0, **{**options, **wrong})
