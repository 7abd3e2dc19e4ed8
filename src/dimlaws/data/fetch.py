"""Fetching a data set: whichever source delivers, the arrays must match a pinned checksum."""

import errno
import fcntl
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from dimlaws.data.decoders import Decoded
from dimlaws.data.extraction import ArchiveError, extract
from dimlaws.data.sources import DISK_FULL, Source, SourceError, describe, obtain, reason
from dimlaws.errors import CorruptFileError, FetchError
from dimlaws.instantiate import configured
from dimlaws.storage import metadata_of, open_arrays, write_arrays

_BLOCK_BYTES = 2**24
_log = logging.getLogger("dimlaws.fetch")


def fetch(source_config: dict[str, Any], name: str, sha256: str, destination: Path) -> None:
    """Bring the data set ``name`` to ``destination``, a safetensors file.

    ``source_config`` holds ``sources`` (tried in order, see ``dimlaws.data.sources``) and
    ``decoder``. Returns at once if the file is there and matches ``sha256``. Of several fetches at
    the same time one works and the others wait for its file. Raises ``FetchError`` that names
    every source and why it failed, or the full disk; then no file is left at ``destination``.
    """
    # A configuration at fault is refused before anything is tried.
    sources = [(describe(source), source) for source in source_config["sources"]]
    decode = configured(source_config["decoder"])
    destination.parent.mkdir(parents=True, exist_ok=True)
    with _locked(destination):
        _remove_leftovers(destination)
        if destination.exists():
            try:
                verify(destination, sha256)
                _log.info("%s: already at %s", name, destination)
                return
            except CorruptFileError as error:
                _log.warning("%s: fetched again, because %s", name, error)
                destination.unlink()
        failures = []
        for what, source in sources:
            _log.info("%s: trying %s", name, what)
            try:
                _fetch_from(source, decode, name, sha256, destination)
            except SourceError as error:
                if str(error) == DISK_FULL:
                    full = os.strerror(errno.ENOSPC)
                    raise FetchError(f"{full}: {destination}; make room and rerun") from error
                _log.warning("%s: %s: %s", name, what, error)
                failures.append(f"{what}: {error}")
            else:
                _log.info("%s: fetched from %s to %s", name, what, destination)
                return
        raise FetchError(
            f"data set {name!r} could not be fetched; tried {len(failures)} sources:\n  "
            + "\n  ".join(failures)
        )


def verify(path: Path, sha256: str) -> None:
    """Raise ``CorruptFileError`` unless the fetched file holds the arrays of this checksum."""
    if not path.is_file():
        raise CorruptFileError(f"{path} does not exist; fetch it with `dimlaws fetch`")
    with open_arrays(path) as archive:
        metadata = metadata_of(archive)
        facts = {key: metadata[key] for key in metadata.keys() - {"name", "sha256"}}
        names = sorted(archive.keys())
        found = hashlib.sha256(_preamble(facts))
        for name in names:
            rows = archive.get_slice(name)
            _feed(found, name, rows[:1].dtype, tuple(rows.get_shape()), rows)
    if found.hexdigest() != sha256:
        raise CorruptFileError(
            f"{path} holds arrays of sha256 {found.hexdigest()}, not {sha256}; "
            "delete it and fetch again, or correct the pin"
        )


def digest(decoded: Decoded) -> str:
    """Return the canonical sha256 of a decoded data set.

    Over: the facts (split, classes, shape, packing) as canonical JSON, then per array in the order
    of names a JSON line of name, dtype and shape and the little-endian bytes in C order.
    """
    found = hashlib.sha256(_preamble(facts_of(decoded)))
    for name, array in sorted(decoded.arrays.items()):
        _feed(found, name, array.dtype, array.shape, array)
    return found.hexdigest()


def facts_of(decoded: Decoded) -> dict[str, str]:
    """Return what a data set's file says about it besides the arrays."""
    return {
        "n_train": str(decoded.n_train),
        "classes": str(decoded.classes),
        "shape": ",".join(map(str, decoded.shape)),
        "packed": "bits" if decoded.packed else "no",
    }


def _preamble(facts: dict[str, str]) -> bytes:
    return json.dumps(facts, sort_keys=True).encode() + b"\n"


def _feed(found: Any, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], rows: Any) -> None:
    """Add one array to the digest, a block of ``rows`` at a time: it need not be in memory."""
    little = dtype.newbyteorder("<")
    found.update(json.dumps([name, little.str, list(shape)]).encode() + b"\n")
    row_bytes = dtype.itemsize * int(np.prod(shape[1:], dtype=np.int64))
    step = max(1, _BLOCK_BYTES // max(1, row_bytes))
    for start in range(0, shape[0], step):
        block = rows[start : min(start + step, shape[0])]
        found.update(np.ascontiguousarray(block, dtype=little).tobytes())


def _fetch_from(
    source: Source,
    decode: Callable[[Path], Decoded],
    name: str,
    sha256: str,
    destination: Path,
) -> None:
    """Obtain, unpack, decode, compare, write; any failure becomes a ``SourceError``."""
    scratch = Path(
        tempfile.mkdtemp(dir=destination.parent, prefix=f".{destination.name}.", suffix=".part")
    )
    try:
        downloads, files = scratch / "downloads", scratch / "files"
        downloads.mkdir()
        for archive in obtain(source, downloads):
            extract(archive, files)
            archive.unlink()
        decoded = _decode(decode, files)
        found = digest(decoded)
        if found != sha256:
            raise SourceError(f"its arrays have sha256 {found}, not the pinned {sha256}")
        metadata = {"name": name, "sha256": sha256, **facts_of(decoded)}
        write_arrays(destination, decoded.arrays, metadata)
    except ArchiveError as error:
        raise SourceError(str(error)) from error
    except OSError as error:
        raise SourceError(reason(error)) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _decode(decode: Callable[[Path], Decoded], files: Path) -> Decoded:
    try:
        return decode(files)
    except Exception as error:  # a stranger's file can make a parser raise anything
        raise SourceError(f"its content is not the data set ({reason(error)})") from error


def _remove_leftovers(destination: Path) -> None:
    """Remove what a killed fetch left; called under the lock, so nobody is using it."""
    for path in destination.parent.glob(f".{destination.name}.*.part"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def _locked(destination: Path) -> Iterator[None]:
    """Hold the lock beside ``destination``; the lock file goes when the last holder is done."""
    path = destination.with_name(f".{destination.name}.lock")
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _log.info("another process is fetching %s; waiting for it", destination)
            fcntl.flock(handle, fcntl.LOCK_EX)
        # The holder before us removes the file: then this lock is on a name nobody else sees.
        with suppress(FileNotFoundError):
            if os.fstat(handle).st_ino == path.stat().st_ino:
                break
        os.close(handle)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)
