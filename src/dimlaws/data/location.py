"""Where fetched data sets stand on this machine."""

import os
from pathlib import Path


def data_folder() -> Path:
    """Return ``$DIMLAWS_DATA``, or ``results/data`` below the working directory."""
    return Path(os.environ.get("DIMLAWS_DATA") or Path("results", "data"))


def data_path(name: str) -> Path:
    """Return the file that holds the fetched data set ``name``."""
    return data_folder() / f"{name}.safetensors"
