import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import KNeighborsClassifier

from dimlaws.errors import ConfigError
from dimlaws.studies.small_sample_classifiers import decisions, small_sample_classifiers


def distance(u, v, bounded):
    return np.mean(1 - np.exp(-np.abs(u - v))) if bounded else np.mean((u - v) ** 2)


def slow_adjusted(train, z, bounded):
    """Average distance less half of the average over pairs of the class, by loops."""
    scores = []
    for rows in train:
        pairs = [
            distance(rows[i], rows[j], bounded)
            for i in range(len(rows))
            for j in range(len(rows))
            if i != j
        ]
        scores.append(np.mean([distance(z, x, bounded) for x in rows]) - np.mean(pairs) / 2)
    return int(np.argmin(scores))


def slow_nearest(train, z):
    """Nearest row by mean absolute differences of distances to the other rows, by loops."""
    known = np.concatenate(train)
    scores = [
        np.mean(
            [
                abs(distance(z, other, True) - distance(x, other, True))
                for j, other in enumerate(known)
                if j != i
            ]
        )
        for i, x in enumerate(known)
    ]
    return int(np.argmin(scores)) // len(train[0])


def test_decisions_by_slow_loops():
    rng = np.random.default_rng(0)
    train = rng.standard_normal((2, 4, 6)) * np.array([1.3, 1.0])[:, None, None]
    train[1] += 0.4
    test = rng.standard_normal((30, 6)) * 1.2 + 0.2
    found = decisions(train, test)
    neighbour = KNeighborsClassifier(1).fit(train.reshape(8, 6), np.repeat([0, 1], 4))
    averages = [[np.mean([distance(z, x, False) for x in rows]) for rows in train] for z in test]
    expected = {
        "nearest": neighbour.predict(test),
        "average_distance": np.argmin(averages, axis=1),
        "scale_adjusted": [slow_adjusted(train, z, False) for z in test],
        "generalized_adjusted": [slow_adjusted(train, z, True) for z in test],
        "generalized_nearest": [slow_nearest(train, z) for z in test],
    }
    assert set(found) == set(expected)
    for name, classes in expected.items():
        np.testing.assert_array_equal(found[name], classes, err_msg=name)


def test_known_answers_in_many_dimensions():
    """The wider class is lost above the threshold and found below; bounded distances find both."""
    tables = [
        pd.DataFrame(small_sample_classifiers(seed, dims=[2000], scale_gaps=[0.5, 2.0], repeats=2))
        for seed in (100, 101)
    ]
    rows = pd.concat(tables).fillna({"scale_gap": -1})
    found = rows.groupby(["classifier", "quantity", "scale_gap"])["value"].mean()
    for name in ("nearest", "average_distance"):
        assert found[name, "wide_error", 0.5] < 0.05
        assert found[name, "wide_error", 2.0] > 0.95
    for name in ("generalized_nearest", "generalized_adjusted", "scale_adjusted"):
        assert found[name, "accuracy", 2.0] > 0.95
    assert found["generalized_nearest", "accuracy", -1] > 0.9
    assert 0.3 < found["scale_adjusted", "accuracy", -1] < 0.7


def test_deterministic_and_refused():
    options = {"dims": [5], "scale_gaps": [1.0], "repeats": 1}
    assert small_sample_classifiers(1, **options) == small_sample_classifiers(1, **options)
    assert small_sample_classifiers(1, **options) != small_sample_classifiers(2, **options)
    with pytest.raises(ConfigError, match="2 or more"):
        small_sample_classifiers(1, **options, rows=1)
