"""Random streams that depend on what a run is, never on where it stands in a sweep."""

import hashlib
import json
from typing import Any

import numpy as np


def stream(seed: int, purpose: str, content: Any = None) -> np.random.SeedSequence:
    """Return the seed sequence of one purpose ("data", "init", "order") of a run.

    ``content`` is the part of the run's configuration that the stream belongs to (JSON-like):
    runs that agree in it and in ``seed`` share the stream, so a sweep over one part compares
    runs that are equal in all others.
    """
    text = json.dumps([purpose, content], sort_keys=True)
    words = np.frombuffer(hashlib.sha256(text.encode()).digest()[:16], dtype=np.uint32)
    return np.random.SeedSequence([seed, *(int(word) for word in words)])
