"""The same bytes on however many cores and in whatever order; the same verdicts elsewhere."""

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from project import NUMBERS, Project, contents

from dimlaws.claims.table import read_verdicts
from dimlaws.stages.records import read_records

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

JOBS = Path(__file__).with_name("jobs_in_one_process.py")
RESULTS = (*NUMBERS, "quick/*/plan/**/*.json", "quick/figures/*")

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2")

OLD_PROCESSOR = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",  # unlike MKL_ENABLE_INSTRUCTIONS, on processors of all makers
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "OPENBLAS_CORETYPE": "Nehalem",
}
"""What the libraries do on a processor without AVX: other instructions, sums in another order."""

x86 = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="its libraries take no orders"
)

PRODUCTS = """
import numpy, torch
for dtype in (numpy.float32, numpy.float64):
    a, b = numpy.random.default_rng(0).standard_normal((2, 60, 60)).astype(dtype)
    print((a @ b).tobytes().hex(), (torch.tensor(a) @ torch.tensor(b)).numpy().tobytes().hex())
"""


def plan(project):
    """Write the plans; return the commands of all jobs that Snakemake would run."""
    done = project.snakemake("-n", "-p", "--forceall")
    found = re.findall(r"^Shell command: (dimlaws .*)$", done.output, flags=re.MULTILINE)
    assert len(found) == sum(done.jobs.values()) > 0
    # Snakemake prints them in an order that changes.
    return sorted(command for command in found if not command.startswith("dimlaws fetch "))


@pytest.fixture(scope="module")
def planned(finished, tmp_path_factory):
    """The small experiments with their data, and with plans alone; the commands of their jobs."""
    project = finished.copy(tmp_path_factory.mktemp("planned") / "project")
    shutil.rmtree(project / "results/quick")
    return project, plan(project)


def by_hand(planned, folder, seed, **environment):
    """Run all jobs in a shuffled order in one process; return the project and the stages."""
    project, commands = planned
    project = project.copy(folder)
    process = subprocess.run(
        [sys.executable, JOBS, str(seed)],
        cwd=project.folder,
        env=project.variables(environment),
        input="\n".join(commands),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return project, process.stdout.split()


def test_one_core_and_another_order(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    for folder in ("results/quick", ".snakemake"):
        shutil.rmtree(project / folder)
    first = "results/quick/widths/runs.parquet"
    done = project.make("--cores", "1", "--scheduler", "ilp", "--prioritize", first)
    assert done.output.index("Collect the records of widths") < done.output.index("Measure images")
    assert contents(project / "results", *RESULTS) == contents(finished / "results", *RESULTS)


def test_jobs_by_hand_in_a_shuffled_order(finished, planned, tmp_path):
    project, stages = by_hand(planned, tmp_path / "project", seed=6)
    assert "measure" in stages[stages.index("judge") :]
    assert contents(project / "results", *RESULTS) == contents(finished / "results", *RESULTS)


def test_more_threads_than_one(finished, planned, tmp_path):
    """Training takes one in any case; elsewhere sums may be split among them."""
    project, _ = by_hand(planned, tmp_path / "project", seed=2, **THREADS)
    exact = ("quick/*/trained/*", "quick/*/verdicts.csv", "quick/verdicts.csv")
    assert contents(project / "results", *exact) == contents(finished / "results", *exact)
    assert_same_tables(project, finished, rtol=1e-12)


@x86
def test_another_processor(finished, planned, tmp_path):
    pairs = zip(products(OLD_PROCESSOR), products({}), strict=True)
    assert all(old != new for old, new in pairs)
    project, _ = by_hand(planned, tmp_path / "project", seed=3, **OLD_PROCESSOR)
    trained = "quick/widths/trained/*"
    assert contents(project / "results", trained) != contents(finished / "results", trained)
    # The training of the widths takes a hundred steps in float32; 3e-6 was seen.
    assert_same_tables(project, finished, rtol=1e-4)
    assert_same_verdicts(project, finished)


@x86
def test_shipped_experiments_on_another_processor(tmp_path):
    """Two of those that are quick and sum much: projections, and spectra of kernels."""
    project = Project.new(tmp_path / "project")
    names = ("denoising_alignment", "diffusion_spectral_entropy")
    for file in (project / "config/experiment").glob("*.yaml"):
        if file.stem not in names:
            file.unlink()
    planned = project, plan(project)
    here, _ = by_hand(planned, tmp_path / "here", seed=4)
    there, _ = by_hand(planned, tmp_path / "there", seed=5, **OLD_PROCESSOR)
    for name in names:
        records = f"quick/{name}/records/*"
        assert contents(there / "results", records) != contents(here / "results", records)
    assert_same_verdicts(there, here)


def products(environment):
    """Return matrix products of numpy and torch in both precisions, to the last bit."""
    done = subprocess.run(
        [sys.executable, "-c", PRODUCTS],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def assert_same_tables(project, other, rtol):
    for name in ("widths", "images", "spacing"):
        table, expected = (
            read_records(folder / f"results/quick/{name}/runs.parquet")[0]
            for folder in (project, other)
        )
        pd.testing.assert_frame_equal(table, expected, rtol=rtol, atol=0)


def assert_same_verdicts(project, other):
    """Equal words, and estimates that differ by far less than they are uncertain."""
    rows, expected = (
        read_verdicts(folder / "results/quick/verdicts.csv") for folder in (project, other)
    )
    decided = [row.verdict for row in expected if row.verdict != "inconclusive"]
    assert decided
    for row, twin in zip(rows, expected, strict=True):
        assert (row.claim, row.verdict, row.n) == (twin.claim, twin.verdict, twin.n)
        # What is zero but for rounding is uncertain by nothing but rounding.
        assert abs(row.estimate - twin.estimate) <= 0.01 * (twin.ci_high - twin.ci_low) + 1e-12
