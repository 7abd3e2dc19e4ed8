"""A strip that shows where an estimate and its interval lie against the expected region."""

import math
from dataclasses import dataclass

from dimlaws.claims.judging import Verdict

WIDTH = 100.0
MARGIN = 0.12
"""Share of the shown range that is left free at either end."""


@dataclass(frozen=True)
class Strip:
    """Positions from 0 to ``WIDTH``.

    ``bands`` are start and length of what is expected: one band, or for a two-sided claim the
    parts beyond its null band. ``published`` is None where the paper gives no number.
    """

    bands: tuple[tuple[float, float], ...]
    low: float
    high: float
    estimate: float
    published: float | None


def strip(verdict: Verdict) -> Strip | None:
    """Return the strip of a verdict; None where it has no interval."""
    marks = [verdict.ci_low, verdict.ci_high, verdict.estimate]
    if not all(math.isfinite(mark) for mark in marks):
        return None
    ends = [end for end in (verdict.expected_low, verdict.expected_high) if end is not None]
    if verdict.published is not None:
        marks.append(verdict.published)
    least, most = min(marks + ends), max(marks + ends)
    span = most - least or max(abs(most), 1.0)
    least, most = least - MARGIN * span, most + MARGIN * span

    def place(value: float) -> float:
        return WIDTH * (value - least) / (most - least)

    low = 0.0 if verdict.expected_low is None else place(verdict.expected_low)
    high = WIDTH if verdict.expected_high is None else place(verdict.expected_high)
    bands: tuple[tuple[float, float], ...] = ((low, high - low),)
    if verdict.judge == "two-sided":
        bands = ((0.0, low), (high, WIDTH - high))
    return Strip(
        bands,
        place(verdict.ci_low),
        place(verdict.ci_high),
        place(verdict.estimate),
        None if verdict.published is None else place(verdict.published),
    )
