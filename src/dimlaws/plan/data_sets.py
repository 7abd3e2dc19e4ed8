"""The data sets of a configuration, by the names of their files."""

from pathlib import Path
from typing import Any

import yaml

from dimlaws.errors import ConfigError, nearest
from dimlaws.validation import Node


def read_data_set(config: Path, name: str) -> dict[str, Any]:
    """Return the content of ``data/<name>.yaml``; raise ``ConfigError`` if there is no such set."""
    files = {file.stem: file for file in (config / "data").glob("*.yaml")}
    if name not in files:
        raise ConfigError(f"no data set {name!r}; {nearest(name, files)}")
    content: dict[str, Any] = yaml.safe_load(files[name].read_text(encoding="utf-8"))
    return content


def pinned_checksum(config: Path, name: str) -> str:
    """Return the checksum that a data set must have; ``ConfigError`` if there is no such set."""
    data = read_data_set(config, name).get("data")
    if not isinstance(data, dict) or "sha256" not in data:
        raise ConfigError(f"config/data/{name}.yaml pins no data.sha256, so it is not fetched")
    return str(data["sha256"])


def fetched_set(node: Node | None) -> str | None:
    """Return the name of the data set that a ``data`` node must have fetched, if any."""
    return str(node["name"]) if node is not None and "sha256" in node else None
