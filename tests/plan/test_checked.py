"""A plan file that is not what was planned is refused by whatever reads it."""

import json

import pytest

from dimlaws.errors import CorruptFileError
from dimlaws.plan.checked import check_plan_file, read_plan_file
from dimlaws.plan.files import plan_all

FOLDER = "smoke/widths/plan"
NAMES = ["measures", "claims", "figures/widths", "batch"]


def file_of(planned, name):
    name = next(iter(planned.batches())) if name == "batch" else name
    return planned.results / FOLDER / f"{name}.json"


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_plan_file_is_refused(planned, refused, name):
    file = file_of(planned, name)
    assert refused(file, lambda: read_plan_file(file)) == 1


def test_a_damaged_index_is_refused(planned, refused):
    index = file_of(planned, "index")

    def read():
        # As in a job of a cluster, which reads the plan as it was written.
        return plan_all(planned.config, planned.results, "smoke", write=False)

    assert refused(index, read, flips=100) > 0.8
    content = json.loads(index.read_text())
    del content["sha256"]
    index.write_text(json.dumps(content))
    for name in NAMES:
        with pytest.raises(CorruptFileError, match=r"index\.json does not match its checksum"):
            check_plan_file(file_of(planned, name))


def test_a_file_of_another_plan_is_refused(planned):
    file = file_of(planned, "measures")
    other = file.with_name("other.json")
    other.write_bytes(file.read_bytes())
    with pytest.raises(CorruptFileError, match=r"other\.json is not what was planned"):
        check_plan_file(other)
    with pytest.raises(FileNotFoundError):
        check_plan_file(file.with_name("absent.json"))


def test_a_file_of_no_plan_is_read_as_it_is(tmp_path, caplog):
    (tmp_path / "measures.json").write_text("{}")
    assert read_plan_file(tmp_path / "measures.json") == {}
    assert "no index.json" in caplog.text.replace(f"{tmp_path}/", "")


@pytest.mark.parametrize("name", [*NAMES, "index"])
@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_plan_is_made_again(planned, name, damage):
    file = file_of(planned, name)
    before, key = planned.files(), json.loads(file_of(planned, "index").read_text())["key"]
    content = file.read_bytes()
    middle = len(content) // 2
    changed = {"cut": content[:middle], "flip": content.replace(b"m", b"l", 1)}[damage]
    assert changed != content
    file.write_bytes(changed)
    planned.plan()
    assert planned.files() == before
    assert json.loads(file_of(planned, "index").read_text())["key"] == key
    assert file.read_bytes() == content
