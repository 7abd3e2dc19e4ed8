"""Plan files read back: each must still be what the index of its plan says that it was."""

import logging
from pathlib import Path
from typing import Any

from dimlaws.errors import CorruptFileError
from dimlaws.seals import read_sealed_json, sha256
from dimlaws.storage import read_json

logger = logging.getLogger("dimlaws.plan")

INDEX = "index.json"
"""Beside the plan files of an experiment: what they are, and the checksum of each."""


def check_plan_file(path: Path) -> None:
    """Compare a plan file with its index.

    A file that has no index, such as one written by hand, is not checked, and the log says so.

    Raises
    ------
    CorruptFileError
        if the file, or the index itself, is not what planning wrote.
    """
    # Plans of figures stand in a folder of their own.
    folder = path.parent.parent if path.parent.name == "figures" else path.parent
    index = folder / INDEX
    found = sha256(path.read_bytes())
    if not index.is_file():
        logger.warning("%s: no %s says what it should hold", path, index)
        return
    name = path.relative_to(folder).with_suffix("").as_posix()
    if read_sealed_json(index)["checksums"].get(name) != found:
        raise CorruptFileError(
            f"{path} is not what was planned, by its checksum in {index}; delete it and rerun"
        )


def read_plan_file(path: Path) -> Any:
    """Return the content of a plan file after ``check_plan_file``, which may raise."""
    check_plan_file(path)
    return read_json(path)
