"""The workflow through a real Slurm: the same bytes, whatever becomes of its jobs."""

import shutil

import pytest
from project import NUMBERS, contents

pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.slurm]

PROFILE = (
    *("--profile", "workflow/profiles/slurm"),
    # Jobs of minutes are looked at every 40 seconds; these take seconds.
    *("--slurm-init-seconds-before-status-checks", "5"),
)
WIDTHS = "results/quick/widths"
SPACING = "results/quick/spacing"


@pytest.fixture
def unmade(finished, tmp_path):
    """The project without results; but the data set, which no job of a cluster fetches."""
    project = finished.copy(tmp_path / "project").dying()
    shutil.rmtree(project / ".snakemake")
    shutil.rmtree(project / "results" / "quick")
    return project


def start(project, cluster, *arguments, **extra):
    variables = cluster.variables(project.variables()["PATH"])
    return project.start("snakemake", *PROFILE, *arguments, **variables, **extra)


def succeeds(process):
    output, _ = process.communicate(timeout=1200)
    assert process.returncode == 0, output
    return output


def waiting(cluster, folder, count):
    """Wait until so many jobs wait for the file ``folder``/wait; return their ids by node."""
    cluster.wait(lambda: len(list(folder.glob("wait.*"))) == count, f"{count} jobs", 300)
    lines = cluster.call("squeue", "--noheader", "--states=R", "--format=%N %i").splitlines()
    return dict(line.split() for line in lines)


def test_the_same_bytes_as_without_a_cluster(cluster, unmade, finished):
    output = succeeds(start(unmade, cluster))
    # One for both batches that train, one for each other, one for all that follows.
    assert output.count("has been submitted with SLURM jobid") == 5
    assert contents(unmade / "results", *NUMBERS) == contents(finished / "results", *NUMBERS)
    assert unmade.planned() == {}


def test_a_node_dies(start_cluster, unmade, finished, tmp_path):
    cluster = start_cluster(3)
    wait = tmp_path / "wait"
    wait.touch()
    process = start(
        *(unmade, cluster, "--config", "target_minutes=0", "--", f"{WIDTHS}/runs.parquet"),
        WAIT=f"train:{wait}",
    )
    node, job = min(waiting(cluster, tmp_path, 2).items())
    cluster.kill_node(node)
    cluster.wait(lambda: cluster.states()[node].startswith("down"), f"death of {node}", 120)
    wait.unlink()
    output = succeeds(process)
    # Slurm started it again elsewhere; Snakemake saw nothing but a job that took longer.
    assert "Restarts=1" in cluster.call("scontrol", "show", "job", job)
    assert "rror" not in output
    patterns = [f"quick/widths/{name}" for name in ("trained/*", "records/*", "runs.parquet")]
    assert contents(unmade / "results", *patterns) == contents(finished / "results", *patterns)


def test_jobs_that_slurm_ends(cluster, unmade, finished, tmp_path):
    records = [
        str(file.relative_to(finished.folder)) for file in (finished / SPACING).glob("records/*")
    ]
    wait = tmp_path / "wait"
    wait.touch()
    gpu = ("--set-resources", "simulate:gres=gpu:1")
    process = start(
        *(unmade, cluster, *gpu, "--retries", "0", "--", *records), WAIT=f"simulate:{wait}"
    )
    cluster.wait(lambda: len(list(tmp_path.glob("wait.*"))) == 2, "two jobs", 300)
    cancelled, late = cluster.jobs("RUNNING")
    asked = cluster.call("scontrol", "show", "job", late)
    for part in (
        "NumCPUs=1",
        "MinMemoryNode=1000M",
        "TimeLimit=00:25:00",
        "TresPerNode=gres:gpu:1",
    ):
        assert part in asked
    # Its jobs go on, and no other is started.
    cluster.call("scontrol", "update", "NodeName=node1", "State=DRAIN", "Reason=test")
    cluster.call("scancel", cancelled)
    cluster.call("scontrol", "update", f"JobId={late}", "EndTime=now")
    output, _ = process.communicate(timeout=1200)
    assert process.returncode != 0
    assert f"SLURM-job '{cancelled}' failed, SLURM status is: 'CANCELLED'" in output
    assert f"SLURM-job '{late}' failed, SLURM status is: 'TIMEOUT'" in output
    assert not any((unmade / file).exists() for file in records)

    wait.unlink()
    process = start(unmade, cluster, "--", *records)
    cluster.wait(lambda: len(cluster.jobs("PENDING")) == 2, "two jobs that wait", 300)
    assert cluster.states() == {"node1": "drained"}
    cluster.call("scontrol", "update", "NodeName=node1", "State=RESUME")
    succeeds(process)
    pattern = "quick/spacing/records/*"
    assert contents(unmade / "results", pattern) == contents(finished / "results", pattern)
