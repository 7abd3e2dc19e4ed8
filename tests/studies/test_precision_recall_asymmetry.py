import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import NearestNeighbors

from dimlaws.errors import ConfigError
from dimlaws.studies.precision_recall_asymmetry import (
    precision_recall_asymmetry,
    support_metrics,
)


def slow_metrics(real, generated, k):
    """The metrics row by row, as their definitions read."""

    def radius(rows, row):
        return np.sort(np.linalg.norm(rows - row, axis=1))[k]  # the first is the row itself

    def covered(points, centres):
        return np.mean(
            [any(np.linalg.norm(p - c) < radius(centres, c) for c in centres) for p in points]
        )

    def covering(centres, points):
        return np.mean(
            [any(np.linalg.norm(p - c) < radius(centres, c) for p in points) for c in centres]
        )

    found = {
        "precision": covered(generated, real),
        "recall": covered(real, generated),
        "complement_precision": covering(generated, real),
        "coverage": covering(real, generated),
    }
    found["symmetric_precision"] = min(found["precision"], found["complement_precision"])
    found["symmetric_recall"] = min(found["recall"], found["coverage"])
    return found


def test_metrics_are_those_of_the_definitions():
    rng = np.random.default_rng(0)
    real, generated = rng.standard_normal((30, 4)), 1.3 * rng.standard_normal((25, 4))
    squared = np.square(real[:, None] - generated).sum(axis=2)
    radii = [
        NearestNeighbors(n_neighbors=4).fit(x).kneighbors()[0][:, 2] for x in (real, generated)
    ]
    found = support_metrics(squared, *radii)
    assert found == pytest.approx(slow_metrics(real, generated, 3))
    assert 0 < found["precision"] < 1
    # Real and generated rows change places.
    turned = support_metrics(squared.T, *radii[::-1])
    assert turned["precision"] == found["recall"]
    assert turned["symmetric_recall"] == found["symmetric_precision"]


@pytest.mark.parametrize("support", ["sphere", "cube"])
def test_asymmetry_comes_with_dimension(support):
    options = {"dims": [2, 48], "offsets": [0.0, 0.3], "support": support, "rows": 200}
    rows = pd.DataFrame(precision_recall_asymmetry(100, **options))
    values = rows.set_index(["quantity", "dim", "side"])["value"]
    assert values["precision", 48, "inside"] > 0.95 > 0.2 > values["precision", 48, "outside"]
    assert values["recall", 48, "outside"] > 0.95 > 0.2 > values["recall", 48, "inside"]
    assert values["precision", 2, "inside"] == values["precision", 2, "outside"] == 0
    for dim in (2, 48):  # the same support: nearly all rows, whatever the dimension
        assert values["precision", dim, "on"] > 0.8
        assert values["coverage", dim, "on"] > 0.9


def test_deterministic_and_refused():
    options = {"dims": [8], "offsets": [0.3], "rows": 60}
    assert precision_recall_asymmetry(1, **options) == precision_recall_asymmetry(1, **options)
    assert precision_recall_asymmetry(1, **options) != precision_recall_asymmetry(2, **options)
    for wrong in ({"dims": [1]}, {"offsets": [1.0]}, {"rows": 5}):
        with pytest.raises(ConfigError, match="valid:"):
            precision_recall_asymmetry(1, **{**options, **wrong})
