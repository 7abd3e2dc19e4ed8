"""What this machine can run."""

import importlib.metadata
import os
import shutil
from pathlib import Path

import torch
import yaml

from dimlaws.data.location import data_path
from dimlaws.data.sources import source_kind


def examine(config: Path) -> int:
    """Print cores, memory, disk, GPU, cluster and data sources; return 1 if a set is out of reach.

    Nothing is downloaded: a source counts as reachable if its client is installed.
    """
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    free = shutil.disk_usage(".").free / 2**30
    print(f"cores     {os.cpu_count()}")
    print(f"memory    {pages:.1f} GiB")
    print(f"disk      {free:.1f} GiB free here")
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"
    print(f"gpu       {gpu}")
    print(f"cluster   {'Slurm' if shutil.which('sbatch') else 'none found'}")
    for package in ("snakemake", "hydra-core", "torch", "scikit-learn", "pandas", "matplotlib"):
        print(f"{package:<12} {importlib.metadata.version(package)}")
    lost = 0
    for file in sorted((config / "data").glob("*.yaml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        if "source" not in content:
            continue
        state = _state(file.stem, content["source"]["sources"])
        lost += state.startswith("out of reach")
        print(f"data set  {file.stem}: {state}")
    return 1 if lost else 0


def _state(name: str, sources: list[dict[str, object]]) -> str:
    if data_path(name).is_file():
        return f"fetched, {data_path(name)}"
    clients = {"npm": "npm", "pip": "pip", "apt": "apt-get"}
    kinds = [source_kind(source) for source in sources]
    usable = [kind for kind in kinds if kind not in clients or shutil.which(clients[kind])]
    return f"not fetched; can try {', '.join(usable)}" if usable else "out of reach: no client"
