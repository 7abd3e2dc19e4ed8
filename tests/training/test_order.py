import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dimlaws.training.order import MinibatchOrder


def order(n=10, batch_size=4, seed=3, first_row=100):
    return MinibatchOrder(np.arange(first_row, first_row + n), batch_size, seed)


@pytest.mark.parametrize("n", [1, 7, 5000])
def test_every_epoch_is_a_permutation_of_the_rows(n):
    epochs = 3
    flat = order(n=n, batch_size=n).batches(0, epochs)
    for epoch in flat:
        assert sorted(epoch.tolist()) == list(range(100, 100 + n))
    if n > 5:
        assert (flat[0] != flat[1]).any()


@given(
    n=st.integers(1, 50),
    batch_size=st.integers(1, 300),
    cuts=st.lists(st.integers(0, 90), min_size=1, max_size=4),
)
@settings(max_examples=30, deadline=None)
def test_chunks_and_late_starts_do_not_change_the_order(n, batch_size, cuts):
    whole = order(n, batch_size).batches(0, 90)
    stops = sorted({0, 90, *cuts})
    chunked = order(n, batch_size)
    parts = [chunked.batches(a, b) for a, b in itertools.pairwise(stops)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    late = min(cuts[0], 89)
    np.testing.assert_array_equal(order(n, batch_size).batches(late, 90), whole[late:])


def test_positions_in_the_order_are_uniform():
    # Rows at the first place of 2000 permutations of 5: binomial counts.
    flat = order(n=5, batch_size=5, first_row=0).batches(0, 2000)
    counts = np.bincount(flat[:, 0], minlength=5)
    assert np.all(np.abs(counts - 400) < 4 * np.sqrt(2000 * 0.2 * 0.8))


def test_seeds_differ():
    assert (order(seed=1).batches(0, 5) != order(seed=2).batches(0, 5)).any()
