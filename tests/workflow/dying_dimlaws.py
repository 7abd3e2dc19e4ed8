"""The command ``dimlaws``, which kills itself with SIGKILL at a moment of a stage.

``DIE=stage:moment,...``: ``write`` when half a result is on disk, ``move`` when it is in place,
``late`` without dying: results show up when the job has ended, ``step`` after a step that the
progress bar counts, else when the log says the moment's words.
``WAIT=stage:file``: that stage waits at its start while the file exists.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import tqdm

from dimlaws.cli import main

STAGE = sys.argv[1]


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def after(call):
    def patched(*arguments, **named):
        call(*arguments, **named)
        die()

    return patched


def half_written(handle):
    """In place of fsync: what was written last is lost."""
    path = Path(f"/proc/self/fd/{handle}").resolve()
    os.truncate(path, path.stat().st_size // 2)
    die()


def late(path, target):
    """In place of a move: the file shows up when its job has long ended."""
    hidden = target.with_suffix(".late")
    os.rename(path, hidden)  # noqa: PTH104 - this stands in for Path.replace
    subprocess.Popen(["sh", "-c", 'sleep 5; mv "$0" "$1"', hidden, target], start_new_session=True)


class DyingHandler(logging.Handler):
    def emit(self, record):
        if moment in record.getMessage():
            die()


moments = dict(part.split(":") for part in os.environ.get("DIE", "").split(",") if part)
moment = moments.get(STAGE)
if moment is not None:
    if moment == "write":
        os.fsync = half_written
    elif moment == "move":
        Path.replace = after(Path.replace)
    elif moment == "late":
        Path.replace = late
    elif moment == "step":
        tqdm.tqdm.update = die
    else:
        logging.getLogger("dimlaws").addHandler(DyingHandler())

stage, _, file = os.environ.get("WAIT", "").partition(":")
if stage == STAGE:
    Path(f"{file}.{os.getpid()}").touch()
    while Path(file).exists():
        time.sleep(0.05)

sys.exit(main())
