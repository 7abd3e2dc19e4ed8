import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from dimlaws.errors import ConfigError
from dimlaws.studies.packing_capacity import (
    coherence,
    fit_root_law,
    packed_vectors,
    packing_capacity,
)
from dimlaws.theory.spherical_caps import welch_bound


def draw(k, d, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((k, d), dtype=np.float32))


def test_coherence_is_the_largest_cosine_of_a_pair():
    x = draw(300, 5)  # more rows than a block
    unit = x.numpy() / np.linalg.norm(x.numpy(), axis=1, keepdims=True)
    slow = max(abs(unit[i] @ unit[j]) for i in range(300) for j in range(i))
    assert coherence(x) == pytest.approx(slow, rel=1e-5)


def test_packing_finds_the_diagonals_of_the_icosahedron():
    """Six lines in space at equal angles, the best there are; a start may end elsewhere."""
    best = min(coherence(packed_vectors(draw(6, 3, seed), 300, 0.05)) for seed in range(2))
    assert best == pytest.approx(1 / np.sqrt(5), abs=0.01)


def test_packing_improves_on_random_vectors_and_not_on_welch():
    start = draw(60, 20)
    found = coherence(packed_vectors(start, 100, 0.05))
    assert welch_bound(60, 20) < found < 0.6 * coherence(start)


def test_blocks_do_not_change_the_packing(monkeypatch):
    whole = packed_vectors(draw(40, 6), 5, 0.05)
    monkeypatch.setattr("dimlaws.studies.packing_capacity.ROWS", 7)
    torch.testing.assert_close(packed_vectors(draw(40, 6), 5, 0.05), whole, atol=1e-4, rtol=1e-3)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.1, 10), st.integers(0, 100))
def test_root_law_is_least_squares(constant, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.01, 0.2, 8)
    y = np.sqrt(constant * x) * rng.uniform(0.9, 1.1, 8)
    fitted = fit_root_law(x, y)
    expected, _ = curve_fit(lambda x, c: np.sqrt(c * x), x, y, p0=[constant], bounds=(0, np.inf))
    assert fitted.constant == pytest.approx(expected[0], rel=1e-4)
    exact = fit_root_law(x, np.sqrt(constant * x))
    assert (exact.r2, exact.error) == pytest.approx((1, 0), abs=1e-9)


def test_records_and_refusals():
    options = {"vectors": [24, 40], "dims": [6, 12], "steps": 20}
    rows = packing_capacity(1, **options)
    assert rows == packing_capacity(1, **options)
    assert sum("vectors" in row for row in rows) == 4 * 5
    values = {row["quantity"]: row["value"] for row in rows if "vectors" not in row}
    assert values["count_over_ratio_error"] == pytest.approx(
        values["count_error"] / values["ratio_error"]
    )
    for wrong in ({"dims": [2, 6]}, {"dims": [6, 24]}, {"vectors": [24], "dims": [6]}):
        with pytest.raises(ConfigError, match="valid:"):
            packing_capacity(1, **{**options, **wrong})
