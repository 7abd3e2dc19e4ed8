"""Whether Python and the packages are those that the committed results were made with."""

import importlib.metadata
import platform
import re
from collections.abc import Iterator
from pathlib import Path

from dimlaws.stages.findings import Finding

OLDEST_PYTHON = (3, 11)
OLDEST_SNAKEMAKE = 9

_INSTALL = "run `pip install --constraint constraints.txt --editable .`"


def packages(constraints: Path) -> Iterator[Finding]:
    """Yield what there is to say of Python and of each package that dimlaws requires."""
    version = platform.python_version()
    old = tuple(map(int, platform.python_version_tuple()[:2])) < OLDEST_PYTHON
    advice = f"install {'.'.join(map(str, OLDEST_PYTHON))} or newer" if old else ""
    yield Finding("problem" if old else "ok", "python", version, advice)
    pins = _pins(constraints)
    for requirement in importlib.metadata.requires("dimlaws") or ():
        if "extra ==" not in requirement:
            name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
            yield package(name, pins.get(_normal(name)))


def package(name: str, pin: str | None) -> Finding:
    """Compare an installed package with the version that is pinned, if one is."""
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding("problem", name, "not installed", _INSTALL)
    if name == "snakemake" and int(version.partition(".")[0]) < OLDEST_SNAKEMAKE:
        return Finding("problem", name, f"{version}, older than {OLDEST_SNAKEMAKE}", _INSTALL)
    # A local version, such as 2.9.0+cpu, is another build of the same.
    if pin is not None and version.partition("+")[0] != pin:
        advice = f"numbers may differ in their last digits; {_INSTALL}"
        return Finding("warning", name, f"{version}, not the pinned {pin}", advice)
    return Finding("ok", name, version)


def _pins(constraints: Path) -> dict[str, str]:
    if not constraints.is_file():
        return {}
    lines = constraints.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("==") for line in lines if "==" in line)
    return {_normal(name): pin.strip() for name, _, pin in pairs}


def _normal(name: str) -> str:
    """Return the one spelling of a package's name that stands for all."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
