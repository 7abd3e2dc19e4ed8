"""A claim: one sentence of a paper, turned into a quantity and the region where it should lie."""

from dataclasses import dataclass
from typing import Any, Literal

from dimlaws.errors import ConfigError
from dimlaws.types import PositiveInt

NATURAL_RANGE: dict[str, tuple[float | None, float | None]] = {
    "ordering": (0.0, 1.0),
    "correlation": (-1.0, 1.0),
    "collapse": (None, 1.0),
    "theory-curve": (0.0, None),
}
"""Values that the quantity of such a judge can take: a fraction, a correlation, R2, an error."""

FEWEST_SEEDS = 3
"""Fewer seeds give an interval that nothing can be learnt from (t of one degree: 12.7)."""


@dataclass(frozen=True)
class Claim:
    """A pre-registered claim.

    Attributes
    ----------
    paper : key of the paper in ``config/papers.yaml``
    chapter : chapter of the report that shows the claim
    statement : what is claimed, in one sentence
    quantity : what is computed from the runs; ``_target_`` names a function of
        ``dimlaws.claims.quantities``, the other keys are its arguments
    judge : kind of comparison: ``threshold`` (one open end), ``interval`` and ``exponent`` (two
        closed ends), ``sign`` (``[0, null]`` or ``[null, 0]``), ``ordering`` (a fraction of
        cells), ``correlation``, ``collapse`` (R2), ``theory-curve`` (a relative error, so the
        low end is 0), ``two-sided`` (the region is the band of effects not worth having)
    expected : low and high end of the region where the quantity should lie; null leaves one open
    region_source : where the region comes from
    published : the number that the paper gives, if any
    published_source : where that number stands (table, figure, text), or ``none``
    figure : name of the figure that shows the quantity
    min_seeds : with fewer seeds the verdict is ``inconclusive``; at least 3

    """

    paper: str
    chapter: PositiveInt
    statement: str
    quantity: dict[str, Any]
    judge: Literal[
        "threshold",
        "interval",
        "sign",
        "ordering",
        "correlation",
        "collapse",
        "exponent",
        "theory-curve",
        "two-sided",
    ]
    expected: list[float | None]
    region_source: Literal["published", "theory", "derived", "ours"]
    published: float | None = None
    published_source: str = "none"
    figure: str | None = None
    min_seeds: PositiveInt = 5

    def __post_init__(self) -> None:
        if len(self.expected) != 2:
            raise ConfigError(f"expected: two ends [low, high] are needed, not {self.expected}")
        low, high = self.expected
        if low is not None and high is not None and low >= high:
            raise ConfigError(f"expected: low must be less than high, not {self.expected}")
        shape = _fault(self.judge, low, high)
        if shape:
            raise ConfigError(f"expected: {self.expected} does not suit {self.judge!r}: {shape}")
        if self.min_seeds < FEWEST_SEEDS:
            raise ConfigError(f"min_seeds: {self.min_seeds} is too few; at least {FEWEST_SEEDS}")
        stated = self.published is not None or self.region_source == "published"
        if stated and self.published_source == "none":
            raise ConfigError(
                "published_source: say where the published number or region stands "
                "(table, figure, text), not 'none'"
            )

    @property
    def region(self) -> tuple[float | None, float | None]:
        """Low and high end of the expected region; None leaves one open."""
        low, high = self.expected
        return low, high


def _fault(judge: str, low: float | None, high: float | None) -> str:
    """Return what is wrong with the shape of a region, or an empty text."""
    closed = low is not None and high is not None
    match judge:
        case "threshold":
            return "" if (low is None) != (high is None) else "exactly one end must be null"
        case "sign":
            allowed = (low, high) in ((0, None), (None, 0))
            return "" if allowed else "the region must be [0, null] or [null, 0]"
        case "theory-curve":
            return "" if closed and low == 0 else "the region must be [0, largest relative error]"
        case "two-sided":
            banded = low is not None and high is not None and low < 0 < high
            return "" if banded else "the null band must be [low, high] with low < 0 < high"
        case "ordering" | "correlation" | "collapse":
            least = -1 if judge == "correlation" else 0
            ends = [end for end in (low, high) if end is not None]
            inside = ends and all(least <= end <= 1 for end in ends)
            if not inside:
                return f"the ends must lie within {least} to 1"
            all_of_it = low in (None, least) and high in (None, 1)
            return "the region leaves nothing out" if all_of_it else ""
    return "" if closed else "both ends must be numbers"
