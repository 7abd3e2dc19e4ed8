"""Judging: from a claim and the records of its experiment to a verdict."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dimlaws.claims.claim import NATURAL_RANGE, Claim
from dimlaws.claims.records import Records, Undecidable
from dimlaws.errors import EstimationError
from dimlaws.instantiate import configured
from dimlaws.laws.intervals import Interval, bootstrap_over_seeds

MAX_DIVERGED = 0.1
"""Largest share of runs that may have diverged; those that are left are no fair sample beyond."""

MANY_SEEDS = 1000

ROUNDING = 1e-9

NAN = float("nan")


@dataclass(frozen=True)
class Verdict:
    """One row of ``verdicts.csv``.

    ``n`` counts seeds, the independent replicates: those that every cell read by the quantity
    has. An estimate or an end of its 95 % interval is NaN where there is none; an end of the
    region is None where it is open.
    """

    claim: str
    paper: str
    chapter: int
    statement: str
    quantity: str
    judge: str
    expected_low: float | None
    expected_high: float | None
    published: float | None
    published_source: str
    estimate: float
    ci_low: float
    ci_high: float
    n: int
    verdict: str
    reason: str
    experiment: str
    figure: str


def judge(claim: Claim, name: str, records: pd.DataFrame, experiment: str) -> Verdict:
    """Judge one claim on the tidy records of its experiment.

    ``records`` has the columns ``run, batch, seed, measure, quantity, value`` and any number of
    swept keys and index columns; a value that is not finite belongs to a diverged run.

    ``reproduced``: the 95 % interval lies inside the region. ``refuted``: it lies outside.
    ``inconclusive``: it straddles an end, there are too few seeds, more than 10 % of the runs
    diverged, or the quantity cannot be computed. For a ``two-sided`` claim the region is a null
    band: beyond it is ``reproduced``, inside it ``refuted``. Zero is neither sign.
    """
    table = Records(records)
    found = _measure(table, configured(claim.quantity))
    try:
        _refuse(claim, table, found)
        assert found.interval is not None
        verdict, reason = _compare(claim, found.interval)
    except Undecidable as error:
        verdict, reason = "inconclusive", str(error)
    low, high = _clipped(claim.judge, found.interval) if found.interval else (NAN, NAN)
    return Verdict(
        claim=name,
        paper=claim.paper,
        chapter=claim.chapter,
        statement=claim.statement,
        quantity=describe(claim.quantity),
        judge=claim.judge,
        expected_low=claim.region[0],
        expected_high=claim.region[1],
        published=claim.published,
        published_source=claim.published_source,
        estimate=found.estimate,
        ci_low=low,
        ci_high=high,
        n=found.n,
        verdict=verdict,
        reason="; ".join(part for part in (reason, *_remarks(table, found.n)) if part),
        experiment=experiment,
        figure=claim.figure or "",
    )


def describe(node: Mapping[str, Any]) -> str:
    """Return a quantity's node as a short call, such as ``mean_value(measure=accuracy)``."""
    name = str(node["_target_"]).rpartition(".")[2]
    keys = (f"{k}={_text(v)}" for k, v in node.items() if k != "_target_" and v is not None)
    return f"{name}({', '.join(keys)})"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@dataclass(frozen=True)
class _Found:
    """What the records gave: how far the measuring came, and what stopped it, if anything."""

    n: int
    estimate: float = NAN
    interval: Interval | None = None
    trouble: str = ""


def _measure(table: Records, quantity: Callable[[Records], float]) -> _Found:
    def resampled(positions: npt.NDArray[Any]) -> float:
        try:
            return quantity(table.drawn(positions))
        except (Undecidable, EstimationError):
            return NAN

    n, estimate = len(table.seeds), NAN
    try:
        quantity(table)  # learns which cells are read, and so which seeds all of them have
        seeds = table.shared_seeds()
        n = len(seeds)
        if n == 0:
            raise Undecidable("no seed has a run in every setting")
        estimate = float(quantity(table.drawn(seeds)))
        interval = bootstrap_over_seeds(resampled, seeds)
    except (Undecidable, EstimationError) as error:
        return _Found(n, estimate, None, str(error))
    return _Found(n, estimate, interval)


