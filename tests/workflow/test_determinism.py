"""Two executions from scratch write the same bytes, on however many cores."""

import shutil

import pytest
from project import NUMBERS, contents

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def test_same_bytes_on_one_core(finished, project):
    for folder in ("results", ".snakemake"):
        shutil.rmtree(project / folder)
    figure = "results/quick/figures/widths.svg"
    project.make("--cores", "1", "results/quick/verdicts.csv", figure)
    results, before = project / "results", finished / "results"
    drawn = [f"quick/figures/widths.{suffix}" for suffix in ("csv", "pdf", "png", "svg")]
    assert contents(results, *NUMBERS, *drawn) == contents(before, *NUMBERS, *drawn)
    plans = ["quick/*/plan/*.json", "quick/*/plan/figures/*.json"]
    assert contents(results, *plans) == contents(before, *plans)
