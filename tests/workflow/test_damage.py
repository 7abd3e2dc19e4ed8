"""Damaged files are named, and made again once they are deleted; none is ever used."""

import json
import re

import pytest
from project import NUMBERS, contents

from dimlaws import cli
from dimlaws.cli import main

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

DIGITS = "results/data/digits.safetensors"
WIDTHS = "results/quick/widths"
IMAGES = "results/quick/images"
SPACING = "results/quick/spacing"


def flip(file):
    """Change one bit near the start, where the numbers are."""
    content = bytearray(file.read_bytes())
    content[len(content) // 10] ^= 16
    file.write_bytes(content)


def truncate(file):
    file.write_bytes(file.read_bytes()[:-100])


def complaints(output):
    """Return what the failed commands say."""
    return sorted(re.findall(r"^dimlaws \w+: .*", output, flags=re.MULTILINE))


def test_damaged_results_are_made_again(finished, project):
    def files(folder):
        return sorted((project / folder).iterdir())

    cut, flipped = files(f"{WIDTHS}/trained")
    (measured,) = files(f"{IMAGES}/records")
    kept, other = files(f"{SPACING}/records")
    # The store names the same file as the checkpoint, so it is damaged too; so with the records.
    truncate(cut)
    flip(flipped)
    flip(project / DIGITS)
    truncate(kept)
    # So that the damaged files are read.
    for file in (*files(f"{WIDTHS}/records"), measured, project / SPACING / "runs.parquet"):
        file.unlink()
    for file in (*files(f"{WIDTHS}/store"), *files(f"{IMAGES}/store")):
        if file.suffix == ".parquet":
            file.unlink()
    done = project.snakemake("--keep-going")
    assert done.status != 0
    said = complaints(done.output)
    assert [line.split(":")[0] for line in said] == ["dimlaws collect", *["dimlaws measure"] * 3]
    for damaged in (cut, flipped, project / DIGITS, kept):
        (line,) = {line for line in said if str(damaged.relative_to(project.folder)) in line}
        assert re.search("delete it and (rerun|fetch again)", line)
        damaged.unlink()
    # The store of this one is damaged as well.
    flip(other)
    other.unlink()
    # What was made of the whole files stands, so they are made again only if they are asked for.
    assert project.planned() == {}
    done = project.make("--forcerun", "provenance")
    assert {"fetch": 1, "train": 2, "measure": 3, "simulate": 2}.items() <= done.jobs.items()
    for log in (project / WIDTHS / "logs/train").glob("*.log"):
        assert f"{WIDTHS}/store/{log.stem}.safetensors" in log.read_text()
        assert "6 runs: 6 to train, 0 known" in log.read_text()
    for log in (project / SPACING / "logs/simulate").glob("*.log"):
        assert f"{SPACING}/store/{log.stem}.parquet" in log.read_text()
        assert "15 runs: 15 to simulate, 0 known" in log.read_text()
    patterns = (*NUMBERS, "data/*.safetensors", "*/*.sha256", "*/*/*.sha256")
    assert contents(project / "results", *patterns) == contents(finished / "results", *patterns)


@pytest.fixture
def commands(project, monkeypatch):
    """The command that reads a file, by that file."""
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("DIMLAWS_DATA", "")
    monkeypatch.setattr(cli, "_start_log", lambda log: None)
    batch = min((project / WIDTHS / "trained").iterdir()).stem
    spacing = min((project / SPACING / "records").iterdir()).stem
    plan, measures = f"{WIDTHS}/plan/{batch}.json", f"{WIDTHS}/plan/measures.json"
    trained = f"{WIDTHS}/trained/{batch}.safetensors"
    records = f"{WIDTHS}/records/{batch}.parquet"
    runs, claims = f"{WIDTHS}/runs.parquet", f"{WIDTHS}/plan/claims.json"
    figure, simulated = f"{WIDTHS}/plan/figures/widths.json", f"{SPACING}/plan/{spacing}.json"
    index, verdicts = f"{WIDTHS}/plan/index.json", f"{WIDTHS}/verdicts.csv"
    (digits,) = (project / IMAGES / "records").iterdir()
    train = ["train", plan, "--output", "made"]
    measure = ["measure", plan, measures, "--trained", trained, "--output", "made"]
    judge = ["judge", runs, claims, "--experiment", "widths", "--output", "made"]
    draw = ["figure", figure, runs, "--output", "made"]
    provenance = ["provenance", "quick", "--output", "made"]
    report = ["report", "quick", "--output", "made/index.html"]
    images = [f"{IMAGES}/plan/{digits.stem}.json", f"{IMAGES}/plan/measures.json"]
    return {
        plan: [train, measure, provenance],
        measures: [measure],
        trained: [measure, provenance],
        index: [train, judge, draw, provenance, report],
        simulated: [["simulate", simulated, "--output", "made"]],
        DIGITS: [["measure", *images, "--output", "made"]],
        records: [["collect", records, "--output", "made"]],
        runs: [judge, draw],
        claims: [judge, report],
        figure: [draw],
        verdicts: [["verdicts", verdicts, "--output", "made"]],
        "results/quick/verdicts.csv": [["verdicts", "--scale", "quick"], report],
        "results/quick/provenance.json": [report],
    }


def test_every_command_refuses_what_is_damaged(project, commands, capsys):
    for name, readers in commands.items():
        file = project / name
        content = file.read_bytes()
        # Another file, so that what names the same one stays whole.
        file.unlink()
        for damage in (flip, truncate):
            file.write_bytes(content)
            damage(file)
            for command in readers:
                assert main(command) == 1, (name, command)
                (line,) = complaints(capsys.readouterr().err)
                assert line.startswith(f"dimlaws {command[0]}: {name}"), line
                assert re.search("delete it and (rerun|fetch again)", line)
                assert not (project / "made").exists()
        file.write_bytes(content)


def test_a_damaged_plan_is_made_again(finished, project):
    plans = project / WIDTHS / "plan"
    batch, other = sorted(plans.glob("[0-9a-f]*[0-9a-f].json"))[:2]
    truncate(batch)
    flip(other)
    flip(project / SPACING / "plan" / "index.json")
    # A number that is as good as another: nothing but the checksum tells.
    project.edit(f"{WIDTHS}/plan/claims.json", "null,", "-0.5,")
    assert json.loads((plans / "claims.json").read_text())
    assert project.planned() == {}
    pattern = "*/*/plan/**/*.json"
    assert contents(project / "results", pattern) == contents(finished / "results", pattern)
