"""Ten thousand runs are planned in under ten seconds, and a plan that stands costs next to none."""

import subprocess
import sys
import time

import pytest

INTERPOLATED = "  label_sharpness: ${oc.select:constants.sharpness.${data.train_size},2.5}\n"


@pytest.mark.slow
@pytest.mark.parametrize("interpolated", [False, True])
def test_ten_thousand_runs(workplace, interpolated):
    workplace.edit("data.train_size: 32,64", "data.train_size: range(1,101)")
    workplace.edit("seed: 0,1", "seed: range(0,50)")
    if interpolated:
        workplace.edit("  ambient_dim: 8\n", f"  ambient_dim: 8\n{INTERPOLATED}")
        workplace.edit("data:\n", 'constants:\n  sharpness: {"7": 3.5}\n\ndata:\n')
    start = time.process_time()
    (index,) = workplace.plan()
    seconds = time.process_time() - start
    assert sum(batch["runs"] for batch in index.batches.values()) == 10_000
    assert seconds < 10
    start = time.process_time()
    workplace.plan()
    assert time.process_time() - start < 0.5


SCRIPT = """
import sys
from pathlib import Path
from dimlaws.plan.layout import Layout
layout = Layout.parse(Path("config"), Path("results"), "smoke", [], target_minutes=5, main=True)
assert layout.experiments["smoke"]["widths"].batches
for module in {modules}:
    assert module not in sys.modules, module
"""


def parse(folder, modules):
    subprocess.run([sys.executable, "-c", SCRIPT.format(modules=modules)], cwd=folder, check=True)


def test_a_plan_that_stands_is_read_without_hydra(planned):
    parse(planned.config.parent, ["torch", "pandas", "scipy", "hydra", "omegaconf"])


def test_planning_imports_no_torch(planned):
    planned.edit("depth: 1", "depth: 2")
    parse(planned.config.parent, ["torch", "pandas", "matplotlib", "sklearn", "pyarrow"])
