"""How much the interpolations of a configuration stand for, before any is resolved.

As with the aliases of YAML, ten short lines that name one another stand for a thousand million
characters, and OmegaConf builds them all.
"""

import re
from typing import Any

from dimlaws.errors import ConfigError

MOST_CHARACTERS = 1_000_000
"""Of a value, its interpolations resolved; those in ``config/`` have some thousands at most."""

MOST_LINKS = 30
"""Interpolations that lead to one another in a chain; OmegaConf follows them recursively."""

_INNERMOST = re.compile(r"\$\{([^${}]*)\}")
_NAME = re.compile(r"\.*[\w-]+(?:\.[\w*-]+)*")

Path = tuple[str, ...]


def check_extent(config: dict[str, Any], where: str) -> None:
    """Raise ``ConfigError``, with ``where`` and the key, if interpolations stand for too much.

    What a name depends on only when resolved (``${sizes.${scale.name}}``) counts as all that it may
    be, and names that lead in a circle count once: OmegaConf refuses them.
    """
    known: dict[Path, tuple[int, int]] = {}
    try:
        for key in config:
            _extent(config, (str(key),), known)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _extent(
    config: dict[str, Any], path: Path, known: dict[Path, tuple[int, int]]
) -> tuple[int, int]:
    """Return the characters that the value at ``path`` stands for, and its links in a chain."""
    if path in known:
        return known[path]
    known[path] = (0, 0)
    value = _find(config, path)
    parts = [(1, 0)]
    parts += [_extent(config, (*path, key), known) for key in _keys(value)]
    if isinstance(value, str):
        parts.append((len(value), 0))
        for name in _names(config, value, path):
            characters, links = _extent(config, name, known)
            parts.append((characters, links + 1))
    total, chain = sum(part[0] for part in parts), max(part[1] for part in parts)
    if total > MOST_CHARACTERS or chain > MOST_LINKS:
        raise ConfigError(
            f"{'.'.join(path)}: its interpolations stand for {total} characters in a chain of "
            f"{chain}; at most {MOST_CHARACTERS} and {MOST_LINKS} are allowed"
        )
    known[path] = total, chain
    return total, chain


def _names(config: dict[str, Any], text: str, path: Path) -> list[Path]:
    """Return the paths that the interpolations in a value at ``path`` may lead to."""
    found: list[Path] = []
    while match := _INNERMOST.search(text):
        for name in _NAME.findall(match[1]):
            relative = len(name) - len(name.lstrip("."))
            start = path[: len(path) - relative] if relative else ()
            parts = name.lstrip(".").split(".")
            if "*" in parts:
                start = (*start, *parts[: parts.index("*")])
                found += [(*start, key) for key in _keys(_find(config, start))]
            else:
                found.append((*start, *parts))
        text = f"{text[: match.start()]}*{text[match.end() :]}"
    return found


def _keys(value: Any) -> list[str]:
    """Return the keys of a mapping or the places in a list; nothing else has any."""
    if isinstance(value, list):
        return [str(place) for place in range(len(value))]
    return [str(key) for key in value] if isinstance(value, dict) else []


def _find(config: Any, path: Path) -> Any:
    for part in path:
        if isinstance(config, list) and part.isdecimal() and int(part) < len(config):
            config = config[int(part)]
        elif isinstance(config, dict):
            config = config.get(part)
        else:
            return None
    return config
