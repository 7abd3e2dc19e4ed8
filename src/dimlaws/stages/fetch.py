"""Fetching one configured data set."""

from pathlib import Path

from dimlaws.data.fetch import fetch
from dimlaws.errors import ConfigError
from dimlaws.plan.data_sets import read_data_set
from dimlaws.validation import check_node


def fetch_set(config: Path, name: str, output: Path) -> None:
    """Fetch the set of ``config/data/<name>.yaml``.

    Raises
    ------
    ConfigError
        if there is no such set, or no sources for it, or if its decoder is none.
    """
    content = read_data_set(config, name)
    if "source" not in content:
        raise ConfigError(f"{config}/data/{name}.yaml: {name} is made, not fetched")
    # Its keys are bound to a function that is called here: a decoder, and no other.
    check_node(content["source"]["decoder"], "source.decoder", "dimlaws.data.decoders")
    fetch(content["source"], name, content["data"]["sha256"], output)
