import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from dimlaws.data.extraction import ArchiveError, UnsafeArchiveError, extract


def tar_of(path: Path, *members: tarfile.TarInfo | tuple[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                name, content = member
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zip_of(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def deb_of(path: Path, *members: tuple[str, bytes]) -> Path:
    parts = [b"!<arch>\n"]
    for name, content in members:
        parts.append(f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode())
        parts.append(content + b"\n" * (len(content) % 2))
    path.write_bytes(b"".join(parts))
    return path


def listing(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


GOOD = (("a/one.txt", b"one" * 1000), ("two.bin", bytes(range(256))))


@pytest.mark.parametrize(("mode", "suffix"), [("w", "tar"), ("w:gz", "tgz"), ("w:bz2", "tar.bz2")])
def test_tar_round_trip(tmp_path: Path, mode: str, suffix: str) -> None:
    extract(tar_of(tmp_path / f"x.{suffix}", *GOOD, mode=mode), tmp_path / "out")
    assert listing(tmp_path / "out") == dict(GOOD)


@pytest.mark.parametrize("suffix", ["zip", "whl"])
def test_zip_round_trip(tmp_path: Path, suffix: str) -> None:
    extract(zip_of(tmp_path / f"x.{suffix}", *GOOD), tmp_path / "out")
    assert listing(tmp_path / "out") == dict(GOOD)


@pytest.mark.parametrize(("mode", "suffix"), [("w:xz", "tar.xz"), ("w:gz", "tar.gz"), ("w", "tar")])
def test_deb_round_trip(tmp_path: Path, mode: str, suffix: str) -> None:
    inner = tar_of(tmp_path / "inner", *((f"./usr/{n}", c) for n, c in GOOD), mode=mode)
    deb = deb_of(
        tmp_path / "x.deb",
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", b"odd"),
        (f"data.{suffix}", inner.read_bytes()),
        ("later/", b"more"),
    )
    extract(deb, tmp_path / "out")
    assert listing(tmp_path / "out") == {f"usr/{n}": c for n, c in GOOD}
    assert {path.name for path in tmp_path.iterdir()} == {"inner", "x.deb", "out"}


def test_gz_and_plain_files(tmp_path: Path) -> None:
    (tmp_path / "images.gz").write_bytes(gzip.compress(b"pixels"))
    (tmp_path / "set.npz").write_bytes(b"kept as it is")
    extract(tmp_path / "images.gz", tmp_path / "out")
    extract(tmp_path / "set.npz", tmp_path / "out")
    assert listing(tmp_path / "out") == {"images": b"pixels", "set.npz": b"kept as it is"}


@pytest.mark.parametrize(
    "member",
    [
        ("../evil", b"x"),
        ("a/../../evil", b"x"),
        ("/tmp/evil", b"x"),
        special("link", tarfile.SYMTYPE, "../../etc/passwd"),
        special("link", tarfile.SYMTYPE, "/etc/passwd"),
        special("link", tarfile.LNKTYPE, "../evil"),
        special("device", tarfile.CHRTYPE),
        special("pipe", tarfile.FIFOTYPE),
    ],
    ids=["dots", "inner-dots", "absolute", "symlink", "root-symlink", "hardlink", "device", "fifo"],
)
@pytest.mark.parametrize("deb", [False, True], ids=["tar", "deb"])
def test_evil_tar_is_refused(
    tmp_path: Path, member: tarfile.TarInfo | tuple[str, bytes], deb: bool
) -> None:
    archive = tar_of(tmp_path / "x.tgz", member)
    if deb:
        archive = deb_of(tmp_path / "x.deb", ("data.tar.gz", archive.read_bytes()))
    with pytest.raises(UnsafeArchiveError, match=archive.name):
        extract(archive, tmp_path / "deep" / "out")
    assert listing(tmp_path / "deep") == {}
    assert not (tmp_path / "evil").exists()


def test_link_that_stays_inside_is_not_made(tmp_path: Path) -> None:
    link = special("link", tarfile.SYMTYPE, "two.bin")
    extract(tar_of(tmp_path / "x.tgz", *GOOD, link), tmp_path / "out")
    assert not (tmp_path / "out" / "link").is_symlink()
    assert listing(tmp_path / "out") == dict(GOOD)


def test_writing_through_a_link_is_impossible(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    link = special("out/d", tarfile.SYMTYPE, ".")
    extract(tar_of(tmp_path / "x.tgz", link, ("out/d/file", b"x")), tmp_path / "here")
    assert listing(tmp_path / "here") == {"out/d/file": b"x"}


def odd_zip_entry(kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("odd")
    info.create_system = 3
    info.external_attr = (kind | 0o644) << 16
    return info


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/../../evil",
        "/tmp/evil",
        odd_zip_entry(stat.S_IFLNK),
        odd_zip_entry(stat.S_IFCHR),
    ],
    ids=["dots", "inner-dots", "absolute", "symlink", "device"],
)
def test_evil_zip_is_refused(tmp_path: Path, name: str | zipfile.ZipInfo) -> None:
    archive = zip_of(tmp_path / "x.zip", (name, b"/etc/passwd"))
    with pytest.raises(UnsafeArchiveError, match=r"x\.zip"):
        extract(archive, tmp_path / "deep" / "out")
    assert listing(tmp_path / "deep") == {}


def bomb(tmp_path: Path, kind: str) -> Path:
    zeros = bytes(2_000_000)
    if kind == "gz":
        path = tmp_path / "x.gz"
        path.write_bytes(gzip.compress(zeros))
        return path
    if kind == "zip":
        return zip_of(tmp_path / "x.zip", ("a", zeros[:1_000_000]), ("b", zeros[:1_000_000]))
    return tar_of(tmp_path / "x.tgz", ("a", zeros[:1_000_000]), ("b", zeros[:1_000_000]))


@pytest.mark.parametrize("kind", ["gz", "zip", "tar"])
def test_bomb_is_stopped_at_the_limit(tmp_path: Path, kind: str) -> None:
    path = bomb(tmp_path, kind)
    with pytest.raises(UnsafeArchiveError, match="more than 1500000 bytes"):
        extract(path, tmp_path / "out", max_bytes=1_500_000)
    assert sum(len(content) for content in listing(tmp_path / "out").values()) <= 1_500_000
    extract(path, tmp_path / "all", max_bytes=2_000_000)


@pytest.mark.parametrize("make", [zip_of, tar_of], ids=["zip", "tar"])
def test_too_many_entries(tmp_path: Path, make: object) -> None:
    suffix = "zip" if make is zip_of else "tgz"
    archive = make(tmp_path / f"x.{suffix}", *((f"{i}", b"") for i in range(11)))  # type: ignore[operator]
    with pytest.raises(UnsafeArchiveError, match="more than 10 entries"):
        extract(archive, tmp_path / "out", max_files=10)


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    noise = bytes((i * i * 31 + i // 7) % 256 for i in range(40_000))
    tgz = tar_of(tmp_path / "x.tgz", ("noise", noise))
    whole = {
        "x.tgz": tgz.read_bytes(),
        "x.zip": zip_of(tmp_path / "x.zip", ("noise", noise)).read_bytes(),
        "x.gz": gzip.compress(noise),
        "x.deb": deb_of(tmp_path / "x.deb", ("data.tar.gz", tgz.read_bytes())).read_bytes(),
    }
    for name, content in whole.items():
        for share in (0.0, 0.3, 0.9):
            cut = tmp_path / name
            cut.write_bytes(content[: int(share * len(content))])
            with pytest.raises(ArchiveError, match=name):
                extract(cut, tmp_path / "out")


def test_not_an_archive_and_unknown_compression(tmp_path: Path) -> None:
    for name in ("x.zip", "x.tgz", "x.deb", "x.gz"):
        (tmp_path / name).write_bytes(b"<html>not found</html>")
        with pytest.raises(ArchiveError, match=name):
            extract(tmp_path / name, tmp_path / "out")
    with pytest.raises(ArchiveError, match=r"data\.tar\.zst"):
        extract(deb_of(tmp_path / "y.deb", ("data.tar.zst", b"zz")), tmp_path / "out")


def test_damaged_byte_is_noticed(tmp_path: Path) -> None:
    for archive in (zip_of(tmp_path / "x.zip", *GOOD), tar_of(tmp_path / "x.tgz", *GOOD)):
        content = bytearray(archive.read_bytes())
        content[45] ^= 0xFF
        archive.write_bytes(content)
        with pytest.raises(ArchiveError):
            extract(archive, tmp_path / "out")


def test_names_that_other_systems_take_for_paths_are_names(tmp_path: Path) -> None:
    names = ("C:\\evil", "..\\evil", "line\nfeed", " ")
    for make, suffix in ((tar_of, "tgz"), (zip_of, "zip")):
        out = tmp_path / suffix / "out"
        extract(make(tmp_path / f"x.{suffix}", *((name, b"x") for name in names)), out)
        assert listing(tmp_path / suffix) == {f"out/{name}": b"x" for name in names}


@pytest.mark.parametrize("name", ["", ".", "a/", "name\0/../../evil"])
def test_names_that_are_no_file(tmp_path: Path, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.pax_headers = {"path": name}
    with suppress(ArchiveError, OSError):
        extract(tar_of(tmp_path / "x.tgz", info), tmp_path / "deep" / "out")
    info = zipfile.ZipInfo("placeholder")
    info.filename = name
    with suppress(ArchiveError, OSError):
        extract(zip_of(tmp_path / "x.zip", (info, b"x")), tmp_path / "deep" / "out")
    outside = {path.name for path in tmp_path.iterdir()} - {"x.tgz", "x.zip", "deep"}
    assert not outside
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_last_of_two_entries_of_one_name_counts(tmp_path: Path) -> None:
    for make, suffix in ((tar_of, "tgz"), (zip_of, "zip")):
        archive = make(tmp_path / f"x.{suffix}", ("a", b"first"), ("a", b"last"))
        extract(archive, tmp_path / suffix)
        assert listing(tmp_path / suffix) == {"a": b"last"}
        # A file where a folder is needed.
        archive = make(tmp_path / f"y.{suffix}", ("a", b"x"), ("a/b", b"x"))
        with pytest.raises(OSError, match="a"):
            extract(archive, tmp_path / f"y-{suffix}")


def test_a_program_that_runs_as_its_owner_becomes_a_plain_file(tmp_path: Path) -> None:
    info = tarfile.TarInfo("run")
    info.mode, info.size, info.uid = 0o6777, 1, 0
    with tarfile.open(tmp_path / "x.tgz", "w:gz") as archive:
        archive.addfile(info, io.BytesIO(b"x"))
    program = odd_zip_entry(stat.S_IFREG | stat.S_ISUID | stat.S_IXUSR)
    zip_of(tmp_path / "x.zip", (program, b"x"))
    for name in ("x.tgz", "x.zip"):
        extract(tmp_path / name, tmp_path / "out")
    for file in (tmp_path / "out").iterdir():
        assert file.stat().st_mode & 0o7111 == 0


def test_an_archive_inside_an_archive_stays_closed(tmp_path: Path) -> None:
    inner = zip_of(tmp_path / "inner.zip", ("../evil", b"x")).read_bytes()
    extract(tar_of(tmp_path / "x.tgz", ("inner.zip", inner)), tmp_path / "out")
    assert listing(tmp_path / "out") == {"inner.zip": inner}


@pytest.mark.parametrize("suffix", ["tar.gz", "tar.bz2", "tar.xz", "deb"])
def test_a_small_archive_that_is_gigabytes_is_stopped_early(tmp_path: Path, suffix: str) -> None:
    """A header that says 4 GB, then zeros: neither written to the disk nor held in memory."""
    info = tarfile.TarInfo("name")
    info.type, info.size = tarfile.XHDTYPE, 2**32
    start = info.tobuf(tarfile.GNU_FORMAT)
    compress = {"tar.bz2": bz2.compress, "tar.xz": lzma.compress}.get(suffix, gzip.compress)
    content = compress(start + bytes(2**23))
    archive = tmp_path / f"x.{suffix}"
    archive.write_bytes(content)
    if suffix == "deb":
        deb_of(archive, ("data.tar.gz", content))
    assert archive.stat().st_size < 20_000
    with pytest.raises(UnsafeArchiveError, match="holds a header of 4294967296 bytes"):
        extract(archive, tmp_path / "out")
    assert listing(tmp_path / "out") == {}
