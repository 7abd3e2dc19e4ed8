"""Opening archives from strangers: nothing lands outside the folder, nothing grows without bound.

Links and device files are never created: a link that points outside the folder is refused, one
that stays inside is skipped, because no data set here needs it.
"""

import bz2
import gzip
import lzma
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

from dimlaws.errors import DimlawsError

MAX_BYTES = 8 * 2**30
"""Largest sum of sizes that one archive may unpack to."""
MAX_FILES = 100_000
"""Largest number of entries in one archive."""

_CHUNK = 2**20
_HEADER = 2**22
_ZIP = (".zip", ".whl")
_TAR: dict[str, Callable[[Path], Any]] = {
    ".tar": partial(Path.open, mode="rb"),
    ".tar.gz": gzip.open,
    ".tgz": gzip.open,
    ".tar.bz2": bz2.open,
    ".tar.xz": lzma.open,
}
_AR_MAGIC = b"!<arch>\n"
_AR_HEADER = 60


class ArchiveError(DimlawsError):
    """An archive that cannot be opened: cut short, damaged, or of an unknown kind."""


class UnsafeArchiveError(ArchiveError):
    """An archive that would write outside its folder, make devices, or fill the disk."""


def extract(
    archive: Path, folder: Path, *, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES
) -> None:
    """Unpack ``archive`` into ``folder`` by its suffix; a file of no archive kind is copied there.

    Kinds: zip, whl, tar (plain, gz, bz2, xz), deb, and single gz files. Raises
    ``UnsafeArchiveError`` for an entry that leaves the folder, a link out of it, a device file, or
    more than ``max_bytes`` or ``max_files``; ``ArchiveError`` for a damaged or truncated archive.
    ``OSError`` (such as a full disk) passes through.
    """
    folder.mkdir(parents=True, exist_ok=True)
    budget = _Budget(archive.name, max_bytes, max_files)
    try:
        if archive.name.endswith(_ZIP):
            _extract_zip(archive, folder, budget)
        elif archive.name.endswith(tuple(_TAR)):
            _extract_tar(archive, folder, budget)
        elif archive.name.endswith(".deb"):
            _extract_deb(archive, folder, budget)
        elif archive.name.endswith(".gz"):
            if archive.stat().st_size == 0:
                raise EOFError("empty file")  # gzip itself reads it as an empty content
            with gzip.open(archive) as source:
                _copy(source, folder / archive.name.removesuffix(".gz"), budget)
        else:
            with archive.open("rb") as source:
                _copy(source, folder / archive.name, budget)
    except UnsafeArchiveError:
        raise
    except tarfile.FilterError as error:
        raise UnsafeArchiveError(f"{archive.name}: {error}") from error
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        gzip.BadGzipFile,
        EOFError,
        zlib.error,
        lzma.LZMAError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise ArchiveError(f"{archive.name} is truncated or damaged ({error})") from error


class _Budget:
    """What an archive may still unpack."""

    def __init__(self, name: str, max_bytes: int, max_files: int) -> None:
        self.name = name
        self.bytes = self.max_bytes = max_bytes
        self.files = self.max_files = max_files

    def entry(self) -> None:
        self.files -= 1
        if self.files < 0:
            raise UnsafeArchiveError(f"{self.name} holds more than {self.max_files} entries")

    def spend(self, size: int) -> None:
        self.bytes -= size
        if self.bytes < 0:
            raise UnsafeArchiveError(f"{self.name} unpacks to more than {self.max_bytes} bytes")


def _inside(name: str, archive: str) -> PurePosixPath:
    """Return the relative path of an entry; raise if it is none, absolute, or climbs."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise UnsafeArchiveError(f"{archive}: the entry {name!r} is no path inside the folder")
    return path


def _copy(source: IO[bytes] | gzip.GzipFile, target: Path, budget: _Budget) -> None:
    budget.entry()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as sink:
        # Sizes in headers can lie, so what is written is counted.
        while chunk := source.read(_CHUNK):
            budget.spend(len(chunk))
            sink.write(chunk)


def _extract_zip(archive: Path, folder: Path, budget: _Budget) -> None:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            path = _inside(info.filename, budget.name)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise UnsafeArchiveError(
                    f"{archive.name}: the entry {info.filename!r} is a link or a device"
                )
            if info.is_dir():
                budget.entry()
                continue
            with opened.open(info) as source:
                _copy(source, folder / path, budget)


class _Bounded:
    """A stream to read a tar from: a header may say that it is longer than the memory."""

    def __init__(self, stream: Any, name: str) -> None:
        self._stream = stream
        self._name = name

    def read(self, size: int) -> bytes:
        if size > _HEADER:
            raise UnsafeArchiveError(f"{self._name} holds a header of {size} bytes")
        return bytes(self._stream.read(size))

    def seek(self, position: int) -> int:
        return int(self._stream.seek(position))

    def tell(self) -> int:
        return int(self._stream.tell())


def _extract_tar(archive: Path, folder: Path, budget: _Budget) -> None:
    opener = next(opener for suffix, opener in _TAR.items() if archive.name.endswith(suffix))
    with (
        opener(archive) as stream,
        tarfile.TarFile(fileobj=_Bounded(stream, budget.name), mode="r") as opened,  # type: ignore[arg-type]
    ):
        for member in opened:
            _inside(member.name, budget.name)
            tarfile.data_filter(member, str(folder))
            if member.isfile():
                source = opened.extractfile(member)
                assert source is not None
                _copy(source, folder / member.name, budget)
            else:
                budget.entry()


def _extract_deb(archive: Path, folder: Path, budget: _Budget) -> None:
    with (
        archive.open("rb") as stream,
        tempfile.TemporaryDirectory(dir=folder.parent, prefix=".deb-") as scratch,
    ):
        if stream.read(len(_AR_MAGIC)) != _AR_MAGIC:
            raise ArchiveError(f"{archive.name} is not a Debian package")
        while header := stream.read(_AR_HEADER):
            name, size = _ar_entry(header, archive.name)
            if name.startswith("data.tar"):
                inner = Path(scratch, _known_tar(name, archive.name))
                with inner.open("wb") as sink:
                    shutil.copyfileobj(stream, sink, _CHUNK)
                _cut(inner, size, archive.name)
                _extract_tar(inner, folder, budget)
                return
            stream.seek(size + size % 2, 1)
    raise ArchiveError(f"{archive.name} is truncated or damaged (no data.tar in it)")


def _ar_entry(header: bytes, archive: str) -> tuple[str, int]:
    """Return name and size of an ar entry (fields: name 16, times and ids 32, size 10, magic 2)."""
    digits = header[48:58].strip()
    if len(header) != _AR_HEADER or header[58:] != b"`\n" or not digits.isdigit():
        raise ArchiveError(f"{archive} is truncated or damaged (bad ar header)")
    return header[:16].decode("latin-1").strip().rstrip("/"), int(digits)


def _known_tar(name: str, archive: str) -> str:
    if not name.endswith(tuple(_TAR)):
        raise ArchiveError(f"{archive} holds {name}, which is none of {', '.join(_TAR)}")
    return name


def _cut(inner: Path, size: int, archive: str) -> None:
    """Cut what follows the entry; raise if the entry itself is not whole."""
    found = inner.stat().st_size
    if found < size:
        raise ArchiveError(f"{archive} is truncated ({found} of {size} bytes of {inner.name})")
    with inner.open("rb+") as stream:
        stream.truncate(size)
