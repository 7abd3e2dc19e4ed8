"""What a configuration may set of Hydra itself: its sweep, and nothing that could run code.

Callbacks, launchers and logging name classes that Hydra calls, search paths packages that it
imports, and output folders can lie anywhere. A person may set them on the command line; a file,
which may come from a stranger, may not.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

FREE = ("job.config_name", "job.override_dirname", "mode", "overrides", "runtime", "sweeper.params")
"""Settings that a file may set as it likes, or that Hydra fills in."""

ALLOWED = {"sweep.dir": "results/multirun/${hydra.job.name}"}
"""The one value besides Hydra's own that a file may give to a setting."""

_UNKNOWN = object()


@cache
def restrict_hydra() -> None:
    """Let every composition of Hydra refuse whatever else a file sets of Hydra itself.

    The refusal is an error of Hydra's own, so that it is told like a misspelt key.
    """
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra.types import RunMode

    # Hydra obeys its settings before it calls the application, and has no hook in between; but
    # whatever it obeys was composed by this one method.
    compose = ConfigLoaderImpl.load_configuration
    without_files: dict[tuple[str, ...], dict[str, Any]] = {}

    def load_configuration(
        self: Any, config_name: str | None, overrides: list[str], *args: Any, **named: Any
    ) -> Any:
        _check_search_path(self, config_name)
        config = compose(self, config_name, overrides, *args, **named)
        asked = tuple(text for text in overrides if text.lstrip("+~").startswith("hydra"))
        if asked not in without_files:
            without_files[asked] = _settings(compose(self, None, list(asked), RunMode.MULTIRUN))
        _check(_settings(config), without_files[asked])
        return config

    ConfigLoaderImpl.load_configuration = load_configuration  # type: ignore[method-assign]


def _check_search_path(loader: Any, config_name: str | None) -> None:
    """Refuse a search path: its packages are imported before anything is composed."""
    from omegaconf import OmegaConf

    loaded = loader.repository.load_config(config_name) if config_name is not None else None
    if loaded is not None and OmegaConf.select(loaded.config, "hydra.searchpath") is not None:
        raise _refusal("searchpath")


def _check(settings: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Refuse settings that differ from Hydra's own."""
    for place, value in settings.items():
        if value != own.get(place, _UNKNOWN) and value != ALLOWED.get(place, _UNKNOWN):
            raise _refusal(place)


def _settings(config: Any) -> dict[str, Any]:
    """Return the settings of Hydra that are not free, by place."""
    from omegaconf import OmegaConf

    container = OmegaConf.to_container(config.hydra)
    assert isinstance(container, dict)
    return dict(_flat(container, ""))


def _flat(node: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        place = f"{prefix}{key}"
        if isinstance(value, Mapping) and place not in FREE:
            yield from _flat(value, f"{place}.")
        elif place not in FREE:
            yield place, value


def _refusal(place: str) -> Exception:
    from hydra.errors import ConfigCompositionException

    return ConfigCompositionException(
        f"hydra.{place}: a file may set only hydra.mode and hydra.sweeper.params of Hydra itself; "
        "give other settings on the command line of dimlaws.app"
    )
