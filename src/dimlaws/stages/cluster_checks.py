"""Whether jobs can be submitted to Slurm from here."""

import importlib.util
import shutil
import subprocess
from collections.abc import Iterator

from dimlaws.stages.findings import Finding

PLUGIN = "snakemake_executor_plugin_slurm"
SECONDS = 20.0
"""Longest time for an answer of Slurm."""


def cluster() -> Iterator[Finding]:
    """Yield what there is to say of Slurm, which nobody needs to have."""
    if shutil.which("sbatch") is None:
        yield Finding("ok", "slurm", "none found, jobs run on this machine")
        return
    yield _answer("slurm", "sbatch", "--version")
    yield _answer("slurm queue", "squeue", "--noheader", "--format=%i", "--me")
    if shutil.which("munge") is not None:
        yield _answer("munge", "munge", "--no-input")
    if importlib.util.find_spec(PLUGIN) is None:
        advice = "run `pip install --constraint constraints.txt --editable '.[slurm]'`"
        yield Finding("warning", "slurm plugin", "not installed", advice)
    else:
        yield Finding("ok", "slurm plugin", "installed")


def _answer(subject: str, *command: str) -> Finding:
    """Say whether a command answers, and what if it was asked for its version."""
    asked = " ".join(command)
    advice = f"jobs can run on this machine only; ask the cluster's staff why `{asked}` fails here"
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("warning", subject, f"no answer: {type(error).__name__}", advice)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        return Finding("warning", subject, lines[-1], advice)
    return Finding("ok", subject, done.stdout.strip() if "--version" in command else "answers")
