"""What ``dimlaws doctor`` finds: a state, what was looked at, and what to do."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of the examination.

    A ``problem`` keeps something of the pipeline from working here, a ``warning`` makes it
    slower, larger or less exact. ``advice`` says what to do, and is empty where all is well.
    """

    state: Literal["ok", "warning", "problem"]
    subject: str
    words: str
    advice: str = ""

    def __str__(self) -> str:
        advice = f"; {self.advice}" if self.advice else ""
        return f"{self.state:<8} {self.subject}: {self.words}{advice}"
