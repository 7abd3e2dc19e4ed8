import hashlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dimlaws.seeds import stream

CONTENT = {"kind": "torus", "dims": [1, 2.5, None], "nested": {"b": True, "a": "ä"}}


def numbers(*arguments):
    return np.random.default_rng(stream(*arguments)).random(4).tolist()


def test_equal_content_gives_equal_numbers_whatever_its_order():
    shuffled = dict(reversed(list(CONTENT.items())))
    assert numbers(3, "data", CONTENT) == numbers(3, "data", shuffled)


@pytest.mark.parametrize(
    "other",
    [
        (4, "data", CONTENT),
        (3, "init", CONTENT),
        (3, "data", None),
        (3, "data", {**CONTENT, "x": 0}),
    ],
)
def test_seed_purpose_and_content_each_make_another_stream(other):
    assert numbers(3, "data", CONTENT) != numbers(*other)


def test_purpose_and_content_are_not_run_together():
    assert numbers(0, "data", "x") != numbers(0, "datax", "") != numbers(0, "", "datax")


@given(st.integers(0, 2**63), st.text(max_size=5), st.lists(st.integers(), max_size=3))
@settings(max_examples=20, deadline=None)
def test_entropy_is_the_seed_and_the_hash_of_the_rest(seed, purpose, content):
    text = json.dumps([purpose, content], sort_keys=True).encode()
    words = np.frombuffer(hashlib.sha256(text).digest(), "<u4")[:4]
    assert list(stream(seed, purpose, content).entropy) == [seed, *words.tolist()]


def test_streams_of_neighbouring_seeds_are_uncorrelated():
    n = 20_000
    draws = [np.random.default_rng(stream(s, "data")).standard_normal(n) for s in (0, 1)]
    # The correlation of independent values has standard error 1/sqrt(n).
    assert abs(np.corrcoef(draws)[0, 1]) < 4 / np.sqrt(n)
