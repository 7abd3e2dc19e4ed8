import subprocess

import pytest

from dimlaws.errors import CorruptFileError
from dimlaws.seals import (
    checksum_file,
    read_checked,
    read_sealed_json,
    write_checked,
    write_sealed_json,
)
from dimlaws.storage import canonical_json, write_text

CONTENT = {"b": [1, 0.1, None, "ä"], "a": {"steps": 100, "expected": [-1e-9, 2.0]}}
TABLE = "claim,estimate\none,0.25\ntwo,1e-3\n"


def test_sealed_json_comes_back_as_it_was(tmp_path):
    file = tmp_path / "a.json"
    write_sealed_json(file, CONTENT)
    assert read_sealed_json(file) == CONTENT
    # One line more than the content alone.
    assert len(file.read_text().splitlines()) == len(canonical_json(CONTENT).splitlines()) + 1


def test_damaged_json_is_refused(tmp_path, refused):
    file = tmp_path / "a.json"
    write_sealed_json(file, CONTENT)
    # Most bytes count; white space between them does not.
    assert refused(file, lambda: read_sealed_json(file), flips=600) > 0.9


@pytest.mark.parametrize("text", ["[]", "1", "{}", '{"a": 1}', '{"a": NaN, "sha256": ""}'])
def test_json_without_a_seal_is_refused(tmp_path, text):
    write_text(tmp_path / "a.json", text)
    with pytest.raises(CorruptFileError, match=r"a\.json does not match .*delete it and rerun"):
        read_sealed_json(tmp_path / "a.json")


def test_a_table_and_its_checksum_come_back_as_they_were(tmp_path):
    file = tmp_path / "deep" / "a.csv"
    write_checked(file, TABLE)
    assert read_checked(file) == file.read_text() == TABLE
    (tmp_path / "deep" / "b.csv").write_text("x")
    command = ["sha256sum", "--check", "--strict", "a.csv.sha256"]
    subprocess.run(command, cwd=file.parent, check=True, capture_output=True)


def test_a_damaged_table_or_checksum_is_refused(tmp_path, refused):
    file = tmp_path / "a.csv"
    write_checked(file, TABLE)
    for part in (file, checksum_file(file)):
        assert refused(part, lambda: read_checked(file)) == 1


def test_a_table_without_a_checksum_is_refused(tmp_path):
    write_text(tmp_path / "a.csv", TABLE)
    with pytest.raises(CorruptFileError, match=r"a\.csv has no checksum in .*a\.csv\.sha256;"):
        read_checked(tmp_path / "a.csv")
    with pytest.raises(FileNotFoundError):
        read_checked(tmp_path / "b.csv")
