"""What a job checks before it computes: its plan files, and the data sets that its runs read.

The computing stages do not import this, so an edit here recomputes nothing.
"""

from pathlib import Path

from dimlaws.data.fetch import verify
from dimlaws.data.location import data_path
from dimlaws.plan.checked import check_plan_file
from dimlaws.plan.data_sets import fetched_set
from dimlaws.stages.batchplan import BatchPlan


def check_batch(plan_file: Path, *others: Path) -> None:
    """Check plan files, that of a batch first, and each fetched set that its runs read.

    Raises
    ------
    CorruptFileError
        if one is not what it was when it was planned or fetched; says which.
    """
    for file in (plan_file, *others):
        check_plan_file(file)
    nodes = [run["config"].get("data") for run in BatchPlan.read(plan_file).runs]
    pins = {name: node["sha256"] for node in nodes if (name := fetched_set(node)) is not None}
    for name, sha256 in sorted(pins.items()):
        verify(data_path(name), sha256)
