"""Damaged results are named, and made again once they are deleted."""

import re

import pytest
from project import NUMBERS, contents

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

WIDTHS = "results/quick/widths"
IMAGES = "results/quick/images"


def flip(file):
    """Change one bit near the start, where the numbers are."""
    content = bytearray(file.read_bytes())
    content[len(content) // 10] ^= 16
    file.write_bytes(content)


def truncate(file):
    file.write_bytes(file.read_bytes()[:-100])


def complaint(done):
    """Return what the one failed command says."""
    assert done.status != 0
    (line,) = re.findall(r"^dimlaws \w+: .*", done.output, flags=re.MULTILINE)
    assert "delete it and rerun" in line
    return line


def test_damaged_results_are_made_again(finished, project):
    trained = max((project / WIDTHS / "trained").iterdir())
    (records,) = (project / IMAGES / "records").iterdir()
    # The store names the same file as the checkpoint, so it is damaged too.
    truncate(trained)
    (project / WIDTHS / "store" / f"{trained.stem}.parquet").unlink()
    assert trained.name in complaint(project.snakemake(f"{WIDTHS}/runs.parquet"))
    truncate(records)
    assert records.name in complaint(project.snakemake(f"{IMAGES}/runs.parquet"))
    trained.unlink()
    records.unlink()
    # What was made of the checkpoint is whole, so it is made again only if it is asked for.
    measured = f"{WIDTHS}/records/{trained.stem}.parquet"
    done = project.make(measured, f"{IMAGES}/runs.parquet")
    assert done.jobs == {"train": 1, "measure": 2, "collect": 1}
    log = (project / WIDTHS / "logs/train" / f"{trained.stem}.log").read_text()
    assert f"{WIDTHS}/store/{trained.name}" in log
    assert "6 runs: 6 to train, 0 known" in log
    assert contents(project / "results", *NUMBERS) == contents(finished / "results", *NUMBERS)


def test_damaged_input_of_a_command(project):
    trained = min((project / WIDTHS / "trained").iterdir())
    flip(trained)
    done = project.call(
        *("dimlaws", "measure", f"{WIDTHS}/plan/{trained.stem}.json"),
        *(f"{WIDTHS}/plan/measures.json", "--trained", str(trained), "--output", "made"),
    )
    assert str(trained) in complaint(done)
    runs = project / WIDTHS / "runs.parquet"
    content = runs.read_bytes()
    for damage in (flip, truncate):
        runs.write_bytes(content)
        damage(runs)
        done = project.call(
            *("dimlaws", "judge", str(runs), f"{WIDTHS}/plan/claims.json"),
            *("--experiment", "widths", "--output", "made"),
        )
        assert str(runs) in complaint(done)
    assert not (project / "made").exists()


def test_a_damaged_plan(project):
    trained = min((project / WIDTHS / "trained").iterdir())
    plan = project / WIDTHS / "plan" / f"{trained.stem}.json"
    target = f"{WIDTHS}/trained/{trained.name}"
    content, expected = plan.read_bytes(), trained.read_bytes()
    trained.unlink()
    truncate(plan)
    assert plan.name in complaint(project.snakemake(target))
    plan.unlink()
    project.make(target)
    assert plan.read_bytes() == content
    assert trained.read_bytes() == expected
