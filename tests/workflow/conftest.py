import pytest
from project import Project


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
