"""Thousands of runs leave nothing behind, and the last costs what the first did."""

import shlex
import statistics
import time

import pandas as pd
import pytest
from project import Project
from watching import Watch, in_session

WIDTHS = "config/experiment/widths.yaml"
SWEEP = {
    "model.width": (4, 8),
    "data.train_size": tuple(range(20, 40)),
    "seed": tuple(range(125)),
}
RUNS, BATCHES = 5000, 50


def ends(values):
    """Return the means of the first and of the last tenth."""
    part = max(1, len(values) // 10)
    return statistics.mean(values[:part]), statistics.mean(values[-part:])


def disk_use(folder):
    """Return the bytes on disk below a folder; a file of several names counts once."""
    files = [file.stat() for file in folder.rglob("*") if file.is_file()]
    return sum({stat.st_ino: 512 * stat.st_blocks for stat in files}.values())


@pytest.mark.soak
@pytest.mark.workflow
def test_five_thousand_runs(tmp_path, capsys):
    project = Project.mini(tmp_path / "project")
    for name in ("images", "spacing"):
        (project / f"config/experiment/{name}.yaml").unlink()
    old = "model.width: 4,8\n      data.train_size: 32,64\n      seed: 0,1,2\n"
    lines = [f"{key}: {','.join(map(str, values))}\n" for key, values in SWEEP.items()]
    project.edit(WIDTHS, old, "      ".join(lines))
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    output = tmp_path / "output"
    command = f"exec setsid snakemake --cores 2 > {shlex.quote(str(output))} 2>&1"
    began = time.monotonic()
    process = project.start("sh", "-c", command, TMPDIR=str(temporary))
    with Watch(process.pid) as watch:
        status = process.wait()
    seconds = time.monotonic() - began
    assert status == 0, output.read_text()[-5000:]
    assert list(in_session(process.pid)) == []
    assert list(temporary.iterdir()) == []
    results = project / "results/quick"
    left = [path for path in results.rglob("*") if path.suffix in (".part", ".unfinished")]
    assert left == []

    table = pd.read_parquet(results / "widths/runs.parquet")
    loss = table[(table["quantity"] == "test_loss")]
    assert loss["run"].nunique() == len(loss) == RUNS
    keys = loss.set_index(list(SWEEP)).index
    assert set(keys) == set(pd.MultiIndex.from_product(SWEEP.values()))
    assert loss["value"].notna().all()

    report = [f"{RUNS} runs in {seconds:.0f} s"]
    for stage in ("train", "measure"):
        peaks = list(watch.peaks[stage].values())
        # A process that begins and ends between two looks is not seen.
        assert 0.95 * BATCHES <= len(peaks) <= BATCHES
        first, last = ends(peaks)
        report.append(f"{stage}: {len(peaks)} jobs, peak {first:.0f} then {last:.0f} KiB")
        assert last < 1.02 * first
    # The graph of jobs is built first.
    steady = watch.leader[len(watch.leader) // 10 :]
    for name in ("rss", "files", "threads"):
        first, last = ends([getattr(seen, name) for seen in steady])
        report.append(f"snakemake {name}: {first:.1f} then {last:.1f}")
    for folder in ("results", ".snakemake"):
        report.append(f"{folder}: {disk_use(project / folder) / RUNS:.0f} bytes a run")
    with capsys.disabled():
        print(*report, sep="\n")
    first, last = ends([seen.rss for seen in steady])
    assert last < 1.1 * first
    first, last = ends([seen.files for seen in steady])
    assert last < first + 3
    # Snakemake 9 holds up to one sleeping timer for each job done, as long as others wait.
    assert max(seen.threads for seen in steady) < 2 * BATCHES + 40
    assert disk_use(project / "results") < RUNS * 10_000
