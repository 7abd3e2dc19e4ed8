"""Which files of the package a module depends on, found from its import statements.

A change of their content reruns exactly the stages whose code it touches, whatever the clock says.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from dimlaws.signature import PACKAGE, module_file


@cache
def imported_modules(file: Path) -> frozenset[str]:
    """Return the ``dimlaws`` modules that a source file imports, anywhere in it."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
            modules.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(name for name in modules if name.split(".")[0] == "dimlaws")


def source_files(modules: Iterable[str]) -> list[Path]:
    """Return the files of ``modules`` and of all that they import from the package, sorted."""
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        file = module_file(waiting.pop())
        if file is not None and file not in found:
            found.add(file)
            waiting.extend(imported_modules(file))
    return sorted(found)


def fingerprint(modules: Iterable[str]) -> str:
    """Return a digest of the names and contents of ``source_files(modules)``."""
    digest = hashlib.sha256()
    for file in source_files(modules):
        digest.update(str(file.relative_to(PACKAGE)).encode())
        digest.update(_content(file))
    return digest.hexdigest()[:16]


@cache
def _content(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()
