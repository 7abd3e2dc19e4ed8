"""Trained runs on disk, as safetensors."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from dimlaws.errors import CorruptFileError
from dimlaws.storage import read_arrays, write_arrays
from dimlaws.training.trained import Trained

_CURVES = ("history_step", "history_loss", "diverged_step")


def save(path: Path, trained: Trained, ids: Sequence[str], fingerprint: str) -> None:
    """Write trained runs; ``fingerprint`` names the code and configuration that made them."""
    arrays: dict[str, npt.NDArray[Any]] = {name: getattr(trained, name) for name in _CURVES}
    for name, value in trained.params.items():
        arrays[f"params/{name}"] = value.cpu().numpy()
    for name, value in trained.rewind.items():
        arrays[f"rewind/{name}"] = value.cpu().numpy()
    metadata = {"ids": json.dumps(list(ids)), "fingerprint": fingerprint}
    write_arrays(path, arrays, {**metadata, "sha256": _digest(arrays, metadata)})


def load_runs(path: Path, fingerprint: str, ids: Sequence[str]) -> tuple[list[str], Trained] | None:
    """Return those of the runs ``ids`` that the file holds, in the order of ``ids``.

    None if there is no file, if its fingerprint differs, or if it holds none of them; raise
    ``CorruptFileError`` if the file is not what ``save`` wrote.
    """
    if not path.exists():
        return None
    arrays, metadata = read_arrays(path)
    digest = metadata.pop("sha256", None)
    if digest is None or digest != _digest(arrays, metadata):
        raise CorruptFileError(f"{path} does not match its checksum; delete it and rerun")
    place = {run: i for i, run in enumerate(json.loads(metadata["ids"]))}
    found = [run for run in ids if run in place]
    if metadata["fingerprint"] != fingerprint or not found:
        return None
    stored = Trained(
        params=_tensors(arrays, "params/"),
        rewind=_tensors(arrays, "rewind/"),
        history_step=arrays["history_step"],
        history_loss=arrays["history_loss"],
        diverged_step=arrays["diverged_step"],
    )
    return found, stored.select([place[run] for run in found])


def _tensors(arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(prefix): torch.from_numpy(array)
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _digest(arrays: Mapping[str, npt.NDArray[Any]], metadata: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(dict(metadata), sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()
