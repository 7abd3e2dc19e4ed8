"""Fetching one configured data set."""

from pathlib import Path

import yaml

from dimlaws.data.fetch import fetch
from dimlaws.errors import ConfigError, nearest


def fetch_set(config: Path, name: str, output: Path) -> None:
    """Fetch the set of ``config/data/<name>.yaml``; raise ``ConfigError`` if it has no sources."""
    file = config / "data" / f"{name}.yaml"
    known = [path.stem for path in file.parent.glob("*.yaml")]
    if name not in known:
        raise ConfigError(f"no data set {name!r}; {nearest(name, known)}")
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    if "source" not in content:
        raise ConfigError(f"{file}: {name} is made, not fetched")
    fetch(content["source"], name, content["data"]["sha256"], output)
