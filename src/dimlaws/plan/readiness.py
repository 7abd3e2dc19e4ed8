"""The results of a scale before jobs start: writable, and without what killed jobs left."""

import os
import time
from contextlib import suppress
from pathlib import Path

from dimlaws.errors import DimlawsError

STALE_SECONDS = 3600.0
"""A temporary file that was not written to for so long belongs to a process that was killed."""


def make_ready(folder: Path) -> None:
    """Remove the stale temporary files in a folder of results; raise if it cannot be written.

    Younger ones stay: the jobs of a Snakemake that was killed may be writing them still.

    Raises
    ------
    DimlawsError
        if the folder, or that which it is to be made in, is read-only.
    """
    standing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(standing, os.W_OK):
        raise DimlawsError(
            f"{standing} cannot be written; make it writable, or run this in a copy of the project"
        )
    oldest = time.time() - STALE_SECONDS
    for file in folder.glob("**/.*.part"):
        with suppress(OSError):  # gone meanwhile
            if file.stat().st_mtime < oldest:
                file.unlink()
