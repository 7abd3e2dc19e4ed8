"""What a configuration file may hold, checked before Hydra reads it and after it has resolved it.

Hydra expands the aliases of YAML, and ten short lines of them stand for a thousand million values.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dimlaws.errors import ConfigError

MOST_VALUES = 20_000
"""Values in one file, aliases expanded; the largest file in ``config/`` has 700."""

MOST_LEVELS = 50
"""Lists and mappings inside one another; those in ``config/`` have 6. Hydra reads recursively."""

# That of libyaml, where PyYAML has it, is ten times as fast.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

LONGEST_TARGET = 200
"""Characters of a ``_target_``: it becomes the path of a module."""

_INT64 = 2**63
# A table of verdicts, a page or a file name cannot hold these; surrogates have no UTF-8 either.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass
class _Extent:
    """How many values a node stands for, and how many levels it has."""

    anchor: str | None
    values: int = 1
    levels: int = 0


def check_file(file: Path, name: str) -> None:
    """Raise ``ConfigError``, with ``name`` for the file, unless it is YAML of bounded extent."""
    try:
        _check_extent(yaml.parse(file.read_text(encoding="utf-8"), Loader=_LOADER))
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{name}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8"
        ) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: not valid YAML: {yaml_fault(error)}") from None
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None


def yaml_fault(error: yaml.YAMLError) -> str:
    """Return where a YAML file is at fault, and why, in one line."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return str(error).splitlines()[0]


def _check_extent(events: Iterator[yaml.Event]) -> None:
    anchored: dict[str, _Extent] = {}
    open_: list[_Extent] = [_Extent(None)]
    for event in events:
        assert event.start_mark is not None
        line = f"line {event.start_mark.line + 1}"
        ended = None
        if isinstance(event, yaml.CollectionStartEvent):
            open_.append(_Extent(event.anchor))
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = open_.pop()
        elif isinstance(event, yaml.ScalarEvent):
            ended = _Extent(event.anchor)
        elif isinstance(event, yaml.AliasEvent):
            if any(one.anchor == event.anchor for one in open_):
                raise ConfigError(f"{line}: {event.anchor!r} contains itself; write its values out")
            # One without its anchor is left to Hydra's reader, which names it.
            ended = anchored.get(str(event.anchor), _Extent(None))
        if ended is not None:
            if ended.anchor is not None:
                anchored[ended.anchor] = ended
            open_[-1].values += ended.values
            open_[-1].levels = max(open_[-1].levels, ended.levels + 1)
        if open_[-1].values > MOST_VALUES:
            raise ConfigError(
                f"{line}: {open_[-1].values} values, aliases expanded; "
                f"at most {MOST_VALUES} are allowed"
            )
        if len(open_) + open_[-1].levels > MOST_LEVELS:
            raise ConfigError(
                f"{line}: lists and mappings more than {MOST_LEVELS} levels deep; write them flat"
            )


def check_plain(value: Any, where: str) -> None:
    """Raise ``ConfigError`` unless a resolved value is one that a plan file can hold.

    Those are mappings with keys of text, lists, text without control characters, numbers of 64
    bits, true, false and null. ``where`` is the dotted place of the value.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ConfigError(f"{where}.{key}: the key {key!r} is not text; put it in quotes")
            if key == "_target_" and len(str(item)) > LONGEST_TARGET:
                raise ConfigError(f"{where}.{key}: more than {LONGEST_TARGET} characters")
            check_plain(item, f"{where}.{key}")
    elif isinstance(value, list):
        for position, item in enumerate(value):
            check_plain(item, f"{where}[{position}]")
    elif isinstance(value, str):
        if value == "???":
            raise ConfigError(f"{where}: missing; ??? stands for a value that has to be given")
        if _UNPRINTABLE.search(value):
            raise ConfigError(f"{where}: {value!r} has control characters; leave them out")
    elif isinstance(value, int):
        if not -_INT64 <= value < _INT64:
            raise ConfigError(f"{where}: an integer of {value.bit_length()} bits; at most 63 fit")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ConfigError(f"{where}: {value!r} is not finite; give a number")
    elif value is not None:
        raise ConfigError(f"{where}: {value!r} is no number, text, list or mapping")
