import numpy as np
import pandas as pd
import pytest
from scipy.optimize import nnls

from dimlaws.errors import ConfigError
from dimlaws.studies.free_embeddings import subsets
from dimlaws.studies.retrieval_margin import (
    attains,
    needed_dimension,
    projected_documents,
    retrieval_margin,
)
from dimlaws.theory.retrieval import largest_margin

SMALL = {
    "relevant": [1, 2],
    "documents": [8, 16],
    "trained_documents": [8],
    "trained_dims": [4, 8],
    "steps": 300,
}


def signs_of(chosen, n):
    return np.array([[1.0 if i in subset else -1.0 for i in range(n)] for subset in chosen])


def largest_least(vectors, row):
    """Return the distance of 0 from the hull of the signed points, by SciPy's NNLS."""
    points, heavy = (row[:, None] * vectors).T, 1e4
    system = np.vstack([points, heavy * np.ones(len(row))])
    weights = nnls(system, np.r_[np.zeros(len(points)), heavy])[0]
    return np.linalg.norm(points @ (weights / weights.sum()))


@pytest.mark.parametrize(("n", "k", "dim"), [(12, 1, 9), (12, 2, 11), (16, 4, 15), (12, 3, 6)])
def test_attained_margin_is_that_of_a_quadratic_program(n, k, dim):
    rng = np.random.default_rng(3)
    centred = rng.standard_normal((n, n - 1))
    frame = np.linalg.qr(centred - centred.mean(axis=0))[0]
    vectors = projected_documents(frame, dim, k)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1)
    signs = signs_of(subsets(n, k, 0, 100), n)
    worst = min(largest_least(vectors, row) for row in signs)
    if worst > 1e-3:
        assert attains(vectors, signs, 0.98 * worst)
    assert not attains(vectors, signs, 1.02 * worst + 1e-3)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_as_many_dimensions_as_documents_reach_the_largest_margin(k):
    chosen = subsets(10, k, 0)
    assert 2 <= needed_dimension(10, chosen, 0.5, 0) <= needed_dimension(10, chosen, 0.999, 0) == 10


def test_records():
    found = pd.DataFrame(retrieval_margin(1, **SMALL))
    assert found.equals(pd.DataFrame(retrieval_margin(1, **SMALL)))
    needed = found[found["quantity"] == "needed_dim"].set_index(["relevant", "documents"])["value"]
    constant = found[found["quantity"] == "dimension_constant"].set_index(["relevant", "documents"])
    assert constant["value"][2, 16] == pytest.approx(needed[2, 16] / (2 * np.log(8)))
    margins = found[found["quantity"] == "margin"]
    assert len(margins) == 8
    # A sigmoid has its threshold at zero, so that its margin is bounded.
    bound = margins["relevant"].map(lambda k: largest_margin(8, int(k)))
    assert (margins["value"] < bound)[margins["loss"] == "sigmoid"].all()
    with pytest.raises(ConfigError, match="at most half"):
        retrieval_margin(1, **{**SMALL, "relevant": [5]})
