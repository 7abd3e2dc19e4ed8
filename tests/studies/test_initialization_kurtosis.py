import numpy as np
import pandas as pd
import pytest

from dimlaws.studies.initialization_kurtosis import initialization_kurtosis
from dimlaws.theory.initialization_kurtosis import moment_ratio

PRECISION = 0.15


def ratios(seeds, depth, **options):
    rows = pd.concat(
        [
            pd.DataFrame(initialization_kurtosis(seed, precision=PRECISION, **options))
            for seed in seeds
        ]
    )
    chosen = (rows["quantity"] == "moment_ratio") & (rows["depth"] == depth)
    return rows.loc[chosen, "value"].to_numpy()


@pytest.mark.parametrize("activation", ["relu", "linear"])
@pytest.mark.parametrize("weights", ["drawn", "integrated"])
def test_unbiased_with_the_announced_precision(activation, weights):
    """Drawn matrices and their integrated sums agree with theory: also where the tail is heavy."""
    width, depth, runs = 16, 8, 50
    options = {"width": width, "depths": [2, depth], "activation": activation, "weights": weights}
    found = ratios(range(100, 100 + runs), depth, **options) / moment_ratio(
        activation, width, depth
    )
    assert found.mean() == pytest.approx(1.0, abs=4 * PRECISION / np.sqrt(runs))
    # The relative standard deviation of an estimate from 50 runs is 10 %.
    assert found.std(ddof=1) == pytest.approx(PRECISION, rel=0.4)


def test_agrees_with_plain_networks_without_splitting():
    width, depth, count = 16, 3, 8000
    rng = np.random.default_rng(0)
    values = np.ones((count, width))
    for _ in range(depth):
        drawn = rng.standard_normal((count, width, width)) * np.sqrt(2 / width)
        values = np.maximum(np.einsum("kij,kj->ki", drawn, values), 0)
    squares = np.mean(values**2, axis=1) ** 2
    found = ratios(range(100, 120), depth, width=width, depths=[depth])
    tolerance = 4 * np.hypot(squares.std() / np.sqrt(count), found.std() / np.sqrt(20))
    assert found.mean() == pytest.approx(squares.mean(), abs=tolerance)


def test_records():
    rows = pd.DataFrame(initialization_kurtosis(1, width=8, depths=[1, 2], precision=0.3))
    table = rows.pivot_table(index="depth", columns="quantity", values="value")
    assert table["depth_over_width"].tolist() == [1 / 8, 2 / 8]
    np.testing.assert_allclose(np.exp(table["log_moment_ratio"]), table["moment_ratio"])
    np.testing.assert_allclose(table["predicted_moment_ratio"], [1.625, 1.625**2])
    again = pd.DataFrame(initialization_kurtosis(1, width=8, depths=[1, 2], precision=0.3))
    pd.testing.assert_frame_equal(rows, again)
