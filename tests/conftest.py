import random
import shutil
from pathlib import Path

import pytest

import dimlaws.studies
from dimlaws.errors import CorruptFileError

MINI = Path(__file__).parent / "workflow" / "mini"


@pytest.fixture(scope="session")
def package_copy(tmp_path_factory):
    """The package with the study ``spacing`` of the workflow's tests in it."""
    folder = tmp_path_factory.mktemp("package") / "dimlaws"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(dimlaws.__file__).parent, folder, ignore=ignored)
    shutil.copy(MINI / "spacing.py", folder / "studies")
    return folder


@pytest.fixture
def spacing_study(package_copy, monkeypatch):
    """Let ``dimlaws.studies.spacing.spacing`` be a target; return an experiment, without figure."""
    for module in ("signature", "dependencies"):
        monkeypatch.setattr(f"dimlaws.{module}.PACKAGE", package_copy)
    monkeypatch.setattr(
        dimlaws.studies, "__path__", [*dimlaws.studies.__path__, str(package_copy / "studies")]
    )
    text = (MINI / "spacing.yaml").read_text(encoding="utf-8")
    return text.partition("\nfigures:")[0].replace("    figure: spacing\n", "")


@pytest.fixture(scope="session")
def refused():
    """A function that damages a file, and counts the readings that are refused.

    A reading that is not refused must give what the whole file gives: a flipped bit may lie where
    nothing is read. One that is refused names the file.
    """

    def refused(file, read, *, flips=300, cuts=40):
        content = file.read_bytes()
        expected = read()
        rng = random.Random(0)
        damaged = [content[: len(content) * i // cuts] for i in range(cuts)]
        for bit in rng.sample(range(8 * len(content)), min(flips, 8 * len(content))):
            flipped = bytearray(content)
            flipped[bit // 8] ^= 1 << bit % 8
            damaged.append(bytes(flipped))
        told = []
        for part in damaged:
            file.write_bytes(part)
            try:
                found = read()
            except CorruptFileError as error:
                told.append(str(error))
            else:
                assert found == expected
        file.write_bytes(content)
        assert read() == expected
        assert all(str(file) in text for text in told)
        return len(told) / len(damaged)

    return refused
