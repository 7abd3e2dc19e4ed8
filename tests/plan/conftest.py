import shutil

import pytest
from workplace import Workplace


@pytest.fixture
def workplace(tmp_path):
    return Workplace.new(tmp_path)


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    made = Workplace.new(tmp_path_factory.mktemp("template"))
    made.plan()
    return made.config.parent


@pytest.fixture
def planned(template, tmp_path):
    shutil.copytree(template, tmp_path / "copy")
    return Workplace(tmp_path / "copy")
