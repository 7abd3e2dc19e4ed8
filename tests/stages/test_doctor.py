import shutil
from pathlib import Path

import pytest

from dimlaws.stages.doctor import examine

CONFIG = Path(__file__).parents[2] / "config"


def state(output, name):
    (line,) = (line for line in output.splitlines() if line.startswith(f"data set  {name}: "))
    return line.partition(": ")[2]


def test_it_says_what_is_there(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DIMLAWS_DATA", str(tmp_path))
    (tmp_path / "mnist.safetensors").write_bytes(b"")
    assert examine(CONFIG) == 0
    output = capsys.readouterr().out
    for word in ("cores", "memory", "disk", "gpu", "cluster", "torch", "snakemake"):
        assert f"\n{word} " in f"\n{output}"
    assert state(output, "mnist") == f"fetched, {tmp_path}/mnist.safetensors"
    assert state(output, "digits") == "not fetched; can try bundled"
    assert state(output, "usps").startswith("not fetched; can try urls")
    assert "data set  manifold" not in output


@pytest.mark.parametrize(("client", "status"), [("npm", 0), (None, 1)])
def test_a_set_without_any_client_is_out_of_reach(tmp_path, monkeypatch, capsys, client, status):
    monkeypatch.setenv("DIMLAWS_DATA", str(tmp_path / "sets"))
    (tmp_path / "data").mkdir()
    sources = '[{npm: "a@1", sha256: "0"}]'
    (tmp_path / "data" / "some.yaml").write_text(f"source: {{sources: {sources}}}\n")
    found = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: name if name == client else found("nothing"))
    assert examine(tmp_path) == status
    expected = "not fetched; can try npm" if client else "out of reach: no client"
    assert state(capsys.readouterr().out, "some") == expected
