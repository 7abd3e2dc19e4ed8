"""What this machine can run, and what keeps it from running the rest."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import yaml

from dimlaws.data.location import data_folder, data_path
from dimlaws.data.sources import Source, source_kind
from dimlaws.stages.cluster_checks import cluster
from dimlaws.stages.findings import Finding
from dimlaws.stages.folder_checks import folder, lock
from dimlaws.stages.machine_checks import machine
from dimlaws.stages.package_checks import packages

RESULTS_MB = 300
"""What the results of scale ``paper`` take; those of ``quick`` take 65."""

DATA_MB = 1500
"""What all data sets take, half of it only while they are fetched."""

CLIENTS = {"npm": "npm", "pip": "pip", "apt": "apt-get"}
"""Programs that kinds of sources need."""


def examine(config: Path, results: Path) -> int:
    """Print a line for each thing that the pipeline needs here; return 1 if there is a problem.

    Nothing is downloaded: a source counts as reachable if its client is installed. Files are
    written only to try the folders out, and taken away again.
    """
    problems = 0
    for finding in _findings(config, results):
        print(finding, flush=True)
        problems += finding.state == "problem"
    return 1 if problems else 0


def _findings(config: Path, results: Path) -> Iterator[Finding]:
    yield from packages(Path("constraints.txt"))
    yield from machine(results)
    yield from folder("results folder", results, RESULTS_MB)
    yield from folder("data folder", data_folder(), DATA_MB)
    yield lock(Path.cwd())
    yield from cluster()
    for file in sorted((config / "data").glob("*.yaml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        if "source" in content:
            yield _data_set(file.stem, content["source"]["sources"])


def _data_set(name: str, sources: list[Source]) -> Finding:
    subject = f"data set {name}"
    if data_path(name).is_file():
        return Finding("ok", subject, f"fetched, {data_path(name)}")
    kinds = [source_kind(source) for source in sources]
    usable = [kind for kind in kinds if kind not in CLIENTS or shutil.which(CLIENTS[kind])]
    if usable:
        return Finding("ok", subject, f"not fetched; can try {', '.join(usable)}")
    needed = " or ".join(sorted({CLIENTS[kind] for kind in kinds}))
    return Finding("problem", subject, "out of reach: no client", f"install {needed}")
