import pytest

from dimlaws.errors import ConfigError, DimlawsError, EstimationError, nearest


@pytest.mark.parametrize(
    ("name", "valid", "phrase"),
    [
        ("widht", ["depth", "width"], "did you mean 'width'?"),
        ("xyz", ["b", "a"], "valid: a, b"),
        ("xyz", iter(["b", "a"]), "valid: a, b"),
        ("xyz", [], "nothing is valid here"),
    ],
)
def test_nearest_points_to_a_valid_name(name, valid, phrase):
    assert nearest(name, valid) == phrase


def test_errors_are_told_apart_and_caught_together():
    assert issubclass(ConfigError, DimlawsError)
    # scikit-learn's tools expect a ValueError of a fit that fails.
    assert issubclass(EstimationError, ValueError)
