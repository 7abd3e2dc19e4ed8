import json
import os
import stat
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dimlaws.errors import CorruptFileError
from dimlaws.storage import (
    canonical_json,
    link_or_copy,
    metadata_of,
    open_arrays,
    read_arrays,
    read_json,
    read_sealed,
    replacing,
    write_arrays,
    write_sealed,
    write_text,
    write_text_if_changed,
)


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "a.txt"
    write_text(file, "old")

    def interrupted():
        with replacing(file) as temporary:
            temporary.write_text("ne")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        interrupted()
    assert file.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def _write_and_die(file):
    with replacing(file) as temporary:
        temporary.write_text("half")
        os.kill(os.getpid(), 9)


def test_a_kill_leaves_the_old_file(tmp_path):
    file = tmp_path / "a.txt"
    write_text(file, "old")
    process = get_context("fork").Process(target=_write_and_die, args=(file,))
    process.start()
    process.join()
    assert process.exitcode == -9
    assert file.read_text() == "old"


def test_a_new_file_follows_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


def test_folders_are_made(tmp_path):
    write_text(tmp_path / "a" / "b" / "c.txt", "x")
    assert (tmp_path / "a/b/c.txt").read_text() == "x"


def test_equal_text_is_not_written(tmp_path):
    file = tmp_path / "a.txt"
    assert write_text_if_changed(file, "ä\n")
    before = file.stat().st_mtime_ns, file.stat().st_ino
    assert not write_text_if_changed(file, "ä\n")
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before
    assert write_text_if_changed(file, "o\n")
    file.write_bytes(b"\xff\xfe")
    assert write_text_if_changed(file, "o\n")
    assert file.read_text() == "o\n"


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(-1e9, 1e9, allow_subnormal=False)
        | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=10,
    )
)
@settings(max_examples=25, deadline=None)
def test_json_comes_back_as_it_was(value):
    text = canonical_json(value)
    assert json.loads(text) == value
    assert text.endswith("\n")


def test_json_does_not_depend_on_order_and_has_no_nan(tmp_path):
    assert canonical_json({"b": 1, "a": 2}) == canonical_json({"a": 2, "b": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


@pytest.mark.parametrize("content", [b"", b'{"a": ', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_named(tmp_path, content):
    file = tmp_path / "a.json"
    file.write_bytes(content)
    with pytest.raises(CorruptFileError, match=r"a\.json is not valid JSON .*delete it and rerun"):
        read_json(file)
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "b.json")


ARRAYS = {
    "floats": np.arange(6, dtype=np.float32).reshape(2, 3),
    "turned": np.arange(6, dtype=np.int64).reshape(2, 3).T,
    "bytes": np.array([0, 255], np.uint8),
    "nothing": np.zeros((0, 4)),
    "one": np.array(True),
}
METADATA = {"b": "ä", "a": "1", "c": ""}


def test_arrays_come_back_as_they_were(tmp_path):
    file = tmp_path / "a.safetensors"
    write_arrays(file, ARRAYS, METADATA)
    arrays, metadata = read_arrays(file)
    assert metadata == METADATA
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(arrays[name], array)
    with open_arrays(file) as archive:
        np.testing.assert_array_equal(archive.get_slice("floats")[1:], ARRAYS["floats"][1:])
        assert metadata_of(archive) == METADATA


def test_equal_arrays_give_equal_bytes(tmp_path):
    for name, order in (("a", 1), ("b", -1)):
        write_arrays(tmp_path / name, ARRAYS, dict(list(METADATA.items())[::order]))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("keep", [0, 4, 40, -1])
def test_a_file_cut_short_is_named(tmp_path, keep):
    file = tmp_path / "a.safetensors"
    write_arrays(file, ARRAYS, METADATA)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(CorruptFileError, match="not a whole safetensors file"):
        read_arrays(file)


def test_damaged_arrays_are_refused(tmp_path, refused):
    """As every checkpoint, state of training and part of the calibration is written."""
    file = tmp_path / "a.safetensors"
    write_sealed(file, ARRAYS, METADATA)

    def read():
        arrays, metadata = read_sealed(file)
        return metadata, {
            name: (array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()
        }

    assert refused(file, read, flips=600) > 0.9
    write_arrays(file, ARRAYS, METADATA)
    with pytest.raises(CorruptFileError, match="does not match its checksum"):
        read_sealed(file)


def test_a_file_of_another_program_has_no_metadata(tmp_path):
    from safetensors.numpy import save_file

    save_file({"x": np.zeros(2)}, tmp_path / "a")
    assert read_arrays(tmp_path / "a")[1] == {}


@pytest.mark.parametrize("links", [True, False])
def test_a_link_outlives_its_source(tmp_path, monkeypatch, links):
    source, target = tmp_path / "source", tmp_path / "store" / "target"
    write_text(source, "first")
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError))
    link_or_copy(source, target)
    assert (source.stat().st_ino == target.stat().st_ino) == links
    # As Snakemake does before a rule runs again, and as the rule then does.
    source.unlink()
    write_text(source, "second")
    assert target.read_text() == "first"
    link_or_copy(source, target)
    assert target.read_text() == "second"
    assert names(target.parent) == ["target"]
