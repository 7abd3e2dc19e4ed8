"""Reading ``.npy`` streams piece by piece; an array that would need unpickling is refused."""

from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import numpy.typing as npt


def read_npy_rows(
    stream: IO[bytes], rows: int
) -> tuple[tuple[int, ...], Iterator[npt.NDArray[Any]]]:
    """Return the shape in the header, and an iterator over blocks of at most ``rows`` rows.

    Only one block is in memory at a time. Raises ``ValueError`` for objects, for Fortran order,
    for a header that cannot be read, and (while iterating) for a stream that ends early.
    """
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"npy version {version} is not 1.0 or 2.0")
    if dtype.hasobject or fortran or not shape:
        raise ValueError(f"npy array of {dtype}, shape {shape} is not plain rows of numbers")
    return shape, _blocks(stream, shape, dtype, rows)


def read_npy(stream: IO[bytes]) -> npt.NDArray[Any]:
    """Return the whole array of an ``.npy`` stream."""
    (length, *_), blocks = read_npy_rows(stream, 2**16)
    parts = list(blocks)
    assert sum(len(part) for part in parts) == length
    return np.concatenate(parts)


def _blocks(
    stream: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any], rows: int
) -> Iterator[npt.NDArray[Any]]:
    row_bytes = dtype.itemsize * int(np.prod(shape[1:], dtype=np.int64))
    for start in range(0, shape[0], rows):
        count = min(rows, shape[0] - start)
        content = _exactly(stream, count * row_bytes)
        yield np.frombuffer(content, dtype=dtype).reshape(count, *shape[1:])


def _exactly(stream: IO[bytes], size: int) -> bytearray:
    """Read ``size`` bytes; a compressed stream may give them in several pieces."""
    content = bytearray()
    while len(content) < size:
        piece = stream.read(size - len(content))
        if not piece:
            raise ValueError("npy stream ends before its last row")
        content += piece
    return content
