import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from dimlaws.errors import ConfigError
from dimlaws.studies.vector_symbolic_capacity import bundle_errors, vector_symbolic_capacity
from dimlaws.theory.vector_symbolic import sign_agreement

OPTIONS = {"items": [5, 20], "loads": [0.05, 0.4], "tests": 4000, "neurons": 200}


def slow_errors(rng, items, dim, bundles):
    """Score vectors one by one against a summed and a signed bundle; odd ``items``: no ties."""
    wrong = np.zeros(2)
    for _ in range(bundles):
        vectors = rng.choice([-1, 1], (2 * items, dim))
        total = vectors[:items].sum(axis=0)
        for place, vector in enumerate(vectors):
            scores = np.array([vector @ total, vector @ np.sign(total)]) / dim
            excess = scores - np.array([1, sign_agreement(items)]) / 2
            right = excess if place < items else -excess
            wrong += (right < 0) + 0.5 * (right == 0)
    return wrong / (2 * items * bundles)


def test_errors_are_those_of_plain_bundles_at_every_dimension():
    dims = [12, 24, 36, 48]
    found = bundle_errors(np.random.default_rng(0), 7, dims, 6000)
    for place in (1, 3):
        slow = slow_errors(np.random.default_rng(1), 7, dims[place], 430)
        for share, expected in zip(
            (found["MAP-I"][place], found["MAP-B"][place]), slow, strict=True
        ):
            # Answers on one bundle are correlated, so allow five times the binomial error.
            assert share == pytest.approx(expected, abs=5 * np.sqrt(2 * expected / 6000))


def test_errors_of_many_items_are_gaussian():
    """At d = 4 n z^2 the summed bundle errs with the upper tail at z, here 1."""
    found = bundle_errors(np.random.default_rng(0), 101, [404], 20_000)
    assert found["MAP-I"][0] == pytest.approx(norm.sf(1), abs=0.012)


def test_close_to_theory():
    rows = pd.concat(
        [pd.DataFrame(vector_symbolic_capacity(seed, **OPTIONS)) for seed in (100, 101, 102)]
    )
    table = rows.pivot_table(index=["architecture", "items"], columns="quantity", values="value")
    assert len(table) == 6
    np.testing.assert_allclose(table["min_dim"], table["predicted_dim"], rtol=0.15)
    # Far below and far above its capacity the Hopfield network keeps and loses its patterns.
    lost = rows[rows["quantity"] == "lost"].groupby("load")["value"].mean()
    assert lost[0.05] == 0
    assert lost[0.4] > 0.9


def test_deterministic_and_refused():
    options = {**OPTIONS, "tests": 1000, "items": [5]}
    assert vector_symbolic_capacity(1, **options) == vector_symbolic_capacity(1, **options)
    for wrong in ({"error": 0.5}, {"items": [2]}, {"loads": [0.4, 0.05]}):
        with pytest.raises(ConfigError, match="valid:"):
            vector_symbolic_capacity(1, **{**options, **wrong})