def _refuse(claim: Claim, table: Records, found: _Found) -> None:
    """Raise ``Undecidable`` where the interval must not be compared with the region."""
    if found.n < claim.min_seeds:
        seeds = "1 seed" if found.n == 1 else f"{found.n} seeds"
        raise Undecidable(f"{seeds}; {claim.min_seeds} needed")
    diverged, runs = table.diverged()
    if diverged > MAX_DIVERGED * runs:
        raise Undecidable(f"more than {MAX_DIVERGED:.0%} of the runs diverged")
    if found.trouble:
        raise Undecidable(found.trouble)
    least, most = _natural(claim.judge)
    if not least - ROUNDING <= found.estimate <= most + ROUNDING:
        raise Undecidable(
            f"the quantity gave {found.estimate:g}, which no {claim.judge} can be; "
            "the claim names the wrong quantity or judge"
        )


def _remarks(table: Records, n: int) -> list[str]:
    """Say which runs the numbers leave out."""
    parts = []
    diverged, runs = table.diverged()
    if diverged:
        parts.append(f"{diverged} of {runs} runs diverged and are left out")
    absent = len(table.seeds) - n
    if absent:
        parts.append(f"{absent} of {len(table.seeds)} seeds lack some settings and are left out")
    return parts + table.notes


def _natural(kind: str) -> tuple[float, float]:
    least, most = NATURAL_RANGE.get(kind, (None, None))
    return (-math.inf if least is None else least), (math.inf if most is None else most)


def _clipped(kind: str, interval: Interval) -> tuple[float, float]:
    """Cut the interval at what the quantity can be: a correlation of 1.02 is none."""
    least, most = _natural(kind)
    low, high = (
        float(np.clip(interval.low, least, most)),
        float(np.clip(interval.high, least, most)),
    )
    return low, high


def _compare(claim: Claim, interval: Interval) -> tuple[str, str]:
    """Return the verdict and its reason for an interval that may be compared."""
    low, high = _clipped(claim.judge, interval)
    least = -math.inf if claim.region[0] is None else float(claim.region[0])
    most = math.inf if claim.region[1] is None else float(claim.region[1])
    found = f"the interval [{low:.4g}, {high:.4g}]"
    above, below = low > most, high < least
    if claim.judge == "sign":  # zero has no sign: touching it decides nothing
        inside = (least == 0 and low > 0) or (most == 0 and high < 0)
    else:
        inside = least <= low and high <= most
    if claim.judge == "two-sided":
        if above or below:
            return "reproduced", f"the effect is {'positive' if above else 'negative'}"
        if inside:
            return "refuted", f"{found} lies inside the null band: no effect worth having"
    elif inside:
        return "reproduced", ""
    elif above or below:
        return "refuted", f"{found} lies {'above' if above else 'below'} the region"
    region = "null band" if claim.judge == "two-sided" else "region"
    return (
        "inconclusive",
        f"{found} straddles an end of the {region}; {_seeds_needed(claim, interval)}",
    )


def _seeds_needed(claim: Claim, interval: Interval) -> str:
    """Say about how many seeds would pull the interval off the nearest end: width ~ 1/sqrt(n)."""
    ends = [end for end in claim.region if end is not None and end not in _natural(claim.judge)]
    distance = min(abs(interval.estimate - end) for end in ends)
    half = (interval.high - interval.low) / 2
    if distance == 0 or (needed := interval.n * (half / distance) ** 2) > MANY_SEEDS:
        return f"not even {MANY_SEEDS} seeds would decide it, if the estimate stays"
    return f"about {max(math.ceil(needed), interval.n + 1)} seeds would decide it"
