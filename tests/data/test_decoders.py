import gzip
import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dimlaws.data.decoders import cifar10, digits, dsprites, idx_digits, usps
from dimlaws.data.npy import read_npy, read_npy_rows

RNG = np.random.default_rng(0)


def npy(array: np.ndarray, **kwargs: bool) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **kwargs)
    return stream.getvalue()


def big_endian(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in numbers)


def idx_files(folder: Path, name: str, packed: bool) -> dict[str, np.ndarray]:
    """Write the four files by hand; ``name`` is the separator before idx."""
    made = {}
    folder.mkdir(parents=True)
    for part, n in (("train", 5), ("t10k", 3)):
        images = RNG.integers(0, 256, (n, 4, 6), dtype=np.uint8)
        labels = RNG.integers(0, 10, n, dtype=np.uint8)
        made[part], made[part + " labels"] = images, labels
        for kind, content in (
            (f"images{name}idx3", big_endian(0x803, n, 4, 6) + images.tobytes()),
            (f"labels{name}idx1", big_endian(0x801, n) + labels.tobytes()),
        ):
            path = folder / f"{part}-{kind}-ubyte{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(content) if packed else content)
    return made


@pytest.mark.parametrize(("name", "packed"), [("-", False), (".", False), ("-", True)])
def test_idx(tmp_path: Path, name: str, packed: bool) -> None:
    made = idx_files(tmp_path / "deep" / "er", name, packed)
    got = idx_digits(tmp_path)
    assert (got.n_train, got.classes, got.shape, got.packed) == (5, 10, (1, 4, 6), False)
    assert got.arrays["x"].dtype == np.uint8
    assert got.arrays["y"].dtype == np.int64
    for row in range(8):
        part, at = ("train", row) if row < 5 else ("t10k", row - 5)
        np.testing.assert_array_equal(got.arrays["x"][row, 0], made[part][at])
        assert got.arrays["y"][row] == made[part + " labels"][at]


