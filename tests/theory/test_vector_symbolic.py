import itertools

import numpy as np
import pytest

from dimlaws.theory.vector_symbolic import (
    bloom_filter_bits,
    integer_bundle_dimension,
    sign_agreement,
    sign_bundle_dimension,
)


@pytest.mark.parametrize("items", [1, 2, 3, 6, 9])
def test_sign_agreement_is_the_mean_over_all_sign_vectors(items):
    vectors = np.array(list(itertools.product([-1, 1], repeat=items)))
    # np.sign of a tie is 0, the mean of a random sign.
    exact = (np.sign(vectors.sum(axis=1)) * vectors[:, 0]).mean()
    assert sign_agreement(items) == pytest.approx(exact)


def test_sign_agreement_of_many():
    assert sign_agreement(4001) == pytest.approx(np.sqrt(2 / (np.pi * 4001)), rel=1e-3)


def test_dimensions_at_one_percent():
    """z = 2.3263: the numbers for 160 items, and their ratio."""
    assert integer_bundle_dimension(160, 0.01) == pytest.approx(3463, abs=1)
    assert sign_bundle_dimension(160, 0.01) == pytest.approx(5440, abs=1)


def test_bits_per_item_of_a_bloom_filter():
    assert bloom_filter_bits(1, 0.01) == pytest.approx(9.585, abs=1e-3)
    # An error of 2^-k takes k hash functions and k / ln 2 bits per item.
    assert bloom_filter_bits(7, 2.0**-5) == pytest.approx(7 * 5 / np.log(2))
