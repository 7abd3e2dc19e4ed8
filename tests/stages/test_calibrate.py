"""Drawing parts of the calibration's table and joining them."""

import warnings

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from dimlaws import cli
from dimlaws.cli import main
from dimlaws.measures.intrinsic_dimension.calibration_table import calibration_row
from dimlaws.measures.intrinsic_dimension.local_statistics import NAMES
from dimlaws.stages import calibrate as stage
from dimlaws.stages.calibrate import draw_part, join_parts
from dimlaws.storage import read_arrays

FIRST = 32
"""Manifolds 32 and 33 are small."""


def rows(path):
    arrays, _ = read_arrays(path)
    assert list(arrays) == ["rows"]
    return arrays["rows"]


@pytest.fixture
def fast(monkeypatch):
    """Rows that say their number."""
    monkeypatch.setattr(stage, "calibration_row", lambda number: np.array([number, 0.1, -number]))


@pytest.fixture(autouse=True)
def no_log(monkeypatch):
    monkeypatch.setattr(cli, "_start_log", lambda log: None)


def test_a_part_holds_the_rows_of_its_manifolds(tmp_path):
    draw_part(FIRST, 2, tmp_path / "part")
    found = rows(tmp_path / "part")
    assert found.dtype == np.float64
    assert found.shape == (2, 2 + len(NAMES))
    for row, number in zip(found, (FIRST, FIRST + 1), strict=True):
        np.testing.assert_array_equal(row, calibration_row(number))
    # Dimension and number of rows, in the ranges of the prior, as whole numbers.
    assert ((found[:, :2] >= [1, 200]) & (found[:, :2] <= [120, 60_000])).all()
    assert (found[:, :2] % 1 == 0).all()


def test_the_first_statistic_is_the_level_of_two_neighbours(tmp_path, monkeypatch):
    """log of 1/mean(log(r₂/r₁)), TwoNN by maximum likelihood, from scikit-learn's search."""
    from dimlaws.measures.intrinsic_dimension import calibration_table

    drawn = []
    original = calibration_table.random_manifold

    def kept(rng):
        drawn.append(original(rng))
        return drawn[-1]

    monkeypatch.setattr(calibration_table, "random_manifold", kept)
    draw_part(FIRST, 1, tmp_path / "part")
    (manifold,) = drawn
    (found,) = rows(tmp_path / "part")
    assert (found[0], found[1]) == (manifold.dimension, len(manifold.points))
    search = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(manifold.points)
    first, second = search.kneighbors()[0].T
    assert found[2] == pytest.approx(-np.log(np.mean(np.log(second / first))), rel=1e-6)


def test_parts_join_in_the_order_given(fast, tmp_path):
    parts = [tmp_path / name for name in "abc"]
    for place, (first, count) in enumerate([(0, 3), (3, 1), (4, 2)]):
        draw_part(first, count, parts[place])
    join_parts(parts, tmp_path / "table")
    found = rows(tmp_path / "table")
    assert found.dtype == np.float32
    assert found[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    draw_part(0, 6, tmp_path / "whole")
    np.testing.assert_array_equal(found, rows(tmp_path / "whole").astype(np.float32))
    join_parts(parts[::-1], tmp_path / "table")
    assert rows(tmp_path / "table")[:, 0].tolist() == [4, 5, 3, 0, 1, 2]


def test_damaged_parts_are_refused(fast, tmp_path, refused):
    draw_part(0, 2, tmp_path / "part")

    def joined():
        join_parts([tmp_path / "part"], tmp_path / "table")
        return (tmp_path / "table").read_bytes()

    assert refused(tmp_path / "part", joined, flips=100) > 0.9


def test_copies_are_not_warned_of(tmp_path, monkeypatch):
    def row(number):
        warnings.warn("3 of 200 rows are duplicates of an earlier row", UserWarning, stacklevel=1)
        return np.zeros(3)

    monkeypatch.setattr(stage, "calibration_row", row)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_part(0, 1, tmp_path / "part")


def test_the_command_draws_and_joins(fast, tmp_path):
    parts = [str(tmp_path / name) for name in "ab"]
    for first, part in zip(("0", "2"), parts, strict=True):
        arguments = ["calibrate", "--first", first, "--count", "2", "--output", part]
        assert main(arguments) == 0
    table = tmp_path / "table"
    assert main(["calibrate", *parts, "--output", str(table)]) == 0
    assert rows(table)[:, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "arguments",
    [[], ["--first", "3"], ["--count", "3"], ["--first", "-1", "--count", "2"],
     ["--first", "0", "--count", "0"]],
)  # fmt: skip
def test_a_part_without_its_numbers_is_one_sentence(arguments, fast, tmp_path, capsys):
    output = tmp_path / "part"
    assert main(["calibrate", *arguments, "--output", str(output)]) == 1
    assert capsys.readouterr().err == (
        "dimlaws calibrate: give --first (0 or more) and --count (1 or more) of a part to draw, "
        "or the parts to join\n"
    )
    assert not output.exists()


def test_a_missing_part_is_one_sentence(tmp_path, capsys):
    output = tmp_path / "table"
    assert main(["calibrate", str(tmp_path / "absent"), "--output", str(output)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("dimlaws calibrate: No such file or directory")
    assert error.count("\n") == 1
    assert not output.exists()
