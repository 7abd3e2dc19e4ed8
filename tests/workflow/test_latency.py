"""Results that show up late, as on the file systems that nodes of a cluster share."""

import pytest
from project import contents

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

RUNS = "results/quick/images/runs.parquet"


def test_a_late_file_is_waited_for(project, finished):
    project.dying()

    def late(seconds):
        (project / RUNS).unlink()
        return project.snakemake("--latency-wait", seconds, "--", RUNS, DIE="collect:late")

    pattern = "quick/images/runs.parquet"
    done = late("60")
    assert done.status == 0, done.output
    assert contents(project / "results", pattern) == contents(finished / "results", pattern)

    done = late("1")
    assert done.status != 0
    assert "Missing files after 1 seconds. This might be due to filesystem latency" in done.output
    assert f"{RUNS} (missing locally" in done.output
    project.make(RUNS)
    assert contents(project / "results", pattern) == contents(finished / "results", pattern)
    assert project.planned(RUNS) == {}
