"""While a Snakemake is at work, its plan stays as it is."""

import pytest

from dimlaws.plan.files import PlanInUseError
from dimlaws.plan.layout import Layout


@pytest.fixture
def locked(planned):
    locks = planned.config.parent / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/smoke/widths/runs.parquet\n")
    return planned


def everything(folder):
    return {
        file: (file.read_bytes(), file.stat().st_mtime_ns)
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_a_plan_that_would_change_is_refused_and_stays(locked):
    locked.edit("model.width: ${size.widths}", "model.width: 4,8,16")
    before = everything(locked.results)
    with pytest.raises(PlanInUseError, match="the plan of widths at scale smoke would change"):
        locked.plan()
    assert everything(locked.results) == before
    (locked.config.parent / ".snakemake/locks/0.output.lock").unlink()
    locked.plan()
    assert len(locked.batches()) == 3


def test_so_is_a_scale_that_was_not_planned(locked):
    with pytest.raises(PlanInUseError, match="at scale quick"):
        locked.plan("quick")
    assert not (locked.results / "quick").exists()


def test_what_changes_no_content_is_planned_without_a_write(locked):
    before = everything(locked.results)
    expected = locked.plan()
    locked.edit("description:", "# A comment.\ndescription:")
    assert locked.plan() == expected
    assert everything(locked.results) == before


def test_a_lock_can_be_taken_away_whatever_the_configuration(locked):
    locked.experiment.write_text("a: [")
    before = everything(locked.results)
    layout = Layout.parse(
        *(locked.config, locked.results, "smoke", ["--unlock"]), target_minutes=5, main=True
    )
    assert layout.experiment_names == []
    assert everything(locked.results) == before
