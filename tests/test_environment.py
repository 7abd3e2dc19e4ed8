import importlib.metadata
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
BUILD = {"setuptools"}
"""Comes from conda: needed to install this package, which is built by it."""

ACCELERATOR = ("nvidia-", "cuda-", "triton")
"""Packages that only some builds of torch bring, each build its own; not ours to pin."""


def pins(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        name, operator, version = line.partition("==")
        assert operator, f"{line!r} is not an exact pin"
        assert canonicalize_name(name) not in found, f"{name} is pinned twice"
        found[canonicalize_name(name)] = version
    return found


@pytest.fixture(scope="module")
def constraints() -> dict[str, str]:
    return pins((ROOT / "constraints.txt").read_text().split())


@pytest.fixture(scope="module")
def environment() -> dict[str, object]:
    content = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert isinstance(content, dict)
    return content


@pytest.fixture(scope="module")
def project() -> dict[str, object]:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert isinstance(content, dict)
    return content


@pytest.fixture(scope="module")
def pip_pins(environment) -> dict[str, str]:
    (entry,) = [item for item in environment["dependencies"] if isinstance(item, dict)]
    return pins(entry["pip"])


def runtime(requirements: list[str]) -> set[str]:
    """All packages that the requirements bring, read from the installed metadata."""
    waiting, found = [Requirement(text) for text in requirements], set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        if name in found or name.startswith(ACCELERATOR):
            continue
        found.add(name)
        waiting += [Requirement(text) for text in importlib.metadata.requires(name) or []]
    return found


def test_pins_equal_the_constraints(pip_pins, constraints):
    assert pip_pins == {name: constraints.get(name) for name in pip_pins}


def test_every_dependency_is_pinned(pip_pins, project):
    needed = runtime(project["dependencies"])
    assert needed - set(pip_pins) <= BUILD
    # Nothing that the package does not need at run time.
    assert set(pip_pins) <= needed


@pytest.mark.parametrize(
    "extra",
    [
        "dev",
        pytest.param("slurm", marks=pytest.mark.slurm),
        pytest.param("kubernetes", marks=pytest.mark.kubernetes),
    ],
)
def test_everything_optional_is_constrained(constraints, project, extra):
    wanted = project["optional-dependencies"][extra]
    try:
        found = runtime([*project["dependencies"], *wanted])
    except importlib.metadata.PackageNotFoundError as error:
        pytest.skip(f"{error.name} is not installed")
    assert found - set(constraints) <= BUILD


def test_python_is_one_that_the_package_supports(environment, project):
    conda = {item.partition("=")[0]: item for item in environment["dependencies"] if "=" in item}
    version = conda["python"].partition("=")[2]
    assert version in SpecifierSet(project["requires-python"])


def test_the_build_tool_suffices(environment):
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert set(build) <= {item for item in environment["dependencies"] if isinstance(item, str)}


def test_workflow_rules_use_this_environment(environment):
    assert environment["name"] == "dimlaws"
    for file in (ROOT / "workflow" / "rules").glob("*.smk"):
        text = file.read_text()
        assert text.count("conda:") == text.count('"../../environment.yml"') > 0
        assert (file.parent / "../../environment.yml").resolve() == ROOT / "environment.yml"
    # Snakemake looks for the script under this very name.
    assert "--no-deps --editable ." in (ROOT / "environment.post-deploy.sh").read_text()


def test_citation_states_the_version_and_licence(project):
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
