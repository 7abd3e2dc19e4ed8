import typing

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, Matern

from dimlaws.errors import ConfigError
from dimlaws.studies.gaussian_field_regression import (
    KERNELS,
    field_errors,
    regression_weights,
)
from dimlaws.studies.kernel_regression_scaling import kernel_regression_scaling, teacher_fields

REFERENCES = {"laplace": Matern(nu=0.5), "matern": Matern(nu=1.5), "gaussian": RBF()}


def circle(n, seed=0):
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, n)
    return np.column_stack([np.cos(angles), np.sin(angles)])


def test_kernels_are_those_of_scikit_learn():
    X = circle(20)
    assert set(KERNELS) == set(REFERENCES)
    for name, kernel in KERNELS.items():
        np.testing.assert_allclose(kernel(cdist(X, X)), REFERENCES[name](X), atol=1e-7)


@pytest.mark.parametrize("name", KERNELS)
def test_teachers_have_the_covariance_of_their_kernel(name):
    X = circle(5)
    fields = teacher_fields(name, X, 20_000, np.random.default_rng(0))
    products = fields[:, None, :] * fields[None, :, :]
    error = products.std(axis=2) / np.sqrt(20_000)
    assert (np.abs(products.mean(axis=2) - REFERENCES[name](X)) < 4.5 * error).all()


def test_learning_curve_is_that_of_a_gaussian_process_without_noise():
    X = circle(40)
    fields = teacher_fields("laplace", X, 3, np.random.default_rng(1))
    matrix = KERNELS["matern"](cdist(X, X))
    weights = regression_weights(matrix[:25, :25], matrix[:25, 25:], [10, 25])
    errors = field_errors(weights, fields, 25)
    for n, error in errors.items():
        process = GaussianProcessRegressor(Matern(nu=1.5), alpha=1e-13, optimizer=None)
        predicted = process.fit(X[:n], fields[:n]).predict(X[25:])
        assert error == pytest.approx(np.mean((predicted - fields[25:]) ** 2), rel=1e-4)


def test_singular_matrices_are_left_out():
    table = pd.DataFrame(
        kernel_regression_scaling(
            0, rows=[16, 32, 512], pair="laplace-gaussian", dim=1, test_rows=16
        )
    )
    values = table.set_index("quantity")["value"]
    assert values["usable_rows"] == 16
    assert "exponent" not in values.index


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_exponent_of_spigler(dim):
    """Within 15 % of theory at d <= 3: the mean over seeds, for a Laplace student and teacher."""
    found = [
        pd.DataFrame(
            kernel_regression_scaling(seed, rows=[64, 128, 256, 512], dim=dim, test_rows=128)
        ).set_index("quantity")["value"]["exponent"]
        for seed in range(100, 103)
    ]
    assert np.mean(found) == pytest.approx(1 / dim, rel=0.15)


def test_deterministic_and_refused():
    options = {"rows": [8, 16, 32], "test_rows": 8}
    first = kernel_regression_scaling(3, **options)
    assert first == kernel_regression_scaling(3, **options)
    assert first != kernel_regression_scaling(4, **options)
    with pytest.raises(ConfigError, match="three or more"):
        kernel_regression_scaling(0, rows=[8, 8, 16])


def test_every_pair_of_the_signature_names_kernels():
    pairs = typing.get_args(typing.get_type_hints(kernel_regression_scaling)["pair"])
    assert {name for pair in pairs for name in pair.split("-")} == set(KERNELS)
