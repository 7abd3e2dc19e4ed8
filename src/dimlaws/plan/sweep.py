"""Expanding ``hydra.sweeper.params`` into the values of every run, in Hydra's own grammar."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

from dimlaws.errors import ConfigError
from dimlaws.plan.composition import GROUPS

MOST_RUNS = 100_000
"""A sweep beyond this is taken for a slip of the keyboard and refused."""


def axes(sweep: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the values of each swept key.

    Raises
    ------
    ConfigError
        if a value is not in Hydra's grammar, is given twice, or if there are too many runs.
    """
    found = {key: _values(key, text) for key, text in sweep.items()}
    runs = math.prod(len(values) for values in found.values())
    if runs > MOST_RUNS:
        raise ConfigError(f"hydra.sweeper.params: {runs} runs; at most {MOST_RUNS} are allowed")
    return found


def _values(key: str, text: Any) -> list[Any]:
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import QuotedString, RangeSweep
    from hydra.errors import HydraException

    where = f"hydra.sweeper.params.{key}"
    values: list[Any]
    try:
        override = OverridesParser.create().parse_override(f"{key}={'' if text is None else text}")
        if GlobalHydra.instance().is_initialized():
            # It knows the options of a group, for glob(*).
            override.config_loader = GlobalHydra.instance().config_loader()
        if isinstance(override.value(), RangeSweep):
            # Hydra makes a list of one that is to be shuffled, however long it is.
            _check_length(where, text, _range_length(override.value()))
        if override.is_sweep_override():
            values = list(itertools.islice(override.sweep_iterator(), MOST_RUNS + 1))
        else:
            values = [] if override.value() == "" else [override.value()]
    except (HydraException, ValueError, ArithmeticError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise ConfigError(f"{where}: {text!r} is not a sweep: {reason}") from None
    if not values:
        raise ConfigError(f"{where}: {text!r} is an empty sweep; give at least one value")
    _check_length(where, text, len(values))
    values = [value.text if isinstance(value, QuotedString) else value for value in values]
    seen = set()
    for value in values:
        mark = str(value) if isinstance(value, bool | list | dict) else value
        if mark in seen:
            raise ConfigError(f"{where}: {value!r} is given twice; every value counts once")
        seen.add(mark)
    return values


def _range_length(sweep: Any) -> float:
    start, stop, step = (float(end) for end in (sweep.start, sweep.stop, sweep.step))
    return (stop - start) / step if step else 0.0  # a step of 0 is refused by Hydra


def _check_length(where: str, text: Any, length: float) -> None:
    if not length <= MOST_RUNS:
        raise ConfigError(
            f"{where}: {text!r} has too many values, {length:.0f}; at most {MOST_RUNS} are allowed"
        )


def split_axes(
    found: dict[str, list[Any]],
) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Split the axes into those over group options (``data: mnist,usps``) and over single keys."""
    groups = {key: values for key, values in found.items() if key in GROUPS}
    keys = {key: values for key, values in found.items() if key not in GROUPS}
    return groups, keys


def points(found: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Yield every combination of the axes' values, the last axis fastest."""
    for combination in itertools.product(*found.values()):
        yield dict(zip(found, combination, strict=True))
