"""Files written whole or not at all, and read back only if they are what was written."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dimlaws.errors import CorruptFileError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; move it there on success, remove it on failure.

    The content is flushed to disk before the move, so a crash leaves the old file or the new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        # mkstemp makes private files; results follow the user's umask like any other file.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_text_if_changed(path: Path, text: str) -> bool:
    """Write ``text`` unless the file already holds it; return whether it was written."""
    try:
        if path.read_text(encoding="utf-8") == text:
            return False
    except (FileNotFoundError, UnicodeDecodeError):
        pass
    write_text(path, text)
    return True


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys, so equal values give equal text."""
    return json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n"


def read_json(path: Path) -> Any:
    """Read JSON; raise ``CorruptFileError`` if the file is not valid JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CorruptFileError(
            f"{path} is not valid JSON ({error}); delete it and rerun"
        ) from error


def write_arrays(
    path: Path,
    arrays: Mapping[str, npt.NDArray[Any]],
    metadata: Mapping[str, str],
) -> None:
    """Write named arrays and string metadata as one safetensors file, atomically."""
    from safetensors.numpy import save_file

    with replacing(path) as temporary:
        # Not ascontiguousarray, which gives a number an axis.
        contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        # One entry: the library writes several in an order that changes from run to run.
        save_file(
            contiguous, temporary, metadata={"json": json.dumps(dict(metadata), sort_keys=True)}
        )


def write_sealed(
    path: Path, arrays: Mapping[str, npt.NDArray[Any]], metadata: Mapping[str, str]
) -> None:
    """As ``write_arrays``, with a checksum of everything, which ``read_sealed`` compares."""
    write_arrays(path, arrays, {**metadata, "sha256": _digest(arrays, metadata)})


def read_sealed(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """Read what ``write_sealed`` wrote; raise ``CorruptFileError`` if it is anything else."""
    arrays, metadata = read_arrays(path)
    digest = metadata.pop("sha256", None)
    if digest is None or digest != _digest(arrays, metadata):
        raise CorruptFileError(f"{path} does not match its checksum; delete it and rerun")
    return arrays, metadata


def _digest(arrays: Mapping[str, npt.NDArray[Any]], metadata: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(dict(metadata), sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


@contextmanager
def open_arrays(path: Path) -> Iterator[Any]:
    """Open a safetensors file for lazy reading (``keys``, ``get_tensor``, ``get_slice``)."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as archive:
            yield archive
    except (SafetensorError, json.JSONDecodeError) as error:
        raise CorruptFileError(
            f"{path} is not a whole safetensors file ({error}); delete it and rerun"
        ) from error


def read_arrays(path: Path) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """Read all arrays and the metadata of a safetensors file."""
    with open_arrays(path) as archive:
        arrays = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118
        return arrays, metadata_of(archive)


def metadata_of(archive: Any) -> dict[str, str]:
    """Return the metadata of an archive that ``open_arrays`` opened."""
    stored = archive.metadata() or {}
    return dict(json.loads(stored["json"])) if "json" in stored else {}


def link_or_copy(source: Path, target: Path) -> None:
    """Let ``target`` name the content of ``source``, by a hard link where the disk allows one."""
    with replacing(target) as temporary:
        temporary.unlink()
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
