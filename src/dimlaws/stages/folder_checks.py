"""Whether files in a folder behave as the pipeline relies on, and whether it is free to use."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dimlaws.plan.files import in_use
from dimlaws.stages.findings import Finding

MOST_SKEW_SECONDS = 2.0
"""Snakemake compares times of files, set by the file server, with its own clock."""


def folder(subject: str, path: Path, needed_mb: float) -> Iterator[Finding]:
    """Yield what there is to say of a folder, or of the one that it will be made in.

    ``needed_mb`` is the free space that it needs where nothing is in it yet.
    """
    standing = next(place for place in (path, *path.absolute().parents) if place.exists())
    free = shutil.disk_usage(standing).free / 2**20
    held = sum(file.stat().st_size for file in path.glob("**/*") if file.is_file()) / 2**20
    words = f"{path}, {free / 1024:.1f} GiB free"
    if free < needed_mb - held:
        advice = f"make room: all of it needs {needed_mb / 1024:.1f}"
        yield Finding("problem", subject, words, advice)
    else:
        yield Finding("ok", subject, words)
    try:
        with tempfile.TemporaryDirectory(dir=standing, prefix=".doctor-") as scratch:
            yield from _file_system(subject, Path(scratch))
    except OSError as error:
        advice = "make it writable, or run this in a copy of the project"
        yield Finding("problem", subject, f"cannot be written: {error.strerror}", advice)


def _file_system(subject: str, scratch: Path) -> Iterator[Finding]:
    """Try out, in an empty folder, what whole results and right reruns depend on."""
    old, new = scratch / "old", scratch / "new"
    old.write_text("old")
    new.write_text("new")
    new.replace(old)
    if new.exists() or old.read_text() != "new":
        advice = "use another file system: here results could be half-written"
        yield Finding("problem", subject, "a file cannot be replaced in one step", advice)
        return
    faults: list[tuple[str, str]] = []
    try:
        os.link(old, new)
    except OSError:
        faults.append(("no hard links", "results are copied instead, and take twice the room"))
    moment = 1_700_000_000_123_456_789
    os.utime(old, ns=(moment, moment))
    if old.stat().st_mtime_ns % 10**9 == 0:
        faults.append(
            ("times in whole seconds", "a file made anew within one is taken for the old")
        )
    old.touch()
    skew = old.stat().st_mtime - time.time()
    if abs(skew) > MOST_SKEW_SECONDS:
        faults.append((f"its clock is {skew:+.0f} s off this machine's", "set both by NTP"))
    try:
        with old.open() as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        faults.append(("no file locks", "fetch data from one checkout at a time"))
    for words, advice in faults:
        yield Finding("warning", subject, words, advice)
    if not faults:
        yield Finding("ok", subject, "atomic moves, hard links, exact times, file locks")


def lock(checkout: Path) -> Finding:
    """Say whether a Snakemake holds the checkout, or left a lock behind."""
    running = [pid for pid, folder in _snakemakes() if folder == checkout.resolve()]
    if running:
        advice = "wait for its end before you start another or edit code"
        return Finding("ok", "lock", f"a Snakemake is at work here, process {running[0]}", advice)
    if in_use(checkout):
        advice = "if none is at work on another machine either, run `snakemake --unlock`"
        return Finding("warning", "lock", "held by a Snakemake that does not run here", advice)
    return Finding("ok", "lock", "none, a run can start")


def _snakemakes() -> Iterator[tuple[int, Path]]:
    """Yield process id and working directory of every Snakemake of this user."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile, or another user's
            words = (process / "cmdline").read_bytes().split(b"\0")[:3]
            if any(Path(os.fsdecode(word)).name == "snakemake" for word in words):
                yield int(process.name), (process / "cwd").resolve(strict=True)
