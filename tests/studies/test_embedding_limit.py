import pandas as pd
import pytest

from dimlaws.studies.embedding_limit import best_gaps, curve_gaps, embedding_limit
from dimlaws.studies.free_embeddings import FreeEmbeddings, Setting, subsets
from dimlaws.theory.retrieval import least_dimension, moment_curve, pair_queries


def test_gap_of_pairs_with_one_document_is_that_of_all_pairs():
    n = 15
    found = []
    for first in range(n):
        for second in range(first + 1, n):
            scores = moment_curve(n) @ pair_queries(n, first, [second])[0]
            inside = min(scores[first], scores[second])
            found.append(inside - max(s for i, s in enumerate(scores) if i not in (first, second)))
    assert curve_gaps(n).min() == pytest.approx(min(found), rel=1e-9)
    assert min(found) > 0


def test_gap_falls_as_the_fourth_power():
    """Near a pair of neighbours the curve is a parabola in each factor: a gap of about δ^4."""
    ratio = curve_gaps(400).min() / curve_gaps(200).min()
    assert ratio == pytest.approx(1 / 16, rel=0.01)


def test_success_is_realized_and_failure_is_not():
    """Five documents fit in five dimensions, a simplex; twelve in two do not."""
    settings = [Setting(5, 5, subsets(5, 2, 0)), Setting(12, 2, subsets(12, 2, 0))]
    five, twelve = best_gaps(FreeEmbeddings(settings, 0), 400, 0.01)
    assert five > 0
    assert twelve == 0
    assert least_dimension(5, 2, five / 2) <= 5


def test_records():
    options = {"dim": 4, "curve_documents": [10, 20], "steps": 150, "block": 3}
    found = pd.DataFrame(embedding_limit(1, **options))
    assert found.equals(pd.DataFrame(embedding_limit(1, **options)))
    of_run = found[found["documents"].isna()].set_index("quantity")["value"]
    assert 4 <= of_run["critical_documents"] <= 12
    assert of_run["bound_ratio"] >= 1
    assert of_run["miss"] == pytest.approx(abs(of_run["critical_documents"] - 6.66) / 3, abs=0.01)
    assert (found[found["quantity"] == "curve_realized"]["value"] == 1).all()
