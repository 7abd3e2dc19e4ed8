"""Batch after batch in one process takes no more memory, files or threads than the first ones."""

import gc
import os
from pathlib import Path

import pytest

from dimlaws.stages.batchplan import BatchPlan
from dimlaws.stages.measure import measure_batch
from dimlaws.stages.train import ensemble, train_batch

WARM_UP, LOOPS = 15, 60


def held():
    """Return the bytes, open files and threads of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    files, threads = (len(list(Path(f"/proc/self/{name}").iterdir())) for name in ("fd", "task"))
    return pages * os.sysconf("SC_PAGE_SIZE"), files, threads


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="a process cannot see itself")
def test_nothing_is_left_by_a_batch(place):
    place.write(sizes=(500,), test_size=500, ambient_dim=64)
    _, data = ensemble(BatchPlan.read(place.plan), "cpu")
    # Far more than the allocator keeps back, and less than anything that is kept on purpose.
    leak = LOOPS * data.x.nbytes / 10
    assert leak > 2 * 2**20

    def run():
        place.store.unlink(missing_ok=True)
        train_batch(place.plan, place.trained, place.store)
        measure_batch(place.plan, place.measures, place.trained, place.records, None)

    for _ in range(WARM_UP):
        run()
    before, *others_before = held()
    for _ in range(LOOPS):
        run()
    after, *others_after = held()
    assert others_after == others_before
    assert after - before < leak
    left = sorted(file.name for file in place.folder.rglob("*") if file.is_file())
    assert left == sorted(
        ["batch.json", "measures.json", *["batch.safetensors"] * 2, "batch.parquet"]
    )
