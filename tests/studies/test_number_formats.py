import itertools

import numpy as np
import pandas as pd
import pytest

from dimlaws.studies.number_formats import (
    FORMATS,
    OPTIMIZED,
    block_maximum_cosines,
    nearest_cosines,
    number_formats,
)

PUBLISHED_MEANS = {"optimized": 4.285, "int4": 4.179, "e2m1": 4.434, "e3m0": 8.300}
"""Mean angles over 10^6 directions in blocks of 16 (authors' final_results.csv)."""


def directions(count, dim, seed=0):
    vectors = np.random.default_rng(seed).standard_normal((count, dim))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("name", FORMATS)
def test_nearest_direction_is_that_of_all_vectors_of_letters(name):
    alphabet = FORMATS[name]
    letters = np.unique([*-alphabet.negative, 0.0, *alphabet.positive])
    codes = np.array([code for code in itertools.product(letters, repeat=3) if np.any(code)])
    codes = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    vectors = directions(50, 3)
    slow = np.max(vectors @ codes.T, axis=1)
    np.testing.assert_allclose(nearest_cosines(vectors, alphabet), slow, rtol=1e-12)


def test_formats_of_four_bits():
    """By the definitions of two's complement, and of a sign, e exponent and m mantissa bits."""
    assert sorted([*-FORMATS["int4"].negative, *FORMATS["int4"].positive]) == [
        *range(-8, 0),
        *range(1, 8),
        7,
    ]
    e2m1 = [m / 2 if e == 0 else 2 ** (e - 1) * (1 + m / 2) for e in range(4) for m in range(2)]
    assert FORMATS["e2m1"].positive.tolist() == e2m1[1:]
    for alphabet in OPTIMIZED.values():
        assert len(alphabet.positive) == 7
        assert np.all(np.diff(alphabet.positive) > 0)


def test_scale_of_the_largest_number():
    vector = np.array([[0.7, -0.2, 0.06, 0.0]])
    rounded = np.array([7.0, -2.0, 1.0, 0.0])
    cosine = vector[0] @ rounded / np.linalg.norm(vector) / np.linalg.norm(rounded)
    assert block_maximum_cosines(vector, FORMATS["int4"])[0] == pytest.approx(cosine)
    # Any other scale is at least as good as one fixed in advance.
    vectors = directions(200, 8)
    for alphabet in FORMATS.values():
        fixed = block_maximum_cosines(vectors, alphabet)
        assert np.all(nearest_cosines(vectors, alphabet) >= fixed - 1e-12)


def test_mean_angles_are_the_published_ones():
    rows = pd.DataFrame(number_formats(100, dim=16, directions=2000))
    means = rows[(rows["quantity"] == "mean_angle") & (rows["scaling"] == "nearest")]
    found = means.set_index("alphabet")["value"]
    for name, published in PUBLISHED_MEANS.items():
        assert found[name] == pytest.approx(published, rel=0.02)


def test_records():
    options = {"dim": 4, "directions": 20}
    assert number_formats(1, **options) == number_formats(1, **options)
    rows = pd.DataFrame(number_formats(1, **options))
    angles = rows.pivot_table(index=["alphabet", "scaling"], columns="quantity", values="value")
    assert len(angles) == 8
    assert (angles["mean_angle"] < angles["worst_angle"]).all()
    bound = rows[(rows["code"] == "rate_distortion")].set_index("bits")["value"]
    np.testing.assert_allclose(bound, [0.866, 0.968, 0.992, 0.998], atol=5e-4)
