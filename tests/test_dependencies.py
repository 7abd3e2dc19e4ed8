import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import dimlaws
from dimlaws import dependencies, signature
from dimlaws.dependencies import fingerprint, imported_modules, source_files

ROOT = Path(dimlaws.__file__).parent
STAGES = ("train", "measure", "judge", "figure")

LOADED = """
import sys, importlib
importlib.import_module({module!r})
for name, module in sys.modules.items():
    if name.startswith("dimlaws.") and not module.__file__.endswith("__init__.py"):
        print(module.__file__)
"""


@pytest.mark.parametrize("stage", STAGES)
def test_all_that_a_stage_imports_is_found(stage):
    """Against what Python itself has loaded after the import."""
    module = f"dimlaws.stages.{stage}"
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(module=module)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert {Path(line) for line in done.stdout.split()} <= set(source_files([module]))


@pytest.fixture
def package(tmp_path, monkeypatch):
    for module in (signature, dependencies):
        monkeypatch.setattr(module, "PACKAGE", tmp_path)
    for cached in (imported_modules, dependencies._content):
        cached.cache_clear()

    def write(**files):
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        imported_modules.cache_clear()
        dependencies._content.cache_clear()

    write(
        a="import os\nfrom dimlaws import b\n",
        b="def f():\n    import dimlaws.c\n",
        c="from dimlaws.a import x\n",
        d="from dimlaws.e import y\nimport dimlawsx.f\n",
        e="",
    )
    yield write
    for cached in (imported_modules, dependencies._content):
        cached.cache_clear()


def names(*modules):
    return [file.stem for file in source_files(modules)]


def test_imports_are_followed_wherever_they_stand(package):
    assert names("dimlaws.a") == ["a", "b", "c"]
    assert names("dimlaws.d") == ["d", "e"]
    assert names("dimlaws.e", "dimlaws.a") == ["a", "b", "c", "e"]
    assert names("dimlaws.nowhere", "os") == []


def test_a_fingerprint_is_of_names_and_content(package):
    before = {name: fingerprint([f"dimlaws.{name}"]) for name in "abcde"}
    package(c="from dimlaws.a import x  # edited\n")
    after = {name: fingerprint([f"dimlaws.{name}"]) for name in "abcde"}
    assert {name for name in before if before[name] != after[name]} == {"a", "b", "c"}
    package(c="from dimlaws.a import x\n")
    assert {name: fingerprint([f"dimlaws.{name}"]) for name in "abcde"} == before
    assert fingerprint(["dimlaws.d", "dimlaws.a"]) == fingerprint(["dimlaws.a", "dimlaws.d"])


@pytest.mark.parametrize(
    ("stage", "without"),
    [
        ("train", ["figures", "claims", "report", "plan", "measures"]),
        ("measure", ["figures", "claims", "report"]),
        ("judge", ["figures", "report", "training", "models", "measures"]),
        ("figure", ["claims", "report", "training", "models", "measures"]),
    ],
)
def test_a_stage_does_not_depend_on_later_ones(stage, without):
    importlib.invalidate_caches()
    folders = {
        file.relative_to(ROOT).parts[0] for file in source_files([f"dimlaws.stages.{stage}"])
    }
    assert not folders & set(without)
