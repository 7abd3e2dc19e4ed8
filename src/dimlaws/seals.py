"""Checksums of the text files that the pipeline reads back; binary ones hold their own.

A JSON object carries its checksum among its keys; a table, whose columns are fixed, has it in a
file beside it that ``sha256sum --check`` understands.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dimlaws.errors import CorruptFileError
from dimlaws.storage import canonical_json, read_json, write_text


def sha256(content: bytes) -> str:
    """Return the checksum of some bytes."""
    return hashlib.sha256(content).hexdigest()


def write_sealed_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object and the checksum of all of it, as ``sha256``."""
    write_text(path, canonical_json({**content, "sha256": _digest(content)}))


def read_sealed_json(path: Path) -> dict[str, Any]:
    """Read what ``write_sealed_json`` wrote; raise ``CorruptFileError`` if it is anything else."""
    content = read_json(path)
    stated = content.pop("sha256", None) if isinstance(content, dict) else None
    if stated is None or stated != _digest(content):
        raise CorruptFileError(f"{path} does not match its checksum; delete it and rerun")
    return dict(content)


def _digest(content: Mapping[str, Any]) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode())


def checksum_file(path: Path) -> Path:
    """Return where the checksum of a file stands that cannot hold its own."""
    return path.with_name(f"{path.name}.sha256")


def write_checked(path: Path, text: str) -> None:
    """Write a text, and its checksum beside it."""
    write_text(path, text)
    write_text(checksum_file(path), _line(path, text.encode()))


def read_checked(path: Path) -> str:
    """Return the text of a file that has its checksum beside it.

    Raises
    ------
    CorruptFileError
        if the checksum is not there, or not that of the file.
    """
    content, beside = path.read_bytes(), checksum_file(path)
    if not beside.is_file():
        raise CorruptFileError(f"{path} has no checksum in {beside}; delete it and rerun")
    if beside.read_bytes() != _line(path, content).encode():
        raise CorruptFileError(
            f"{path} does not match its checksum in {beside}; delete it and rerun"
        )
    return content.decode()


def _line(path: Path, content: bytes) -> str:
    return f"{sha256(content)}  {path.name}\n"