@pytest.mark.parametrize(
    "content", [b"", b"<html>", big_endian(0x803, 5, 4, 6), big_endian(0xD03, 1, 1, 1) + b"1234"]
)
def test_idx_refuses_what_is_none(tmp_path: Path, content: bytes) -> None:
    idx_files(tmp_path / "a", "-", False)
    (tmp_path / "a" / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises((ValueError, struct.error), match=r"idx|reshape|unpack"):
        idx_digits(tmp_path)
    with pytest.raises(FileNotFoundError, match="train-images-idx3-ubyte"):
        idx_digits(tmp_path / "nothing")


def test_cifar_batches_and_sheets_give_equal_bits(tmp_path: Path) -> None:
    n = 4
    labels = RNG.integers(0, 10, (6, n), dtype=np.uint8)
    images = RNG.integers(0, 256, (6, n, 3, 32, 32), dtype=np.uint8)
    binary, sheets = tmp_path / "cifar-10-batches-bin", tmp_path / "package"
    binary.mkdir()
    sheets.mkdir()
    for batch in range(6):
        stem = f"data_batch_{batch + 1}" if batch < 5 else "test_batch"
        content = b""
        sheet = np.empty((n, 1024, 3), np.uint8)
        for row in range(n):
            content += bytes([labels[batch, row]]) + images[batch, row].tobytes()
            for pixel in range(1024):
                sheet[row, pixel] = images[batch, row, :, pixel // 32, pixel % 32]
        (binary / f"{stem}.bin").write_bytes(content)
        Image.fromarray(sheet).save(sheets / f"{stem}.png")
    (sheets / "train_lables.json").write_text(json.dumps(labels[:5].ravel().tolist()))
    (sheets / "test_lables.json").write_text(json.dumps(labels[5].tolist()))
    for folder in (binary, sheets):
        got = cifar10(folder)
        assert (got.n_train, got.classes, got.shape) == (20, 10, (3, 32, 32))
        np.testing.assert_array_equal(got.arrays["x"], images.reshape(24, 3, 32, 32))
        np.testing.assert_array_equal(got.arrays["y"], labels.ravel())
        assert got.arrays["y"].dtype == np.int64
    (sheets / "test_lables.json").write_text("[1]")
    with pytest.raises(ValueError, match="24 images but 21 labels"):
        cifar10(sheets)


def usps_text(folder: Path, thousandths: np.ndarray, labels: np.ndarray, n_train: int) -> None:
    folder.mkdir()
    lines = [
        f"{label:.4f} " + " ".join(f"{value / 1000:.4f}" for value in row) + " \n"
        for label, row in zip(labels, thousandths, strict=True)
    ]
    lines[0] = lines[0].replace(" 0.0000", " -0.0000")  # the published file has such zeros
    for part, text in (("train", lines[:n_train]), ("test", lines[n_train:])):
        (folder / f"zip.{part}.gz").write_bytes(gzip.compress("".join(text).encode()))


def test_usps_text_and_npy_give_equal_bits(tmp_path: Path) -> None:
    thousandths = RNG.integers(-1000, 1001, (30, 256))
    thousandths[0, :20] = 0
    thousandths[1:9].flat = np.arange(-1000, 1001)[:2048].tolist() + [0] * 47
    labels = RNG.integers(0, 10, 30)
    usps_text(tmp_path / "text", thousandths, labels, 20)
    array = tmp_path / "array"
    array.mkdir()
    # As in the package: float32 of v, then (v + 1) / 2 in float32.
    float32 = ((thousandths / 1000).astype(np.float32) + np.float32(1)) / np.float32(2)
    (array / "USPS.npy").write_bytes(npy(float32))
    (array / "USPS_labels.npy").write_bytes(npy(labels.astype(np.int32)))
    text, packaged = usps(tmp_path / "text"), usps(array)
    assert text.n_train == 20
    for key in ("x", "y"):
        assert text.arrays[key].dtype == packaged.arrays[key].dtype
        assert text.arrays[key].tobytes() == packaged.arrays[key].tobytes()
    assert text.arrays["x"].shape == (30, 1, 16, 16)
    for row, column in ((0, 0), (3, 17), (29, 255)):
        exact = np.float32((thousandths[row, column] + 1000) / 2000)
        assert text.arrays["x"][row, 0, column // 16, column % 16] == exact
    np.testing.assert_array_equal(text.arrays["y"], labels)


def test_usps_off_the_grid_is_refused(tmp_path: Path) -> None:
    (tmp_path / "USPS.npy").write_bytes(npy(np.full((2, 256), 0.12345, np.float32)))
    (tmp_path / "USPS_labels.npy").write_bytes(npy(np.zeros(2, np.int32)))
    with pytest.raises(ValueError, match="three decimals"):
        usps(tmp_path)


def test_digits(tmp_path: Path) -> None:
    rows = np.column_stack([RNG.integers(0, 17, (7, 64)), np.arange(7)])
    (tmp_path / "digits.csv").write_text("\n".join(",".join(map(str, row)) for row in rows))
    got = digits(tmp_path)
    assert (got.n_train, got.shape, got.arrays["x"].dtype) == (7, (1, 8, 8), np.float32)
    np.testing.assert_array_equal(got.arrays["x"].reshape(7, 64) * 16, rows[:, :64])
    np.testing.assert_array_equal(got.arrays["y"], np.arange(7))
    (tmp_path / "digits.csv").write_text("1,2,3\n")
    with pytest.raises(ValueError, match="64 grays"):
        digits(tmp_path)


def sprites(folder: Path, images: np.ndarray) -> np.ndarray:
    n = len(images)
    classes = RNG.integers(0, 3, (n, 6))
    path = folder / "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.npy", npy(np.array({"evil": 1}, object), allow_pickle=True))
        archive.writestr("imgs.npy", npy(images))
        archive.writestr("latents_classes.npy", npy(classes))
        archive.writestr("latents_values.npy", npy(classes / 7))
    return classes


def test_dsprites(tmp_path: Path) -> None:
    images = RNG.integers(0, 2, (9_000, 4, 8), dtype=np.uint8)  # more than one block of rows
    classes = sprites(tmp_path, images)
    got = dsprites(tmp_path)
    assert (got.n_train, got.classes, got.shape, got.packed) == (9_000, 3, (1, 4, 8), True)
    assert got.arrays["x"].shape == (9_000, 4)
    for row in (0, 8191, 8192, 8999):
        for pixel in range(32):
            bit = got.arrays["x"][row, pixel // 8] >> (7 - pixel % 8) & 1
            assert bit == images[row, pixel // 8, pixel % 8]
    np.testing.assert_array_equal(got.arrays["y"], classes[:, 1])
    np.testing.assert_array_equal(got.arrays["latent_classes"], classes)
    np.testing.assert_array_equal(got.arrays["latent_values"], classes / 7)


def test_dsprites_refuses_gray_images(tmp_path: Path) -> None:
    sprites(tmp_path, np.full((3, 4, 8), 2, np.uint8))
    with pytest.raises(ValueError, match="not binary"):
        dsprites(tmp_path)


@pytest.mark.parametrize(
    "array",
    [np.arange(12.0).reshape(4, 3), np.zeros((5, 2, 2), np.uint8), np.arange(3, dtype=">i4")],
)
def test_npy_blocks_equal_numpy(array: np.ndarray) -> None:
    shape, blocks = read_npy_rows(io.BytesIO(npy(array)), 2)
    parts = list(blocks)
    assert shape == array.shape
    assert [len(part) for part in parts] == [2] * (len(array) // 2) + [1] * (len(array) % 2)
    np.testing.assert_array_equal(np.concatenate(parts), array)
    np.testing.assert_array_equal(read_npy(io.BytesIO(npy(array))), array)


def test_npy_refuses_pickles_and_short_streams() -> None:
    objects = npy(np.array([{}, {}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="not plain rows of numbers"):
        read_npy(io.BytesIO(objects))
    with pytest.raises(ValueError, match="ends before"):
        read_npy(io.BytesIO(npy(np.arange(100))[:-1]))
    with pytest.raises(ValueError, match="not plain rows"):
        read_npy(io.BytesIO(npy(np.asfortranarray(np.ones((2, 3))))))
    with pytest.raises(ValueError, match="magic"):
        read_npy(io.BytesIO(b"<html></html>"))
