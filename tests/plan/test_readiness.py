import os
import time

import pytest

from dimlaws.errors import DimlawsError
from dimlaws.plan import readiness
from dimlaws.plan.readiness import STALE_SECONDS, make_ready


def test_only_stale_temporary_files_go(tmp_path):
    files = [".a.parquet.x1_.part", "deep/er/.b.svg.part", "c.part", "deep/.d.json"]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    make_ready(tmp_path)
    assert all((tmp_path / name).exists() for name in files)
    for name in files:
        old = time.time() - STALE_SECONDS - 1
        os.utime(tmp_path / name, (old, old))
    make_ready(tmp_path)
    assert [(tmp_path / name).exists() for name in files] == [False, False, True, True]


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    # Root may write anywhere.
    monkeypatch.setattr(readiness.os, "access", lambda *_: False)
    for folder in (tmp_path, tmp_path / "not" / "there"):
        with pytest.raises(DimlawsError, match=f"^{tmp_path} cannot be written; make it writable"):
            make_ready(folder)
