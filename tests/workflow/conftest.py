import importlib.util
import os

import pytest
from project import Project
from slurm import Cluster, missing_programs


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The small experiments, run to the end; tests copy it before they change anything."""
    project = Project.mini(tmp_path_factory.mktemp("workflow") / "finished")
    project.make()
    return project


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished project."""
    return finished.copy(tmp_path / "project")


@pytest.fixture(scope="session")
def start_cluster():
    """A function that starts a Slurm of some nodes; they are stopped in the end."""
    plugin = "snakemake_executor_plugin_slurm"
    missing = missing_programs() + [plugin] * (importlib.util.find_spec(plugin) is None)
    if missing:
        reason = f"not installed: {', '.join(missing)}"
        # Continuous integration must not pass because it tested nothing.
        if os.environ.get("DIMLAWS_REQUIRE_CLUSTER"):
            pytest.fail(reason)
        pytest.skip(reason)
    clusters: list[Cluster] = []

    def start(nodes: int) -> Cluster:
        clusters.append(Cluster(nodes))
        clusters[-1].start()
        return clusters[-1]

    yield start
    for cluster in clusters:
        cluster.stop()


@pytest.fixture(scope="session")
def cluster(start_cluster):
    """A Slurm of one node."""
    return start_cluster(1)
