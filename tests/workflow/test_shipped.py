"""The experiments of the repository at scale smoke, from data sets to the report."""

import csv
import json
import time

import pandas as pd
import pytest
import yaml
from project import Project

from dimlaws.data.fetch import verify

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

# fmt: off
VERDICT = [
    "claim", "paper", "chapter", "statement", "quantity", "judge", "expected_low",
    "expected_high", "published", "published_source", "estimate", "ci_low", "ci_high", "n",
    "verdict", "reason", "experiment", "figure",
]
# fmt: on
PROVENANCE = {"scale", "sha256", "git", "packages", "machine", "threads", "experiments"}


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    project = Project.new(tmp_path_factory.mktemp("shipped") / "smoke")
    project.link_data()
    project.make("--config", "scale=smoke")
    return project


@pytest.fixture(scope="module")
def experiments(smoke):
    return {
        file.stem: yaml.safe_load(file.read_text())
        for file in (smoke / "config/experiment").glob("*.yaml")
    }


def test_runs(smoke, experiments):
    for name, content in experiments.items():
        folder = smoke / f"results/smoke/{name}"
        table = pd.read_parquet(folder / "runs.parquet")
        assert list(table.columns[:6]) == ["run", "batch", "seed", "measure", "quantity", "value"]
        # One column for each swept key, by its dotted name.
        assert set(content["hydra"]["sweeper"]["params"]) <= set(table.columns)
        planned = {}
        for file in (folder / "plan").glob("*.json"):
            if len(file.stem) == 12:
                planned |= {run["id"]: file.stem for run in json.loads(file.read_text())["runs"]}
        assert dict(zip(table["run"], table["batch"], strict=True)) == planned
        measures = json.loads((folder / "plan/measures.json").read_text())
        study = content.get("study", {}).get("_target_", "")
        assert set(table["measure"]) == set(measures or [study.rpartition(".")[2]])
        assert table["value"].dtype == "float64"
        assert table["value"].notna().all()


def test_verdicts(smoke, experiments):
    with (smoke / "results/smoke/verdicts.csv").open(newline="") as stream:
        header, *rows = list(csv.reader(stream))
    assert header == VERDICT
    verdicts = [dict(zip(header, row, strict=True)) for row in rows]
    claims = {name for content in experiments.values() for name in content.get("claims", {})}
    assert {row["claim"] for row in verdicts} == claims
    assert len(rows) == len(claims)
    for row in verdicts:
        assert row["verdict"] == "inconclusive"
        assert row["reason"]
        assert row["experiment"] in experiments
        assert int(row["n"]) <= 2


def test_scoreboard(smoke):
    done = smoke.call("dimlaws", "verdicts", "--scale", "smoke")
    assert done.status == 0
    with (smoke / "results/smoke/verdicts.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            assert row["claim"] in done.output
    assert "0 reproduced, 0 refuted" in done.output
    done = smoke.call("dimlaws", "verdicts", "--scale", "paper")
    assert done.status == 1
    assert done.output.count("\n") == 1
    assert "snakemake --cores 2 --config scale=paper" in done.output


def test_figures(smoke, experiments):
    names = {name for content in experiments.values() for name in content.get("figures", {})}
    folder = smoke / "results/smoke/figures"
    expected = {f"{name}.{suffix}" for name in names for suffix in ("svg", "png", "pdf", "csv")}
    assert {file.name for file in folder.iterdir()} == expected
    starts = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}
    for file in folder.iterdir():
        if file.suffix == ".csv":
            assert len(pd.read_csv(file)) > 0
        else:
            assert file.read_bytes().startswith(starts[file.suffix[1:]])


def test_report_and_provenance(smoke, experiments):
    provenance = json.loads((smoke / "results/smoke/provenance.json").read_text())
    assert set(provenance) == PROVENANCE
    assert set(provenance["experiments"]) == set(experiments)
    for entry in provenance["experiments"].values():
        for batch in entry["batches"].values():
            stages = [batch[stage] for stage in ("train", "simulate", "measure") if batch[stage]]
            assert stages
            assert all(stage["cpu_seconds"] > 0 for stage in stages)
    page = (smoke / "results/smoke/report/index.html").read_text()
    with (smoke / "results/smoke/verdicts.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            assert row["claim"] in page


def test_data_are_the_pinned_ones(smoke):
    read = set()
    for file in (smoke / "results/smoke").glob("*/plan/index.json"):
        for batch in json.loads(file.read_text())["batches"].values():
            read.update(batch["sets"])
    assert read
    for file in read:
        pin = yaml.safe_load((smoke / f"config/data/{file}.yaml").read_text())["data"]["sha256"]
        verify(smoke / f"results/data/{file}.safetensors", pin)


def test_a_second_run_does_nothing(smoke):
    start = time.monotonic()
    done = smoke.make("--config", "scale=smoke")
    assert done.jobs == {}
    assert time.monotonic() - start < 10


def test_one_figure_is_drawn_again(smoke):
    module = smoke / "src/dimlaws/figures/prunability_vs_dimension.py"
    before = module.read_text()
    module.write_text(f"{before}# edited\n")
    planned = smoke.planned("--config", "scale=smoke")
    module.write_text(before)
    assert planned == {"figure": 1, "report": 1}
