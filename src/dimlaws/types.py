"""Annotations that configurable functions and dataclasses use to state what a value may be.

The plan stage reads them from the source text (see ``signature``), so a bad value is refused
before anything is imported or computed; type checkers see the plain underlying types.
"""

from dataclasses import dataclass
from typing import Annotated, TypeVar


@dataclass(frozen=True)
class Bounds:
    """Closed interval of allowed numbers; ``open_low`` leaves out the lower end."""

    low: float | None = None
    high: float | None = None
    open_low: bool = False

    def admits(self, value: float) -> bool:
        """Whether ``value`` lies inside; NaN never does."""
        above = self.low is None or (value > self.low if self.open_low else value >= self.low)
        below = self.high is None or value <= self.high
        return above and below

    def __str__(self) -> str:
        parts = []
        if self.low is not None:
            parts.append(f"{'>' if self.open_low else '>='} {self.low:g}")
        if self.high is not None:
            parts.append(f"<= {self.high:g}")
        return " and ".join(parts)


class _PerRun:
    """Mark of a value that may differ between the runs of one batch."""


T = TypeVar("T")

PositiveInt = Annotated[int, Bounds(low=1)]
NonNegativeInt = Annotated[int, Bounds(low=0)]
PositiveFloat = Annotated[float, Bounds(low=0, open_low=True)]
NonNegativeFloat = Annotated[float, Bounds(low=0)]
Fraction = Annotated[float, Bounds(low=0, high=1)]

PerRun = Annotated[T, _PerRun()]
"""``PerRun[PositiveInt]``: runs that differ in such values only share a batch, train together."""
