from typing import get_args

import pytest

from dimlaws import types
from dimlaws.types import Bounds


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("PositiveInt", [1, 10**9], [0, -1]),
        ("NonNegativeInt", [0, 1], [-1]),
        ("PositiveFloat", [1e-300, 1.0], [0.0, -0.0, -1.0]),
        ("NonNegativeFloat", [0.0, 1e300], [-1e-300]),
        ("Fraction", [0.0, 0.5, 1.0], [-1e-9, 1.0 + 1e-9]),
    ],
)
def test_annotations_bound_what_they_say(name, inside, outside):
    scalar, bounds = get_args(getattr(types, name))
    assert scalar is (int if name.endswith("Int") else float)
    assert all(bounds.admits(value) for value in inside)
    assert not any(bounds.admits(value) for value in [*outside, float("nan")])


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        (Bounds(low=1), ">= 1"),
        (Bounds(low=0, open_low=True), "> 0"),
        (Bounds(low=0, high=1), ">= 0 and <= 1"),
        (Bounds(high=2.5), "<= 2.5"),
        (Bounds(), ""),
    ],
)
def test_bounds_read_as_an_inequality(bounds, text):
    assert str(bounds) == text
