import itertools

import numpy as np
import pandas as pd
import pytest

from dimlaws.errors import ConfigError
from dimlaws.studies.set_representation_width import (
    EMBEDDINGS,
    decode,
    embed,
    matched_error,
    set_representation_width,
)


def slow_embedding(embedding, elements, directions):
    """Add up the units of every element, one by one."""
    if embedding == "exponential":
        return np.array([sum(np.exp(w @ x) for x in elements) for w in directions])
    powers = range(1, len(elements) + 1)
    return np.array([sum((w @ x) ** p for x in elements) for w in directions for p in powers])


@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_embedding_and_its_jacobian(embedding):
    rng = np.random.default_rng(0)
    sets, directions = rng.standard_normal((4, 3, 2)), rng.standard_normal((4, 5, 2))
    values, jacobian = embed(embedding, sets, directions)
    for i in range(4):
        expected = slow_embedding(embedding, sets[i], directions[i])
        np.testing.assert_allclose(values[i], expected, rtol=1e-12)
        for j, step in enumerate(1e-6 * np.eye(6).reshape(6, 3, 2)):
            ends = [slow_embedding(embedding, sets[i] + s * step, directions[i]) for s in (1, -1)]
            slope = (ends[0] - ends[1]) / 2e-6
            np.testing.assert_allclose(jacobian[i, :, j], slope, rtol=1e-5, atol=1e-6)


def test_powers_at_the_number_of_coordinates_give_the_sets_that_theory_names():
    """With D directions, decoding ends at one of the N!^(D - 1) pairings of their projections."""
    rng = np.random.default_rng(0)
    draws, n, d = 30, 2, 2
    sets, directions = rng.standard_normal((draws, n, d)), rng.standard_normal((draws, d, d))
    start = rng.standard_normal((draws, 8, n, d))
    decoded, solved = decode("power", sets, directions, start, 60)
    assert solved.mean() > 0.9
    met = set()
    for i in np.flatnonzero(solved):
        z = sets[i] @ directions[i].T
        shared = [
            np.linalg.solve(directions[i], np.stack([z[:, 0], z[list(order), 1]])).T
            for order in itertools.permutations(range(n))
        ]
        errors = [matched_error(s[None], decoded[[i]])[0] for s in shared]
        assert min(errors) < 1e-4
        met.add(int(np.argmin(errors)))
    assert met == {0, 1}


def test_error_does_not_depend_on_the_order_of_elements():
    rng = np.random.default_rng(0)
    sets = rng.standard_normal((5, 4, 2))
    assert matched_error(sets, sets[:, [2, 0, 3, 1]]) == pytest.approx(np.zeros(5))
    moved = sets.copy()
    moved[:, 0] += 0.01
    expected = np.sqrt(2) * 0.01 / np.linalg.norm(sets, axis=(1, 2))
    assert matched_error(sets, moved[:, ::-1]) == pytest.approx(expected)


def test_recovery_against_width():
    table = pd.DataFrame(set_representation_width(0, set_size=3, features=2, draws=20, starts=8))
    assert (table[table["quantity"] == "full_rank"]["value"] == 1).all()
    rank = table[table["quantity"] == "rank"].set_index(["embedding", "width"])["value"]
    failure = table[table["quantity"] == "failure"].set_index(["embedding", "bound"])["value"]
    for embedding in EMBEDDINGS:
        assert rank[embedding].to_dict() == {3: 3, 6: 6, 9: 6, 12: 6, 18: 6}
        assert failure[embedding, "below"] > 0.8
        assert failure[embedding, "N^2 D"] < 0.2
    assert set(failure["power"].index) == {"below", "ND", "N(D+1)", "between", "N^2 D"}


@pytest.mark.parametrize(("n", "d"), [(1, 2), (6, 2), (3, 1)])
def test_sizes_that_cannot_be_decoded_are_refused(n, d):
    with pytest.raises(ConfigError, match="2 to 5 elements"):
        set_representation_width(0, set_size=n, features=d)
