"""Runs commands ``dimlaws ...``, one a line of standard input, in this one process.

The order is drawn at random, by a seed given as argument, from all that let no command come before
those that write what it reads. Prints the stages in the order in which they came.
"""

import random
import shlex
import sys

from dimlaws.cli import main

READ_ALL = {"provenance": 1, "report": 2}
"""Stages that find what they read by themselves: nothing of a lower rank may come later."""


def written(command):
    """Return the beginning of the names of what a command writes: a figure has several files."""
    return command[command.index("--output") + 1].rsplit(".", 1)[0]


def rank(command):
    return READ_ALL.get(command[0], 0)


def reads(command, other):
    own = command[: command.index("--output")]
    return rank(other) < rank(command) or any(
        part.rsplit(".", 1)[0] == written(other) for part in own
    )


def shuffled(commands, seed):
    rng = random.Random(seed)
    waiting = list(commands)
    while waiting:
        free = [
            command
            for command in waiting
            if not any(reads(command, other) for other in waiting if other is not command)
        ]
        chosen = rng.choice(free)
        waiting.remove(chosen)
        yield chosen


if __name__ == "__main__":
    commands = [shlex.split(line)[1:] for line in sys.stdin]
    for command in shuffled(commands, int(sys.argv[1])):
        print(command[0], flush=True)
        if main(command) != 0:
            sys.exit(1)
