import math

import pytest

from dimlaws.report import wording


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (math.nan, "–"),
        (0.0, "0"),
        (-0.12345, "−0.123"),
        (12345.0, "12300"),
        (1.5e-5, "1.5 × 10⁻⁵"),
        (-2e7, "−2 × 10⁷"),
    ],
)
def test_number(value, text):
    assert wording.number(value) == text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("threshold", None, 2.0), "at most 2"),
        (("sign", 0.0, None), "above 0"),
        (("sign", None, 0.0), "below 0"),
        (("interval", 0.8, 1.2), "0.8 to 1.2"),
    ],
)
def test_region(arguments, text):
    assert wording.region(*arguments) == text


def test_duration():
    shown = [wording.duration(seconds) for seconds in (None, 1.25, 60, 3599, 7260)]
    assert shown == ["–", "1.2 s", "1.0 min", "1 h 00 min", "2 h 01 min"]
