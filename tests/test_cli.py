import errno
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dimlaws import cli
from dimlaws.claims.table import read_verdicts, write_verdicts
from dimlaws.cli import main
from dimlaws.errors import ConfigError

ROOT = Path(__file__).parents[1]
STAGES = (
    "plan",
    "fetch",
    "train",
    "simulate",
    "calibrate",
    "measure",
    "collect",
    "judge",
    "figure",
    "provenance",
    "report",
    "verdicts",
    "claims",
    "doctor",
)


@pytest.fixture
def project(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    # Handlers of a run must not outlive it.
    monkeypatch.setattr(cli, "_start_log", lambda log: None)
    return tmp_path


def test_help_names_every_stage(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    output = capsys.readouterr().out
    for stage in STAGES:
        assert re.search(rf"^    {stage}\s", output, flags=re.MULTILINE)


@pytest.mark.parametrize("arguments", [[], ["trian"], ["train"], ["fetch", "digits"]])
def test_a_wrong_command_line_is_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage: dimlaws" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "folder", "--output", "x"],
        ["measure", "plan.json", "measures.json", "--trained", "folder", "--output", "x"],
        ["collect", "", "--output", "x"],
        ["calibrate", "folder", "--output", "x"],
        ["fetch", "digits", "--output", "folder"],
        ["fetch", "digits", "--output", ""],
        ["fetch", "digits", "--output", "x", "--log", "folder"],
    ],
)
def test_a_folder_in_place_of_a_file_is_status_2(project, arguments, capsys):
    (project / "folder").mkdir()
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.endswith(("'folder' is a folder; name a file", "'' is a folder; name a file"))
    assert not list((project / "folder").iterdir())
    assert not (project / "x").exists()


JOBS = [
    ["train", "FILE"],
    ["simulate", "FILE"],
    ["measure", "FILE", "FILE"],
    ["collect", "FILE"],
    ["judge", "FILE", "FILE", "--experiment", "x"],
    ["figure", "FILE", "FILE"],
    ["calibrate", "FILE"],
    ["verdicts", "FILE"],
    ["report", "FILE"],
    ["provenance", "FILE"],
]


@pytest.mark.parametrize("job", JOBS, ids=[job[0] for job in JOBS])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("none", None),
        ("empty", b""),
        ("text", b"hello"),
        ("bytes", bytes(range(256)) * 8),
        ("null", b"null"),
        ("list", b"[1]"),
        ("mapping", b"{}"),
        ("none/inside", None),
        ("x" * 300, None),
    ],
)
def test_a_file_that_is_another_is_one_line(project, job, name, content, capsys):
    if content is not None:
        (project / name).write_bytes(content)
    arguments = [name if word == "FILE" else word for word in job]
    assert main([*arguments, "--output", "x"]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"dimlaws {job[0]}: ")
    assert name[:20] in last or "results" in last
    assert not (project / "x").exists()


def test_plan_says_what_an_experiment_holds(project, capsys):
    assert main(["plan", "--scale", "smoke"]) == 0
    assert "prunability_vs_dimension: 8 runs in 1 batches, 1 figures" in capsys.readouterr().out
    assert (project / "results/smoke/prunability_vs_dimension/plan/index.json").is_file()


def test_claims_lists_every_claim_with_its_region(project, capsys):
    assert main(["claims", "--scale", "smoke"]) == 0
    output = capsys.readouterr().out
    assert (
        "\nankner-components (ankner-prunability, chapter 3, prunability_vs_comp" in f"\n{output}"
    )
    assert "two-sided in [-0.1, 0.1] (ours)" in output
    assert "threshold in [, 0.02] (ours)" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "--scale", "smok"], "dimlaws plan: no scale 'smok'; did you mean 'smoke'?"),
        (
            ["verdicts", "--scale", "smok"],
            "dimlaws verdicts: no scale 'smok'; did you mean 'smoke'?",
        ),
        (["verdicts", "--scale", "smoke"], "results/smoke/verdicts.csv is not there yet; make it"),
        (["fetch", "digit", "--output", "x"], "no data set 'digit'; did you mean 'digits'?"),
        (["train", "plan.json", "--output", "x"], "No such file or directory: plan.json"),
        (
            ["collect", "a.parquet", "--output", "x"],
            "dimlaws collect: No such file or directory: ",
        ),
    ],
)
def test_a_failure_is_one_line_and_status_1(project, arguments, message, capsys):
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (project / "x").exists()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ConfigError("data.x: no"), "dimlaws doctor: data.x: no\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "a/b"),
            "No space left on device: a/b; make room and rerun\n",
        ),
        (KeyboardInterrupt(), "dimlaws doctor: interrupted\n"),
    ],
)
def test_errors_of_the_machine_and_the_user(project, monkeypatch, capsys, error, line):
    def fail(_):
        raise error

    monkeypatch.setattr(cli, "_doctor", fail)
    assert main(["doctor"]) == 1
    assert capsys.readouterr().err.endswith(line)


def test_an_error_of_ours_keeps_its_traceback(project, monkeypatch):
    def fail(_):
        raise RuntimeError("a bug")

    monkeypatch.setattr(cli, "_fetch", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["fetch", "digits", "--output", "x", "--log", "log.txt"])
    assert "RuntimeError: a bug" in (project / "log.txt").read_text()


def test_verdicts_are_joined_and_printed(project, capsys):
    for name in ("a", "b"):
        write_verdicts(project / f"{name}.csv", [])
    target = Path("results/smoke/verdicts.csv")
    assert main(["verdicts", "a.csv", "b.csv", "--output", str(target)]) == 0
    assert read_verdicts(target) == []
    assert main(["verdicts", "--scale", "smoke"]) == 0
    assert "0 claims: 0 reproduced" in capsys.readouterr().out


def test_the_command_itself(tmp_path):
    """Installed as ``dimlaws``; a fetch keeps its log."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    command = [str(Path(sys.executable).parent / "dimlaws"), "fetch", "digits"]
    command += ["--output", "sets/digits.safetensors", "--log", "logs/digits.log"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "sets/digits.safetensors").is_file()
    assert "digits" in (tmp_path / "logs/digits.log").read_text()
    assert 0 < float((tmp_path / "logs/digits.cpu").read_text()) < 60


def test_the_command_line_is_there_at_once():
    """Without torch, pandas and Hydra, ``--help`` answers in a moment."""
    script = (
        "import sys, dimlaws.cli\n"
        "assert not {'torch', 'pandas', 'hydra', 'numpy', 'snakemake'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
