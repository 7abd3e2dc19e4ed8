"""Composing an experiment with Hydra, and naming the file that a faulty key stands in."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dimlaws.errors import ConfigError, nearest
from dimlaws.plan.hydra_settings import restrict_hydra
from dimlaws.plan.interpolation import check_extent
from dimlaws.plan.reading import yaml_fault

GROUPS = ("data", "model", "training")
"""Config groups that a run is made of; a sweep may range over the choices of each."""

PARTS = (*GROUPS, "study")
"""All that a run can be made of; a study stands in the experiment's own file."""


@dataclass(frozen=True)
class Composed:
    """One composed experiment.

    ``config`` is the unresolved container without Hydra's own node, ``sweep`` the values of
    ``hydra.sweeper.params`` in Hydra's grammar, and ``choices`` the chosen option of each group.
    """

    config: dict[str, Any]
    sweep: dict[str, Any]
    choices: dict[str, str]


def experiment_names(folder: Path) -> list[str]:
    """Return the names of the experiments in a configuration folder, sorted."""
    return sorted(file.stem for file in (folder / "experiment").glob("*.yaml"))


@contextmanager
def hydra_folder(folder: Path) -> Iterator[None]:
    """Let Hydra read its configuration from ``folder``, which is all that a plan depends on."""
    # Hydra takes half a second of CPU to import; a plan that is already written needs none of it.
    from hydra import initialize_config_dir
    from omegaconf import OmegaConf
    from omegaconf.resolvers import oc

    restrict_hydra()
    with initialize_config_dir(str(folder.resolve()), version_base="1.3"):
        for resolver in ("oc.env", "now"):
            OmegaConf.register_new_resolver(resolver, _refused, replace=True)
        try:
            yield
        finally:
            # Hydra sets its own, ``now``, whenever it starts.
            OmegaConf.register_new_resolver("oc.env", oc.env, replace=True)


def _refused(*arguments: str) -> None:
    raise ValueError(
        "a plan depends on its configuration alone, so oc.env and now are not allowed; "
        "write the value out"
    )


def compose(experiment: str, scale: str, overrides: Sequence[str] = ()) -> Composed:
    """Compose an experiment at a scale, inside ``hydra_folder``.

    Raises
    ------
    ConfigError
        if a file is not valid YAML, or names a group option or variable that does not exist.
    """
    from hydra import compose as hydra_compose
    from omegaconf import OmegaConf

    where = f"config/experiment/{experiment}.yaml"
    with _told(where):
        config = hydra_compose(
            "config",
            [f"experiment={experiment}", f"scale={scale}", *overrides],
            return_hydra_config=True,
        )
        choices = {
            group: str(choice)
            for group, choice in config.hydra.runtime.choices.items()
            if not group.startswith("hydra")
        }
        keys: list[Any] = [key for key in config if key != "hydra"]
        container = OmegaConf.to_container(OmegaConf.masked_copy(config, keys), resolve=False)
        params = config.hydra.sweeper.params
        sweep = {} if params is None else OmegaConf.to_container(params, resolve=False)
    assert isinstance(container, dict)
    by_key: dict[Any, Any] = dict(container)
    check_extent({**by_key, "hydra": {"sweeper": {"params": sweep}}}, where)
    if params is not None:
        with _told(where):
            # Only Hydra's sweeper node is resolved: runs resolve after a sweep has set its keys.
            sweep = OmegaConf.to_container(params, resolve=True)
    if not isinstance(sweep, dict):
        raise ConfigError(f"{where}: hydra.sweeper.params: expected a mapping of keys to values")
    return Composed(
        by_key,
        {str(key): value for key, value in sweep.items()},
        choices,
    )


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Turn whatever Hydra raises into a ``ConfigError`` that begins with ``where``."""
    try:
        yield
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{where}, or a file that it names, is not valid YAML: {yaml_fault(error)}"
        ) from None
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    except RecursionError:
        raise ConfigError(f"{where}: defaults: they lead to one another in a circle") from None
    except Exception as error:
        # Hydra has errors of its own, and lets any others out: AttributeError for `hydra: null`,
        # OSError for the name of an option that is too long.
        raise ConfigError(f"{where}: {_sentence(error)}") from None


def _sentence(error: Exception) -> str:
    from hydra.errors import HydraException, MissingConfigException
    from omegaconf.errors import OmegaConfBaseException

    if not isinstance(error, HydraException | OmegaConfBaseException | ValueError):
        return f"Hydra cannot compose it ({type(error).__name__}: {error}); see its defaults, hydra"
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, option = str(error.missing_cfg_file).partition("/")
        return f"{group}: no option {option!r}; {nearest(option, error.options or ())}"
    text = str(error) or str(error.__cause__)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    keys = [
        line.removeprefix("full_key:").strip() for line in lines if line.startswith("full_key:")
    ]
    left_out = ("object_type", "reference_type", "full_key")
    said = "; ".join(line for line in lines if not line.startswith(left_out)).replace(":;", ":")
    return ": ".join([*(key for key in keys if key), said])


def file_of_key(folder: Path, experiment: str, choices: dict[str, str], key: str) -> str:
    """Return the path of the configuration file that sets the dotted ``key``, for an error message.

    The experiment file wins over the group files, as it does when Hydra composes.
    """
    parts = key.replace("[", ".").split(".")
    candidates = [(folder / "experiment" / f"{experiment}.yaml", parts)]
    for group, option in choices.items():
        name, _, package = group.partition("@")
        file, place = folder / name / f"{option}.yaml", (package or name).split(".")
        if parts[: len(place)] == place:
            candidates.append((file, parts[len(place) :]))
        candidates.append((file, parts))
    candidates.append((folder / "config.yaml", parts))
    swept = ["hydra", "sweeper", "params", key]
    for file, path in candidates:
        if file.is_file():
            # All values as text, which none fails to be: a date that does not exist is no matter.
            content = yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506
            if _holds(content, swept) or _holds(content, path):
                return f"config/{file.relative_to(folder)}"
    return f"config/experiment/{experiment}.yaml"


def _holds(content: Any, path: list[str]) -> bool:
    for part in path:
        if not isinstance(content, dict) or part not in content:
            return False
        content = content[part]
    return bool(path)
