"""Processors, memory, threads and GPU against what the jobs ask for."""

import os
from collections.abc import Iterator
from pathlib import Path

import torch

from dimlaws.errors import CorruptFileError
from dimlaws.stages.findings import Finding
from dimlaws.stages.provenance import THREADS
from dimlaws.storage import read_json


def machine(results: Path) -> Iterator[Finding]:
    """Yield what there is to say of the machine, its memory against the jobs planned so far."""
    yield Finding("ok", "cores", str(len(os.sched_getaffinity(0))))
    yield memory(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20, results)
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none, none is needed"
    yield Finding("ok", "gpu", gpu)
    yield threads()


def memory(megabytes: float, results: Path) -> Finding:
    """Compare the memory, in mebibytes, with the largest batch of each plan that there is."""
    jobs = [
        (need, plan)
        for plan in sorted(results.glob("*/*/plan/index.json"))
        for need in _needs(plan)
    ]
    words = f"{megabytes / 1024:.1f} GiB"
    if not jobs:
        return Finding("ok", "memory", f"{words}; nothing is planned yet to compare it with")
    need, plan = max(jobs)
    experiment, scale = plan.parts[-3], plan.parts[-4]
    words += f"; the largest job, of {experiment} at scale {scale}, asks for {need / 1024:.1f}"
    if need > megabytes:
        advice = "run that scale on a larger machine"
        return Finding("problem", "memory", words, advice)
    return Finding("ok", "memory", words)


def _needs(plan: Path) -> list[float]:
    try:
        return [float(batch["memory_mb"]) for batch in read_json(plan)["batches"].values()]
    except (CorruptFileError, KeyError, TypeError):  # planned again before it is used
        return []


def threads() -> Finding:
    """Say whether results can be the same bits as elsewhere, which takes one thread."""
    many = [f"{name}={os.environ[name]}" for name in THREADS if os.environ.get(name, "1") != "1"]
    if many:
        advice = "unset it: sums in another order differ in their last digits"
        return Finding("warning", "threads", ", ".join(many), advice)
    return Finding("ok", "threads", "one for each job")
