"""Parsing costs little where everything is planned: each command of Snakemake parses."""

import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

PARSE = """
import sys, time
from pathlib import Path
from dimlaws.plan.layout import Layout
layout = Layout.parse(Path("config"), Path("results"), "quick", [], target_minutes=5, main=True)
for name in ("hydra", "omegaconf", "torch", "pandas"):
    assert name not in sys.modules, name
print(time.process_time())
"""


def test_cpu_seconds_of_parsing(finished):
    # Whole process: the interpreter's start, all imports, and reading the plan.
    done = finished.call("python", "-c", PARSE)
    assert done.status == 0, done.output
    assert float(done.output) < 1.0
