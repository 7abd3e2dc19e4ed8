import errno
import os
from pathlib import Path

import pytest
from safetensors import SafetensorError

from dimlaws.errors import CorruptFileError, FetchError
from dimlaws.failure import sentence

TARGET = Path("a/b.parquet")
FULL = "No space left on device"
TEMPORARY = "a/.b.parquet.x_1y2z3w.part"


def system(code, file=None):
    return OSError(code, os.strerror(code), file) if file else OSError(code, os.strerror(code))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (FetchError(f"tried x: {FULL}"), f"tried x: {FULL}"),
        (CorruptFileError("a is damaged (no page\nheader)"), "a is damaged (no page header)"),
        (system(errno.ENOSPC), f"{FULL}: a/b.parquet; make room and rerun"),
        (system(errno.ENOSPC, "a/.c.csv.abcdefgh.part"), f"{FULL}: a/c.csv; make room and rerun"),
        (
            SafetensorError(f"Error while serializing: I/O error: {FULL} (os error 28)"),
            f"{FULL}: a/b.parquet; make room and rerun",
        ),
        (system(errno.EDQUOT), "Disk quota exceeded: a/b.parquet; make room and rerun"),
        (
            system(errno.EROFS, TEMPORARY),
            "Read-only file system: a/b.parquet; check that it may be read and its folder written",
        ),
        (
            system(errno.EACCES, "in.json"),
            "Permission denied: in.json; check that it may be read and its folder written",
        ),
        (system(errno.ENOENT, "in.json"), "No such file or directory: in.json"),
        (FileNotFoundError("in.parquet"), "No such file or directory: in.parquet"),
        (system(errno.EISDIR, "a"), "Is a directory: a"),
        (system(errno.EIO), "[Errno 5] Input/output error"),
        (OSError("of no number"), None),
        (ValueError("a bug"), None),
    ],
)
def test_what_a_user_is_told(error, told):
    assert sentence(error, TARGET) == told


def test_a_full_disk_without_a_target():
    assert sentence(system(errno.ENOSPC)) == f"{FULL}; make room and rerun"
