import base64
import errno
import hashlib
import io
import os
import socket
import tarfile
import urllib.error
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from local_server import serving

from dimlaws.data import sources
from dimlaws.data.sources import SourceError, describe, obtain, reason, source_kind
from dimlaws.errors import ConfigError
from dimlaws.validation import check_node

CONFIGS = Path(__file__).parents[2] / "config" / "data"
CONTENT = bytes(range(256)) * 40


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_urls_deliver_their_bytes(tmp_path: Path) -> None:
    with serving({"a.gz": CONTENT, "b.bin": b"b"}) as server:
        addresses = [f"{server.address}/a.gz", f"{server.address}/b.bin?raw=1"]
        files = obtain({"urls": addresses, "sha256": [sha(CONTENT), sha(b"b")]}, tmp_path)
    assert [file.name for file in files] == ["a.gz", "b.bin"]
    assert [file.read_bytes() for file in files] == [CONTENT, b"b"]


@pytest.mark.parametrize(
    ("path", "checksum", "why"),
    [
        ("none", None, "404"),
        ("cut/a", None, f"a is truncated .{len(CONTENT) // 2} of {len(CONTENT)} bytes"),
        ("a", "0" * 64, f"a has sha256 {sha(CONTENT)[:12]}"),
        ("hang/a", None, "timed out"),
    ],
)
def test_each_bad_answer_has_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, checksum: str | None, why: str
) -> None:
    monkeypatch.setattr(sources, "CONNECT_SECONDS", 0.3)
    with serving({"a": CONTENT}) as server:
        source: dict[str, Any] = {"urls": [f"{server.address}/{path}"]}
        if checksum:
            source["sha256"] = [checksum]
        with pytest.raises(SourceError, match=why):
            obtain(source, tmp_path)


def test_slow_transfer_and_oversize_are_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving({"a": CONTENT}) as server:
        source = {"urls": [f"{server.address}/a"]}
        monkeypatch.setattr(sources, "MAX_DOWNLOAD_BYTES", len(CONTENT) - 1)
        with pytest.raises(SourceError, match="larger than"):
            obtain(source, tmp_path)
        monkeypatch.setattr(sources, "MAX_DOWNLOAD_BYTES", len(CONTENT))
        monkeypatch.setattr(sources, "TRANSFER_SECONDS", -1.0)
        with pytest.raises(SourceError, match="timed out"):
            obtain(source, tmp_path)


def test_unreachable_server(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SourceError, match="Connection refused"):
        obtain({"urls": [f"http://127.0.0.1:{port}/a"]}, tmp_path)


def test_full_disk(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("/dev/full")
    with serving({"a": CONTENT * 100}) as server, pytest.raises(SourceError, match=r"^disk full$"):
        obtain({"urls": [f"{server.address}/a"]}, tmp_path)


def test_reasons_are_short_and_unwrapped() -> None:
    assert reason(urllib.error.URLError(OSError(errno.ENOSPC, "x"))) == "disk full"
    assert reason(urllib.error.URLError(TimeoutError("slow"))) == "timed out"
    assert reason(socket.gaierror(-2, "Name or service not known")) == "Name or service not known"
    assert reason(KeyError()) == "KeyError"
    assert reason(ValueError("two\n  lines")) == "two lines"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ({}, "exactly one of"),
        ({"npm": "a@1", "apt": "b", "sha256": "0"}, "exactly one of"),
        ({"npm": "a@1"}, "needs the sha256"),
        ({"npm": "a@1", "sha265": "0"}, "did you mean 'sha256'"),
        ({"pip": "a==1", "sha256": "0", "kind": "egg"}, "wheel or sdist"),
        ({"urls": ["https://h/a", "https://h/b"], "sha256": ["0"]}, "one checksum per address"),
    ],
)
def test_entries_that_are_no_source(source: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        source_kind(source)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://h/a", "https://h/"])
def test_only_web_addresses_of_files(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigError, match="http"):
        obtain({"urls": [address]}, tmp_path)


def fake(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


@pytest.fixture
def clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that comes first on PATH."""
    folder = tmp_path / "clients"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/bin{os.pathsep}/usr/bin")
    return folder


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("kind", ["npm", "apt"])
def test_missing_client(
    downloads: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="is not installed"):
        obtain({kind: "package", "sha256": "0"}, downloads)


def test_npm_archive_is_checked(clients: Path, downloads: Path) -> None:
    fake(clients, "npm", 'test "$1" = pack && printf archive > p-1.tgz')
    (file,) = obtain({"npm": "p@1", "sha256": sha(b"archive")}, downloads)
    assert file.read_bytes() == b"archive"
    file.unlink()
    with pytest.raises(SourceError, match=r"p-1\.tgz has sha256"):
        obtain({"npm": "p@1", "sha256": "0" * 64}, downloads)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (
            "echo 'npm error code E404'; echo later; exit 1",
            "npm fails with status 1: npm error code",
        ),
        ("echo 'No space left on device' >&2; exit 1", "^disk full$"),
        ("exit 3", "npm fails with status 3: no output"),
        ("true", "0 files instead of one"),
        ("sleep 60 & sleep 60", "npm timed out"),
    ],
)
def test_failing_client(
    clients: Path, downloads: Path, monkeypatch: pytest.MonkeyPatch, script: str, why: str
) -> None:
    monkeypatch.setattr(sources, "TRANSFER_SECONDS", 0.5)
    fake(clients, "npm", script)
    with pytest.raises(SourceError, match=why):
        obtain({"npm": "p@1", "sha256": "0"}, downloads)


def test_apt_updates_its_lists_once(clients: Path, downloads: Path, tmp_path: Path) -> None:
    calls, known = tmp_path / "calls", tmp_path / "known"
    fake(
        clients,
        "apt-get",
        f"""echo "$1" >> {calls}
case $1 in
  update) touch {known};;
  download) test -e {known} || {{ echo "E: Unable to locate package $2"; exit 100; }}
    printf deb > "$2_1_all.deb";;
