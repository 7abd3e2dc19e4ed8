"""Verdicts as a CSV file, and as a table for the terminal."""

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from dimlaws.claims.chapters import CHAPTERS
from dimlaws.claims.judging import NAN, Verdict
from dimlaws.errors import CorruptFileError
from dimlaws.seals import read_checked, write_checked

COLUMNS = tuple(column.name for column in fields(Verdict))
"""Columns of ``verdicts.csv``, in order."""

VERDICTS = ("reproduced", "refuted", "inconclusive")
"""What a claim can be, in the order in which verdicts are counted."""

MISSED = 0.05
"""Share of 95 % intervals that miss the truth."""


def write_verdicts(path: Path, verdicts: Iterable[Verdict]) -> None:
    """Write verdicts by chapter, paper and claim, and a checksum of the table beside it.

    Equal verdicts give equal bytes.
    """
    ordered = sorted(verdicts, key=lambda row: (row.chapter, row.paper, row.claim, row.experiment))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_format(getattr(row, name)) for name in COLUMNS] for row in ordered)
    write_checked(path, text.getvalue())


def read_verdicts(path: Path) -> list[Verdict]:
    """Read verdicts.

    Raises
    ------
    CorruptFileError
        if the table does not match its checksum, or has columns or values that are no verdict's.
    """
    rows = list(csv.reader(io.StringIO(read_checked(path), newline="")))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise CorruptFileError(f"{path} does not start with the columns of a table of verdicts")
    try:
        return [
            Verdict(*(_parse(c, text) for c, text in zip(fields(Verdict), row, strict=True)))
            for row in rows[1:]
        ]
    except ValueError as error:
        raise CorruptFileError(f"{path} holds a row that is no verdict ({error})") from error


def join_verdicts(tables: Iterable[Path], output: Path) -> None:
    """Write the verdicts of several tables as one."""
    write_verdicts(output, [verdict for table in tables for verdict in read_verdicts(table)])


def scoreboard(verdicts: Sequence[Verdict]) -> str:
    """Return a plain-text table of verdicts, then their counts."""
    header = ("claim", "verdict", "estimate", "95 % interval", "region", "published")
    body = [
        (
            row.claim,
            row.verdict,
            _shown(row.estimate),
            f"[{_shown(row.ci_low)}, {_shown(row.ci_high)}]",
            _region(row.expected_low, row.expected_high, row.judge),
            _shown(row.published),
        )
        for row in verdicts
    ]
    return f"{_aligned(header, body)}\n\n{counts(verdicts)}"


def counts(verdicts: Sequence[Verdict]) -> str:
    """Return a plain-text table of the verdicts of each chapter, and how many may be wrong."""
    header = ("chapter", "claims", *VERDICTS)
    body = []
    for number, name in CHAPTERS.items():
        found = Counter(row.verdict for row in verdicts if row.chapter == number)
        if found:
            numbers = (found.total(), *(found[verdict] for verdict in VERDICTS))
            body.append((f"{number:2} {name}", *map(str, numbers)))
    return f"{_aligned(header, body)}\n\n{summary(verdicts)}\n"


def _aligned(header: tuple[str, ...], body: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(line[i]) for line in (header, *body)) for i in range(len(header))]
    rule = tuple("-" * width for width in widths)
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (header, rule, *body)
    )


def summary(verdicts: Sequence[Verdict]) -> str:
    """Return one line: how many claims, their verdicts, and the expected number of wrong ones."""
    found = Counter(row.verdict for row in verdicts)
    parts = ", ".join(f"{found[verdict]} {verdict}" for verdict in VERDICTS)
    return (
        f"{len(verdicts)} claims: {parts}. At 95 %, at most {expected_wrong(verdicts):.2g} "
        "wrong verdicts are expected."
    )


def expected_wrong(verdicts: Iterable[Verdict]) -> float:
    """Return a bound on the expected number of wrong verdicts.

    A verdict can be wrong only where its interval misses the truth, which 5 % of all intervals
    do, decided or not; where nothing is decided, nothing can be wrong.
    """
    found = list(verdicts)
    if all(row.verdict == "inconclusive" for row in found):
        return 0.0
    return MISSED * sum(math.isfinite(row.ci_low) for row in found)


def _region(low: float | None, high: float | None, judge: str) -> str:
    """Return a region in words short enough for a table: ``>= 0.9``, ``0.8 to 1.2``."""
    strict = "" if judge == "sign" else "="
    if low is None or high is None:
        return f">{strict} {low:g}" if low is not None else f"<{strict} {high:g}"
    return f"{'outside ' if judge == 'two-sided' else ''}{low:g} to {high:g}"


def _shown(value: float | None) -> str:
    # Adding zero turns -0.0 into 0.0, here and in _format.
    return "-" if value is None or math.isnan(value) else f"{value + 0.0:.3g}"


def _format(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value + 0.0:.6g}" if isinstance(value, float) else str(value)


def _parse(column: Any, text: str) -> Any:
    if column.type is str:
        return text
    if text == "" and column.type is not int:
        return None if type(None) in get_args(column.type) else NAN
    return int(text) if column.type is int else float(text)
