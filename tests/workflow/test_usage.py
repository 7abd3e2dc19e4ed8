"""Snakemake's own commands behave as a user of Snakemake expects."""

import importlib.util
import os
import zipfile

import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

FIGURE = "results/quick/figures/widths.svg"


def test_lint_and_format(finished):
    done = finished.call("snakemake", "--lint")
    assert done.status == 0, done.output
    assert "Congratulations" in done.output
    done = finished.call("snakefmt", "--check", "Snakefile", "workflow")
    assert done.status == 0, done.output


def test_a_figure_alone(project):
    (project / FIGURE).unlink()
    done = project.make("--cores", "1", FIGURE)
    assert done.jobs == {"figure": 1}
    assert (project / FIGURE).stat().st_size > 1000


def test_a_figure_from_nothing(project):
    planned = project.planned("--forceall", FIGURE)
    assert planned == {"train": 2, "measure": 2, "collect": 1, "figure": 1}


def test_another_scale(project):
    jobs = {"train": 2, "measure": 2, "collect": 1}
    assert project.planned("results/smoke/widths/runs.parquet") == jobs
    # Both at once; and the whole of another scale, but for the data, which all scales share.
    assert project.planned("results/paper/widths/runs.parquet", FIGURE) == jobs
    whole = project.planned("--config", "scale=paper")
    assert whole == {
        **jobs,
        "measure": 3,
        "simulate": 4,
        "collect": 3,
        "judge": 3,
        "figure": 2,
        **dict.fromkeys(("verdicts", "provenance", "report"), 1),
    }


@pytest.mark.parametrize(
    "target",
    [
        "results/quick/figures/width.svg",
        "results/quick/width/runs.parquet",
        "results/quick/report.htm",
        "results/data/digit.safetensors",
        "results/data/manifold.safetensors",
    ],
)
def test_a_target_that_does_not_exist(finished, target):
    done = finished.snakemake("-n", target)
    assert done.status != 0
    assert target in done.output
    assert "Traceback" not in done.output


def test_report(finished, tmp_path):
    page = tmp_path / "report.html"
    finished.make("--report", str(page))
    text = page.read_text()
    assert "widths.svg" in text
    assert "verdicts.csv" in text
    assert "Scoreboard" in text
    archive = tmp_path / "report.zip"
    finished.make("--report", str(archive))
    with zipfile.ZipFile(archive) as content:
        assert any(name.endswith("widths.svg") for name in content.namelist())


def test_another_working_directory(finished, tmp_path):
    """The workflow of one folder, run on the configuration and the results of another."""
    project = finished.copy(tmp_path / "project")
    for part in ("Snakefile", "workflow", "profiles"):
        path = project / part
        path.rename(tmp_path / part)
    done = project.call(
        *("snakemake", "--cores", "1", "-n"),
        *("--snakefile", str(tmp_path / "Snakefile"), "--directory", str(project.folder)),
    )
    assert done.status == 0, done.output
    assert done.jobs == {}


@pytest.mark.kubernetes
@pytest.mark.skipif(
    not importlib.util.find_spec("snakemake_executor_plugin_kubernetes")
    and not os.environ.get("DIMLAWS_REQUIRE_CLUSTER"),
    reason="not installed: snakemake_executor_plugin_kubernetes",
)
def test_a_dry_run_with_the_profile_of_kubernetes(finished):
    profile = ("--profile", "workflow/profiles/kubernetes")
    here = ("--default-storage-prefix", str(finished.folder))
    done = finished.call("snakemake", "-n", "--forceall", *profile, *here)
    assert done.status == 0, done.output
    jobs = {"train": 2, "measure": 3, "simulate": 2, "collect": 3, "judge": 3, "figure": 2}
    assert jobs.items() <= done.jobs.items()
