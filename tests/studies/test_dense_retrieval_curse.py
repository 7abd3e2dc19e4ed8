import numpy as np
import pandas as pd
import pytest

from dimlaws.errors import ConfigError
from dimlaws.studies.dense_retrieval_curse import counts_nearer, dense_retrieval_curse

OPTIONS = {"dims": [8, 16], "index_sizes": [3, 30, 300], "loss_range": [3, 300], "queries": 200}


def test_counts_are_nested_and_those_of_plain_cosines():
    sizes = [5, 5000, 9000]
    counts = counts_nearer(np.random.default_rng(3), 6, 0.6, 4, sizes)
    rng = np.random.default_rng(3)
    queries = rng.standard_normal((4, 6), dtype=np.float32)
    documents = np.concatenate([rng.standard_normal((n, 6), dtype=np.float32) for n in (5, 4096)])
    cosines = [
        [q @ x / np.linalg.norm(q) / np.linalg.norm(x) for x in documents[:300]] for q in queries
    ]
    near = np.array(cosines) >= 0.6
    np.testing.assert_array_equal(counts[0], near[:, :5].sum(axis=1))
    part = counts_nearer(np.random.default_rng(3), 6, 0.6, 4, [5, 300])
    np.testing.assert_array_equal(part[1], near.sum(axis=1))
    assert (np.diff(counts, axis=0) >= 0).all()


def test_agrees_with_theory():
    """False positives and reciprocal ranks of 12 seeds lie within four standard errors."""
    rows = pd.concat([pd.DataFrame(dense_retrieval_curse(s, **OPTIONS)) for s in range(100, 112)])
    for name in ("false_positive", "reciprocal_rank", "loss_per_decade"):
        keys = ["dim"] if name == "loss_per_decade" else ["dim", "index_size"]
        found = rows[rows["quantity"] == name].groupby(keys)["value"]
        theory = rows[rows["quantity"] == f"predicted_{name}"].groupby(keys)["value"].mean()
        assert ((found.mean() - theory).abs() <= 4 * found.sem() + 1e-3).all()


def test_deterministic_and_refused():
    assert dense_retrieval_curse(1, **OPTIONS) == dense_retrieval_curse(1, **OPTIONS)
    for wrong in (
        {"dims": [8]},
        {"loss_range": [3, 9]},
        {"index_sizes": [300, 3]},
        {"cosine": 1.0},
    ):
        with pytest.raises(ConfigError, match="valid:"):
            dense_retrieval_curse(1, **{**OPTIONS, **wrong})
