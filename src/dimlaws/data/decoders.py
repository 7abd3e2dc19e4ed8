"""From the files of a source to the arrays of a data set.

Each decoder reads a folder and returns the same arrays bit for bit whichever source the files
came from. Images have axes ``[n, channel, height, width]``; the training rows stand first.
Decoders raise ``ValueError``, ``KeyError`` or ``OSError`` for files that are not the data set.
"""

import gzip
import json
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dimlaws.data.npy import read_npy, read_npy_rows

MAX_FILE_BYTES = 2**30
"""Largest single file that a decoder reads into memory."""

_BLOCK_ROWS = 8192
_USPS_TRAIN = 7291


@dataclass(frozen=True)
class Decoded:
    """A decoded data set.

    ``arrays`` holds ``x`` (``uint8`` that stands for ``x / 255``, or ``float32``), ``y``
    (``int64`` class) and whatever else the set has per row. ``x`` is ``[n, *shape]``, or, where
    ``packed``, the bits of binary images as ``uint8 [n, prod(shape) / 8]``. The first ``n_train``
    rows are the published training rows; ``n_train == n`` where no split is published.
    """

    arrays: dict[str, npt.NDArray[Any]]
    n_train: int
    classes: int
    shape: tuple[int, int, int]
    packed: bool = False


def idx_digits(folder: Path) -> Decoded:
    """Decode the four idx files of MNIST and of the sets that took over its format.

    Format: LeCun, Cortes and Burges, The MNIST database, section "File formats".
    """
    parts = {}
    for part in ("train", "t10k"):
        images = _idx(_bytes(folder, f"{part}-images-idx3-ubyte", f"{part}-images.idx3-ubyte"))
        labels = _idx(_bytes(folder, f"{part}-labels-idx1-ubyte", f"{part}-labels.idx1-ubyte"))
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise ValueError(f"{part}: images {images.shape} and labels {labels.shape} do not fit")
        parts[part] = (images, labels)
    x = np.concatenate([images for images, _ in parts.values()])[:, np.newaxis]
    y = np.concatenate([labels for _, labels in parts.values()]).astype(np.int64)
    height, width = x.shape[2:]
    return Decoded({"x": x, "y": y}, len(parts["train"][0]), 10, (1, height, width))


def cifar10(folder: Path) -> Decoded:
    """Decode CIFAR-10 from its binary batches, or from sheets of one image per pixel row.

    Binary batches: rows of one label byte and 3 x 1024 bytes, planes red, green, blue
    (Krizhevsky, CIFAR-10 page, "Binary version"). Sheets: the same rows as RGB images of width
    1024, with the labels of all training rows in one JSON list and of the test rows in another.
    """
    names = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
    if _find(folder, "test_batch.bin"):
        rows = [
            np.frombuffer(_bytes(folder, f"{name}.bin"), np.uint8).reshape(-1, 3073)
            for name in names
        ]
        x = np.concatenate([batch[:, 1:] for batch in rows])
        y = np.concatenate([batch[:, 0] for batch in rows])
        n_train = sum(len(batch) for batch in rows[:-1])
    else:
        sheets = [_sheet(folder, f"{name}.png") for name in names]
        x = np.concatenate(sheets)
        # The file names are misspelt in the package.
        labels = [json.loads(_bytes(folder, f"{part}_lables.json")) for part in ("train", "test")]
        y = np.array([*labels[0], *labels[1]], dtype=np.uint8)
        n_train = len(labels[0])
    if len(x) != len(y):
        raise ValueError(f"{len(x)} images but {len(y)} labels")
    x = x.reshape(-1, 3, 32, 32)
    return Decoded({"x": x, "y": y.astype(np.int64)}, n_train, 10, (3, 32, 32))


def usps(folder: Path) -> Decoded:
    """Decode USPS from the two text files of the Elements of Statistical Learning, or from npy.

    Text: rows of the digit and 256 gray values in [-1, 1] with three decimals. npy: float32
    ``(v + 1) / 2`` of the same rows. Both are exact on the grid of 2001 gray levels, so ``x`` is
    the float32 nearest to ``level / 2000``, equal bits from either source.
    """
    if _find(folder, "USPS.npy"):
        gray = 2 * _npy(folder, "USPS.npy").astype(np.float64) - 1
        digits = _npy(folder, "USPS_labels.npy")
        n_train = _USPS_TRAIN
    else:
        tables = [_text_table(folder, f"zip.{part}") for part in ("train", "test")]
        rows = np.concatenate(tables)
        gray, digits, n_train = rows[:, 1:], rows[:, 0], len(tables[0])
    if gray.shape != (len(digits), 256):
        raise ValueError(f"USPS rows of shape {gray.shape} with {len(digits)} labels")
    level = 1000 * gray + 1000
    whole = np.rint(level)
    if np.abs(level - whole).max() > 0.01 or whole.min() < 0 or whole.max() > 2000:
        raise ValueError("USPS gray values are not on the grid of three decimals in [-1, 1]")
    x = (whole / 2000).astype(np.float32).reshape(-1, 1, 16, 16)
    return Decoded({"x": x, "y": digits.astype(np.int64)}, n_train, 10, (1, 16, 16))


