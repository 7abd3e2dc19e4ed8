"""Expanding ``hydra.sweeper.params`` into the values of every run, in Hydra's own grammar."""

import copy
import itertools
import math
import re
from collections.abc import Iterator
from typing import Any

from dimlaws.errors import ConfigError, nearest
from dimlaws.plan.composition import GROUPS

MOST_RUNS = 100_000
"""A sweep beyond this is taken for a slip of the keyboard and refused."""

_READS_RUN = re.compile(r"\$\{[^}]*\b(data|model|training|seed)\b")


def axes(sweep: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the values of each swept key.

    Raises
    ------
    ConfigError
        if a value is not in Hydra's override grammar, is given twice, or if there are too many runs.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import QuotedString
    from hydra.errors import HydraException

    parser = OverridesParser.create()
    found: dict[str, list[Any]] = {}
    for key, text in sweep.items():
        where = f"hydra.sweeper.params.{key}"
        try:
            override = parser.parse_override(f"{key}={text}")
            values = (
                list(override.sweep_iterator())
                if override.is_sweep_override()
                else [override.value()]
            )
        except (HydraException, ValueError) as error:
            raise ConfigError(f"{where}: {text!r} is not a sweep: {error}") from None
        values = [value.text if isinstance(value, QuotedString) else value for value in values]
        repeated = [value for position, value in enumerate(values) if value in values[:position]]
        if repeated:
            raise ConfigError(f"{where}: {repeated[0]!r} is given twice; every value counts once")
        if not values:
            raise ConfigError(f"{where}: {text!r} is an empty sweep; give at least one value")
        found[key] = values
    runs = math.prod(len(values) for values in found.values())
    if runs > MOST_RUNS:
        raise ConfigError(f"hydra.sweeper.params: {runs} runs; at most {MOST_RUNS} are allowed")
    return found


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


class Resolver:
    """Sets swept keys in a composed configuration and resolves what interpolates from them.

    ``whole`` is the configuration resolved with no key swept.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException

        self._raw = config
        try:
            resolved = OmegaConf.to_container(OmegaConf.create(config), resolve=True)
        except OmegaConfBaseException as error:
            raise ConfigError(str(error).splitlines()[0]) from None
        assert isinstance(resolved, dict)
        self.whole = {str(key): value for key, value in resolved.items()}
        # Resolving costs a millisecond; most sweeps have no value that depends on a swept one.
        self._interpolates = _READS_RUN.search(str({key: config.get(key) for key in GROUPS}))

    def resolve(self, point: dict[str, Any]) -> dict[str, Any]:
        """Return the run's ``data``, ``model``, ``training`` and ``seed`` at a point of the sweep."""
        source = self._raw if self._interpolates else self.whole
        run = {key: copy.deepcopy(source.get(key)) for key in (*GROUPS, "seed")}
        for key, value in point.items():
            _set(run, key, value)
        if self._interpolates:
            from omegaconf import OmegaConf
            from omegaconf.errors import OmegaConfBaseException

            try:
                whole = OmegaConf.create({**self._raw, **run})
                run = {key: _plain(whole[key]) for key in run}
            except OmegaConfBaseException as error:
                first = str(error).splitlines()[0]
                raise ConfigError(f"at {point}: {first}") from None
        return run


def _plain(value: Any) -> Any:
    from omegaconf import OmegaConf

    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _set(run: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    node: Any = run
    for part in path:
        if not isinstance(node, dict) or part not in node:
            valid = node if isinstance(node, dict) else ()
            raise ConfigError(f"hydra.sweeper.params.{key}: no {part!r}; {nearest(part, valid)}")
        node = node[part]
    if not isinstance(node, dict) or (not path and last not in run):
        raise ConfigError(f"hydra.sweeper.params.{key}: cannot be swept; {nearest(key, run)}")
    node[last] = value
