import numpy as np
import pandas as pd
import pytest
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from dimlaws.errors import ConfigError
from dimlaws.studies.stein_index_models import (
    Inputs,
    estimates,
    stein_index_models,
    subspace_error,
)


def orthonormal(p, r, seed):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((p, r)))[0]


def test_subspace_error_is_the_sine_of_the_angles():
    B, C = orthonormal(7, 2, 0), orthonormal(7, 2, 1)
    expected = np.sqrt(np.mean(np.sin(subspace_angles(B, C)) ** 2))
    assert subspace_error(B, C) == pytest.approx(expected, rel=1e-12)
    turn = orthonormal(2, 2, 2)
    assert subspace_error(B, B @ turn) == pytest.approx(0, abs=1e-12)


def test_estimators_by_slow_means():
    """The algorithms row by row, and principal components by scikit-learn."""
    rng = np.random.default_rng(0)
    covariance = np.diag([1.0, 1.0, 4.0, 2.0])
    x = rng.standard_normal((400, 4)) @ np.sqrt(covariance)
    x = np.vstack([x, -x])  # centred, as scikit-learn's components are
    y = np.tanh(x[:, [0, 1, 0]]) + 0.1 * rng.standard_normal((len(x), 3))
    inputs = Inputs(x, np.linalg.inv(covariance), np.eye(4)[:, :2])
    found = estimates(inputs, y, second=True)
    scores = [inputs.precision @ row for row in x]
    first = np.mean([np.outer(s, row) for s, row in zip(scores, y, strict=True)], axis=0)
    second = np.mean(
        [
            row.mean() * (np.outer(s, s) - inputs.precision)
            for s, row in zip(scores, y, strict=True)
        ],
        axis=0,
    )
    values, vectors = np.linalg.eigh(second)
    least_squares = np.linalg.lstsq(x, y, rcond=None)[0]
    right = np.linalg.svd(x @ least_squares, full_matrices=False)[2][:2]
    expected = {
        "first_order": np.linalg.svd(first)[0][:, :2],
        "second_order": vectors[:, np.argsort(-np.abs(values))[:2]],
        "plug_in": np.linalg.svd(least_squares)[0][:, :2],
        "reduced_rank": np.linalg.svd(least_squares @ right.T @ right)[0][:, :2],
        "pca": PCA(2).fit(x).components_.T,
    }
    assert set(found) == set(expected)
    for name, basis in expected.items():
        assert subspace_error(basis, found[name]) == pytest.approx(0, abs=1e-9), name


def test_errors_are_those_of_theory():
    """At few dimensions for each row, within 10 %: means over seeds."""
    tables = [stein_index_models(s, rows=[4000], dims=[40]) for s in range(100, 106)]
    rows = pd.concat([pd.DataFrame(table) for table in tables])
    found = rows.pivot_table(index=["link", "estimator"], columns="quantity", values="value")
    predicted = found.dropna()
    assert len(predicted) == 4
    ratios = predicted["subspace_error"] / predicted["predicted_error"]
    np.testing.assert_allclose(ratios, 1, atol=0.1)
    # Without a signal, and of principal components that lie elsewhere, nothing is found.
    assert found.loc[("even", "reduced_rank"), "subspace_error"] > 0.8
    assert found.loc[("odd", "pca"), "subspace_error"] > 0.95


def test_deterministic_and_refused():
    options = {"rows": [60, 120], "dims": [8, 16]}
    assert stein_index_models(1, **options) == stein_index_models(1, **options)
    assert stein_index_models(1, **options) != stein_index_models(2, **options)
    for wrong in ({"rows": [6, 120]}, {"rows": [12]}, {"dims": [3]}):
        with pytest.raises(ConfigError, match="more rows"):
            stein_index_models(1, **{**options, **wrong})
    with pytest.raises(ConfigError, match="multiples of 2"):
        stein_index_models(1, **options, responses=3)
