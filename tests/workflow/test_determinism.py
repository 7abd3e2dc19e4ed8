"""Two executions from scratch write the same bytes, on however many cores."""

import shutil

import pytest
from project import contents

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def test_same_bytes_on_one_core(finished, project):
    for folder in ("results", ".snakemake"):
        shutil.rmtree(project / folder)
    project.make(
        "--cores", "1", "results/quick/widths/runs.parquet", "results/quick/images/runs.parquet"
    )
    patterns = [
        f"quick/*/{name}" for name in ("trained/*", "records/*", "runs.parquet", "plan/**/*.json")
    ]
    assert contents(project / "results", *patterns) == contents(finished / "results", *patterns)
