"""Errors that a user can act on: one sentence that says what, where, and what would be valid."""

import difflib
from collections.abc import Iterable


class DimlawsError(Exception):
    """Base of every error that the command line prints as one line, without a traceback."""


class ConfigError(DimlawsError):
    """A configuration that cannot be run: a misspelt key, a wrong type, a value out of range."""


class FetchError(DimlawsError):
    """No source of a data set could deliver it; names every source tried and why it failed."""


class CorruptFileError(DimlawsError):
    """A file that the pipeline reads back is not what was written."""


class EstimationError(DimlawsError, ValueError):
    """Data on which an estimator has no answer: too few rows, wrong rank, not finite."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return a phrase that points to the closest valid name, or lists the valid ones."""
    options = sorted(valid)
    close = difflib.get_close_matches(name, options, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return "valid: " + ", ".join(options) if options else "nothing is valid here"
