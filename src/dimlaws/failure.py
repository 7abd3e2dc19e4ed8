"""What to tell a user of a failure, in one sentence: what, where, and what to do."""

import errno
import os
import re
from pathlib import Path

from dimlaws.errors import CorruptFileError, DimlawsError

_FULL = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT))


def sentence(error: BaseException, target: Path | None = None) -> str | None:
    """Return what to tell of an error that a user can act on; None of any other.

    ``target`` is the file that was being made, for errors that name none.
    """
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, CorruptFileError):  # the words of a library can be several lines
        return " ".join(str(error).splitlines())
    if isinstance(error, DimlawsError):
        return str(error)
    file = error.filename if isinstance(error, OSError) else None
    # That the disk is full shows when a file is written: by then the error has no file name, and
    # it is one of the library's own if that is not written in Python.
    for words in _FULL:
        if words in str(error):
            where = _final(file) if file is not None else target
            return f"{words}{'' if where is None else f': {where}'}; make room and rerun"
    if isinstance(error, FileNotFoundError):  # that of pyarrow has no file name
        return f"No such file or directory: {file or error}"
    if isinstance(error, PermissionError) or (
        isinstance(error, OSError) and error.errno == errno.EROFS
    ):
        where = target if file is None else _final(file)
        return f"{error.strerror}: {where}; check that it may be read and its folder written"
    if isinstance(error, OSError) and file is not None:
        return f"{error.strerror}: {file}"
    if isinstance(error, OSError) and error.errno is not None:
        return str(error)
    return None


def _final(file: str) -> Path:
    """Return the file that a temporary one, as ``storage.replacing`` names them, is to become."""
    path = Path(file)
    found = re.fullmatch(r"\.(.+)\.\w+\.part", path.name)
    return path.with_name(found[1]) if found else path