def digits(folder: Path) -> Decoded:
    """Decode the 8 x 8 digits of scikit-learn: comma-separated rows of 64 grays 0..16 and a digit.

    ``x`` is ``gray / 16`` as float32 (exact). No split is published.
    """
    content = _bytes(folder, "digits.csv").decode("ascii")
    rows = np.array([line.split(",") for line in content.splitlines()], dtype=np.int64)
    if rows.shape[1:] != (65,) or rows[:, :64].min() < 0 or rows[:, :64].max() > 16:
        raise ValueError(f"digits.csv of shape {rows.shape} is not 64 grays 0..16 and a digit")
    x = (rows[:, :64] / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    return Decoded({"x": x, "y": rows[:, 64]}, len(rows), 10, (1, 8, 8))


def dsprites(folder: Path) -> Decoded:
    """Decode dSprites: 737,280 binary 64 x 64 images, every combination of six latent factors.

    The images are streamed and kept as bits (512 bytes each, 3.0 GB before packing), so memory
    stays below 1.2 GB. ``y`` is the shape (0 square, 1 ellipse, 2 heart); ``latent_classes``
    (uint8) and ``latent_values`` (float64) are ``[n, 6]``: colour, shape, scale, orientation,
    x, y. No split is published.
    """
    path = _the(folder, "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz")
    with zipfile.ZipFile(path) as archive:
        with archive.open("imgs.npy") as stream:
            (n, height, width), blocks = read_npy_rows(stream, _BLOCK_ROWS)
            packed = np.empty((n, height * width // 8), np.uint8)
            start = 0
            for block in blocks:
                if block.dtype != np.uint8 or block.max() > 1:
                    raise ValueError("dSprites images are not binary")
                packed[start : start + len(block)] = np.packbits(block.reshape(len(block), -1), 1)
                start += len(block)
        with archive.open("latents_classes.npy") as stream:
            classes = read_npy(stream)
        with archive.open("latents_values.npy") as stream:
            values = read_npy(stream).astype(np.float64)
    if classes.shape != (n, 6) or values.shape != (n, 6) or classes.max() > 255:
        raise ValueError(f"dSprites latents {classes.shape}, {values.shape} for {n} images")
    arrays: dict[str, npt.NDArray[Any]] = {
        "x": packed,
        "y": classes[:, 1].astype(np.int64),
        "latent_classes": classes.astype(np.uint8),
        "latent_values": values,
    }
    return Decoded(arrays, n, 3, (1, height, width), packed=True)


def _find(folder: Path, name: str) -> Path | None:
    """Return the first file of this name, or of this name with ``.gz``, anywhere below."""
    found = [path for suffix in ("", ".gz") for path in sorted(folder.rglob(name + suffix))]
    return found[0] if found else None


def _the(folder: Path, *names: str) -> Path:
    for name in names:
        if path := _find(folder, name):
            return path
    raise FileNotFoundError(f"no {' or '.join(names)} among its files")


def _bytes(folder: Path, *names: str) -> bytes:
    path = _the(folder, *names)
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"{path.name} is larger than {MAX_FILE_BYTES} bytes")
    return content


def _idx(content: bytes) -> npt.NDArray[np.uint8]:
    zero, kind, axes = struct.unpack_from(">HBB", content)
    if zero != 0 or kind != 8 or not 1 <= axes <= 3:
        raise ValueError("not an idx file of unsigned bytes")
    shape = struct.unpack_from(f">{axes}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def _sheet(folder: Path, name: str) -> npt.NDArray[np.uint8]:
    from PIL import Image

    with Image.open(_the(folder, name)) as image:
        if image.mode != "RGB" or image.width != 1024:
            raise ValueError(f"{name} is {image.mode}, {image.width} wide, not RGB, 1024 wide")
        return np.asarray(image).transpose(0, 2, 1).reshape(-1, 3072)


def _npy(folder: Path, name: str) -> npt.NDArray[Any]:
    with _the(folder, name).open("rb") as stream:
        return read_npy(stream)


def _text_table(folder: Path, name: str) -> npt.NDArray[np.float64]:
    lines = _bytes(folder, name).decode("ascii").splitlines()
    return np.loadtxt(lines, dtype=np.float64, ndmin=2)
