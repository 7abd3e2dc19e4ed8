"""The documentation says what is so: its example runs, its scoreboard is the committed one."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from project import MINI

from dimlaws.claims.table import counts, read_verdicts

ROOT = Path(__file__).parents[2]


@pytest.mark.workflow
@pytest.mark.slow
def test_the_worked_example_runs_as_it_stands(tmp_path):
    page = (ROOT / "docs" / "add-an-experiment.md").read_text(encoding="utf-8")
    files = dict(re.findall(r"Save as `([^`]+)`:\n\n```\w+\n(.*?)```", page, flags=re.DOTALL))
    assert set(files) == {
        "config/experiment/depth_on_sphere.yaml",
        "src/dimlaws/figures/depth_on_sphere.py",
    }
    for name in ("Snakefile", "environment.yml", "workflow", "config", "src"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    commands = re.findall(r"^snakemake --cores 2 .*", page, flags=re.MULTILINE)
    assert len(commands) == 2
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path / "src"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    for command in commands:
        done = subprocess.run(
            command.split(), cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    (verdict,) = read_verdicts(tmp_path / "results/smoke/depth_on_sphere/verdicts.csv")
    assert verdict.claim == "depth-lowers-loss"
    assert verdict.verdict == "inconclusive"
    assert (tmp_path / "results/smoke/figures/depth_on_sphere.svg").stat().st_size > 1000


def test_the_study_of_the_page_is_the_one_that_is_tested():
    """Up to its figure, the page's study is the one that the other tests here run."""
    page = (ROOT / "docs" / "add-an-experiment.md").read_text(encoding="utf-8")
    study = page.partition("\n## A study\n")[2].partition("\n## ")[0]
    shown = dict(re.findall(r"^```(python|yaml)\n(.*?)^```", study, flags=re.DOTALL | re.MULTILINE))
    tested = (MINI / "spacing.yaml").read_text(encoding="utf-8")
    assert shown["yaml"] == tested.partition("    figure: spacing\n")[0]
    assert shown["python"] == (MINI / "spacing.py").read_text(encoding="utf-8")


def test_the_scoreboard_of_the_readme_is_the_committed_one():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"<!-- scoreboard -->\n```text\n(.*?)```", text, flags=re.DOTALL)
    committed = read_verdicts(ROOT / "results" / "paper" / "verdicts.csv")
    assert shown.strip() == counts(committed).strip()


def test_reliability_names_tests_that_there_are():
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    file, found = None, 0
    # A name without a file stands in the file named before it.
    for name, test in re.findall(r"`([\w/]+\.py)?(?:::(\w+))?`", text):
        file = name or file
        if name or test:
            content = (ROOT / "tests" / file).read_text(encoding="utf-8")
            assert not test or f"def {test}(" in content, f"{file}::{test}"
            found += 1
    assert found > 40
