"""Turning a checked configuration node into the object or call that it names."""

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

from dimlaws.signature import read_signature
from dimlaws.validation import Node


def instantiate(node: Node) -> Any:
    """Return what the class named by ``node["_target_"]`` makes of the node's other keys."""
    return configured(node)()


def configured(node: Node) -> Callable[..., Any]:
    """Return the function named by ``node["_target_"]`` with the node's other keys bound.

    Only names inside the package ``dimlaws`` are imported, so a configuration from a stranger
    cannot call anything else.
    """
    target = read_signature(node["_target_"]).target
    module, _, name = target.rpartition(".")
    keys = {key: value for key, value in node.items() if key != "_target_"}
    return partial(getattr(importlib.import_module(module), name), **keys)
