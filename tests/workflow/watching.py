"""What a process and all that it starts take, seen from outside through ``/proc``."""

import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

INTERVAL = 0.25
"""Seconds between two looks: jobs last longer, and a process knows its own peak."""


@dataclass(frozen=True)
class Look:
    """A process at one moment; ``rss`` and ``peak`` in KiB."""

    rss: int
    peak: int
    files: int
    threads: int


def look(process: int) -> Look:
    """Return what a process holds now; raise ``OSError`` where there is none."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    found = dict(re.findall(r"^(VmRSS|VmHWM|Threads):\s+(\d+)", status, flags=re.MULTILINE))
    if "VmRSS" not in found:  # it has ended, and nobody has taken notice yet
        raise ProcessLookupError(process)
    files = len(list(Path(f"/proc/{process}/fd").iterdir()))
    return Look(int(found["VmRSS"]), int(found["VmHWM"]), files, int(found["Threads"]))


def in_session(session: int) -> Iterator[int]:
    """Yield the processes of a session: all that its first one has started, orphans included."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == session:
                    yield int(entry.name)
            except ProcessLookupError:
                continue


@dataclass
class Watch:
    """Looks at the processes of a session, in a thread, from ``with`` to its end.

    ``leader`` holds every look at the first process; ``peaks`` the peak in KiB of each process of
    a stage of ``dimlaws``, in the order in which they began.
    """

    session: int
    leader: list[Look] = field(default_factory=list)
    peaks: dict[str, dict[int, int]] = field(default_factory=dict)

    def __enter__(self) -> "Watch":
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(INTERVAL):
            for process in in_session(self.session):
                try:
                    self._note(process)
                except OSError:  # it ended meanwhile
                    continue

    def _note(self, process: int) -> None:
        seen = look(process)
        if process == self.session:
            self.leader.append(seen)
        command = Path(f"/proc/{process}/cmdline").read_bytes().decode().split("\0")
        # A script: the interpreter, then its path.
        if len(command) > 2 and Path(command[1]).name == "dimlaws":
            self.peaks.setdefault(command[2], {})[process] = seen.peak
