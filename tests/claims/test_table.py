import csv
import io
from dataclasses import replace

import pandas as pd
import pytest
from verdict_rows import REPRODUCED

from dimlaws.claims.table import (
    COLUMNS,
    counts,
    join_verdicts,
    read_verdicts,
    scoreboard,
    write_verdicts,
)
from dimlaws.errors import CorruptFileError
from dimlaws.seals import checksum_file, write_checked

ROW = replace(
    REPRODUCED,
    statement='The "loss" falls, slowly.',
    published=None,
    published_source="none",
    estimate=0.9512345678,
    ci_low=-0.0,
    ci_high=1.0,
)
NAN = float("nan")
UNDECIDED = replace(
    ROW,
    claim="a",
    verdict="inconclusive",
    estimate=NAN,
    ci_low=NAN,
    ci_high=NAN,
    reason="2 seeds; 5 needed",
)
EFFECT = replace(
    ROW,
    claim="b",
    chapter=1,
    judge="two-sided",
    expected_low=-0.1,
    expected_high=0.1,
    published=750,
)


def test_columns_and_bytes_are_fixed(tmp_path):
    path = tmp_path / "deep" / "verdicts.csv"
    write_verdicts(path, [ROW, UNDECIDED, EFFECT])
    text = path.read_bytes()
    assert text.decode().splitlines()[0] == (
        "claim,paper,chapter,statement,quantity,judge,expected_low,expected_high,published,"
        "published_source,estimate,ci_low,ci_high,n,verdict,reason,experiment,figure"
    )
    assert text.decode().splitlines()[3] == (
        'exponent,konz,2,"The ""loss"" falls, slowly.",exponent_ratio,'
        "threshold,0.9,,,none,0.951235,0,1,5,reproduced,,scaling,curve"
    )
    assert b"\r" not in text
    write_verdicts(path, [EFFECT, UNDECIDED, ROW])
    assert path.read_bytes() == text
    assert pd.read_csv(path)["claim"].tolist() == ["b", "a", "exponent"]


def test_what_is_read_is_what_was_written(tmp_path):
    path = tmp_path / "verdicts.csv"
    write_verdicts(path, [ROW, UNDECIDED, EFFECT])
    effect, undecided, row = read_verdicts(path)
    assert row == replace(ROW, estimate=0.951235)
    assert effect == replace(EFFECT, estimate=0.951235)
    assert undecided.estimate != undecided.estimate
    assert undecided.published is None
    again = tmp_path / "again.csv"
    write_verdicts(again, [row, effect, undecided])
    assert again.read_bytes() == path.read_bytes()


def test_tables_of_several_experiments_join_into_one(tmp_path):
    parts = [tmp_path / "one.csv", tmp_path / "two.csv", tmp_path / "none.csv"]
    for path, verdicts in zip(parts, ([ROW], [EFFECT, UNDECIDED], []), strict=True):
        write_verdicts(path, verdicts)
    join_verdicts(parts, tmp_path / "joined.csv")
    write_verdicts(tmp_path / "expected.csv", [EFFECT, UNDECIDED, ROW])
    assert (tmp_path / "joined.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[1:], "does not start with the columns"),
        (lambda rows: [], "does not start with the columns"),
        (lambda rows: [rows[0], rows[1][:-1]], "no verdict"),
        (lambda rows: [rows[0], [*rows[1][:2], "two", *rows[1][3:]]], "no verdict"),
    ],
)
def test_a_file_that_is_no_table_of_verdicts_is_refused(tmp_path, change, message):
    path = tmp_path / "verdicts.csv"
    write_verdicts(path, [ROW])
    with path.open(newline="") as stream:
        rows = change(list(csv.reader(stream)))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_checked(path, text.getvalue())
    with pytest.raises(CorruptFileError, match=message):
        read_verdicts(path)


def test_damaged_verdicts_are_refused(tmp_path, refused):
    path = tmp_path / "verdicts.csv"
    write_verdicts(path, [ROW, EFFECT])
    for file in (path, checksum_file(path)):
        assert refused(file, lambda: read_verdicts(path), flips=150) == 1


def test_the_scoreboard_shows_claims_and_how_many_may_be_wrong():
    text = scoreboard([ROW, UNDECIDED, EFFECT, replace(ROW, verdict="refuted", judge="sign")])
    lines = text.splitlines()
    words = [" ".join(line.split()) for line in lines]
    assert words[0] == "claim verdict estimate 95 % interval region published"
    assert words[2] == "exponent reproduced 0.951 [0, 1] >= 0.9 -"
    assert words[3] == "a inconclusive - [-, -] >= 0.9 -"
    assert words[4] == "b reproduced 0.951 [0, 1] outside -0.1 to 0.1 750"
    assert "> 0.9" in lines[5]
    assert lines[-1] == (
        "4 claims: 2 reproduced, 1 refuted, 1 inconclusive. At 95 %, at most 0.15 wrong "
        "verdicts are expected."
    )
    assert len({line.find("reproduced") for line in (lines[2], lines[4])}) == 1


def test_verdicts_are_counted_by_chapter():
    text = counts([ROW, UNDECIDED, EFFECT, replace(ROW, verdict="refuted", chapter=12)])
    words = [line.split() for line in text.splitlines()]
    assert words[0] == ["chapter", "claims", "reproduced", "refuted", "inconclusive"]
    assert words[2] == ["1", "Instruments", "1", "1", "0", "0"]
    assert words[3][0] == "2"
    assert words[3][-4:] == ["2", "1", "0", "1"]
    assert words[4][-4:] == ["1", "0", "1", "0"]
    assert words[-1][:2] == ["4", "claims:"]
    assert text in scoreboard([ROW, UNDECIDED, EFFECT, replace(ROW, verdict="refuted", chapter=12)])


def test_an_empty_scoreboard_says_so():
    assert "0 claims" in scoreboard([])
    assert COLUMNS[0] == "claim"