esac""",
    )
    (file,) = obtain({"apt": "p", "sha256": sha(b"deb")}, downloads)
    assert file.name == "p_1_all.deb"
    assert calls.read_text().split() == ["download", "update", "download"]
    fake(
        clients, "apt-get", f"echo again >> {calls}; echo 'E: Unable to locate package p'; exit 100"
    )
    calls.unlink()
    with pytest.raises(SourceError, match="Unable to locate"):
        obtain({"apt": "p", "sha256": "0"}, downloads)
    assert calls.read_text().split() == ["again", "again"]


def wheel(folder: Path) -> Path:
    path = folder / "tinyset-1.0-py3-none-any.whl"
    info = "tinyset-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tinyset/data.bin", CONTENT)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tinyset\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def sdist(folder: Path, marker: Path) -> Path:
    """A source package whose own build code leaves ``marker`` and then fails."""
    backend = f"open({str(marker)!r}, 'w').close()\nraise SystemExit(1)\n"
    build = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    info = "Metadata-Version: 2.1\nName: tinysource\nVersion: 1.0\n"
    path = folder / "tinysource-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in (
            ("backend.py", backend),
            ("pyproject.toml", build),
            ("PKG-INFO", info),
        ):
            member = tarfile.TarInfo(f"tinysource-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip uses in place of a registry."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_pip_wheel_with_real_pip(shelf: Path, downloads: Path, monkeypatch: Any) -> None:
    made = wheel(shelf)
    source = {"pip": "tinyset==1.0", "kind": "wheel", "sha256": sha(made.read_bytes())}
    monkeypatch.chdir(downloads.parent)  # a relative folder must do as well
    (file,) = obtain(source, Path("downloads"))
    assert file.read_bytes() == made.read_bytes()
    file.unlink()
    with pytest.raises(SourceError, match="wrong archive checksum"):
        obtain({**source, "sha256": "0" * 64}, downloads)
    with pytest.raises(SourceError, match="pip fails with status 1"):
        obtain({**source, "pip": "tinyset==2.0"}, downloads)


def test_pip_runs_nothing_of_a_wrong_sdist(shelf: Path, downloads: Path, tmp_path: Path) -> None:
    made = sdist(shelf, tmp_path / "marker")
    source = {"pip": "tinysource==1.0", "kind": "sdist", "sha256": "0" * 64}
    with pytest.raises(SourceError, match="wrong archive checksum"):
        obtain(source, downloads)
    assert not (tmp_path / "marker").exists()
    with pytest.raises(SourceError, match="pip fails"):
        obtain({**source, "sha256": sha(made.read_bytes())}, downloads)
    assert (tmp_path / "marker").exists(), "with the right checksum its code does run"


def test_bundled_digits(tmp_path: Path) -> None:
    (file,) = obtain({"bundled": "scikit-learn"}, tmp_path)
    rows = [list(map(int, line.split(","))) for line in file.read_text().splitlines()]
    assert len(rows) == 1797
    grays = bytes(value for row in rows for value in row[:64])
    # sha256 of the 1797 x 64 unsigned bytes of scikit-learn's load_digits
    assert sha(grays) == "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"
    with pytest.raises(ConfigError, match="scikit-learn"):
        obtain({"bundled": "other"}, tmp_path)


@pytest.mark.parametrize(
    "name", ["mnist", "fashion_mnist", "cifar10", "dsprites", "usps", "digits"]
)
def test_configured_sources_are_valid(name: str) -> None:
    text = (CONFIGS / f"{name}.yaml").read_text()
    config = yaml.safe_load(text)
    assert text.startswith("# @package _global_\n")
    check_node(config["data"], "data")
    check_node(config["source"]["decoder"], "source.decoder")
    assert config["data"]["name"] == name
    assert all(config["source"][key] for key in ("title", "licence", "citation"))
    kinds = [source_kind(source) for source in config["source"]["sources"]]
    assert kinds == sorted(kinds, key=lambda kind: kind != "urls"), "canonical addresses first"
    assert all(describe(source) for source in config["source"]["sources"])
    for source in config["source"]["sources"]:
        if "sha256" in source and isinstance(source["sha256"], str):
            assert len(base64.b16decode(source["sha256"].upper())) == 32
