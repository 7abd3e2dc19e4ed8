from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from dimlaws.dependencies import fingerprint
from dimlaws.errors import ConfigError
from dimlaws.plan.layout import GROUP_SIZES, Layout

PROFILES = Path(__file__).parents[2] / "workflow" / "profiles"

IMAGES = """\
# @package _global_
defaults:
  - /measure@measures.intrinsic_dimension: intrinsic_dimension
  - override /data: digits
  - override /model: null
  - override /training: null
hydra: {sweeper: {params: {data: "digits,usps"}}}
claims:
  digits-low:
    paper: pope
    chapter: 1
    statement: Few.
    quantity:
      _target_: dimlaws.claims.quantities.means.mean_value
      measure: intrinsic_dimension
      quantity: dimension
    judge: threshold
    expected: [null, 10]
    region_source: ours
    figure: FIGURE
figures:
  both:
    _target_: dimlaws.figures.prunability_of_images.draw
    experiments: [widths, images]
    components: widths
    resolution: images
"""


def cards(experiment="widths", scale="smoke", **more):
    return SimpleNamespace(experiment=experiment, scale=scale, **more)


def parse(workplace, arguments=(), scale="smoke", main=True, minutes=5):
    return Layout.parse(
        *(workplace.config, workplace.results, scale, arguments),
        target_minutes=minutes,
        main=main,
    )


@pytest.fixture
def layout(planned, monkeypatch):
    monkeypatch.setenv("DIMLAWS_DATA", "/sets")
    (planned.config / "experiment" / "images.yaml").write_text(IMAGES.replace("FIGURE", "both"))
    return parse(planned)


def batch_of(layout, experiment="widths", place=0):
    return list(layout.experiments["smoke"][experiment].batches)[place]


def test_paths_of_a_trained_batch(layout, planned):
    batch = batch_of(layout)
    wildcards = cards(batch=batch)
    assert layout.sets(wildcards) == []
    assert layout.trained(wildcards) == [
        f"{planned.results}/smoke/widths/trained/{batch}.safetensors"
    ]


def test_paths_of_a_batch_of_a_real_set(layout):
    found = [
        layout.sets(cards("images", batch=batch_of(layout, "images", place))) for place in (0, 1)
    ]
    assert sorted(found) == [["/sets/digits.safetensors"], ["/sets/usps.safetensors"]]
    assert layout.trained(cards("images", batch=batch_of(layout, "images"))) == []


def test_paths_of_an_experiment(layout, planned):
    folder = f"{planned.results}/smoke/widths"
    assert sorted(layout.records(cards())) == sorted(
        f"{folder}/records/{batch}.parquet" for batch in planned.batches()
    )


def test_paths_of_a_figure(layout, planned):
    root = f"{planned.results}/smoke"
    assert layout.figure_plan(cards(figure="widths")) == f"{root}/widths/plan/figures/widths.json"
    assert layout.figure_runs(cards(figure="widths")) == [f"{root}/widths/runs.parquet"]
    assert layout.figure_plan(cards(figure="both")) == f"{root}/images/plan/figures/both.json"
    assert layout.figure_runs(cards(figure="both")) == [
        f"{root}/widths/runs.parquet",
        f"{root}/images/runs.parquet",
    ]


def test_paths_of_a_scale(layout, planned):
    root = f"{planned.results}/smoke"
    assert layout.report("smoke") == f"{root}/report"
    assert layout.all_figures(cards()) == [f"{root}/figures/both.svg", f"{root}/figures/widths.svg"]
    assert layout.all_verdicts(cards()) == [
        f"{root}/images/verdicts.csv",
        f"{root}/widths/verdicts.csv",
    ]
    assert layout.all_verdict_checksums(cards()) == [
        f"{file}.sha256" for file in layout.all_verdicts(cards())
    ]
    assert len(layout.all_records(cards())) == 4
    assert len(layout.all_trained(cards())) == 2
    plans = layout.all_plans(cards())
    assert all(Path(file).is_file() for file in plans)
    assert {Path(file) for file in plans} == {
        file for file in planned.results.rglob("*.json") if file.name != "index.json"
    }


def test_what_the_indices_say_is_digested(layout, planned):
    before = layout.plan_content(cards())
    # Read back, it says the same.
    assert parse(planned).plan_content(cards()) == before
    planned.edit("  depth: 1", "  depth: 1  # layers")
    assert parse(planned).plan_content(cards()) == before
    planned.edit("Test loss against width.", "Test loss.")
    assert parse(planned).plan_content(cards()) != before


def test_code_is_that_of_the_stage_and_its_targets(layout):
    batch = cards(batch=batch_of(layout))
    targets = ["dimlaws.data.manifolds", "dimlaws.models.mlp", "dimlaws.training.recipe"]
    assert layout.training_code(batch) == fingerprint(["dimlaws.stages.train", *targets])
    assert layout.measuring_code(batch) == fingerprint(
        ["dimlaws.stages.measure", *targets, "dimlaws.measures.generalization"]
    )
    assert layout.judging_code(cards()) == fingerprint(
        ["dimlaws.stages.judge", "dimlaws.claims.quantities.exponents"]
    )
    assert layout.figure_code(cards(figure="both")) == fingerprint(
        ["dimlaws.stages.figure", "dimlaws.figures.prunability_of_images"]
    )
    assert layout.report_code() == layout.report_code() != layout.code("dimlaws.report.site")


def test_what_a_batch_asks_of_a_cluster(layout):
    batch = batch_of(layout)
    index = layout.experiments["smoke"]["widths"]
    assert 600 < index.batches[batch]["memory_mb"] < 900
    # Four runs of 50 steps.
    assert 0.004 < index.batches[batch]["train_seconds"] < 0.02
    index.batches[batch].update(memory_mb=700, train_seconds=90.0, runs=4)
    wildcards = cards(batch=batch)
    assert [layout.memory(wildcards, attempt) for attempt in (1, 2, 3)] == [700, 1400, 2100]
    assert [layout.training_time(wildcards, attempt) for attempt in (1, 2)] == [11, 22]
    assert [layout.measuring_time(wildcards, attempt) for attempt in (1, 2)] == [25, 50]
    assert [layout.simulating_time(wildcards, attempt) for attempt in (1, 2)] == [14, 28]


def test_batches_that_train_briefly_share_cluster_jobs(layout):
    batches = layout.experiments["smoke"]["widths"].batches
    # Each takes ten seconds more to start; five minutes are 300.
    seconds = {0.0: 16, 8.0: 16, 9.0: 8, 28.0: 4, 65.0: 4, 66.0: 2, 140.0: 2, 141.0: None}
    batch, entry = next(iter(batches.items()))
    for value, size in seconds.items():
        entry["train_seconds"] = value
        expected = None if size is None else f"short{size}"
        assert layout.group(cards(batch=batch)) == expected
    assert layout.group(cards("images", batch=batch_of(layout, "images"))) is None


@pytest.mark.parametrize("name", ["slurm", "kubernetes"])
def test_profiles_know_the_sizes_of_groups(name):
    profile = yaml.safe_load((PROFILES / name / "profile.yaml").read_text())
    assert profile["group-components"] == [f"short{size}={size}" for size in GROUP_SIZES]


def test_no_batch_shares_a_cluster_job_of_no_minutes(planned):
    layout = parse(planned, minutes="0")
    assert layout.group(cards(batch=batch_of(layout))) is None


@pytest.mark.parametrize("minutes", ["many", -1, "inf", "nan", None])
def test_minutes_that_are_none_are_refused(planned, minutes):
    with pytest.raises(ConfigError, match=r"target_minutes: .* is no number of minutes >= 0"):
        parse(planned, minutes=minutes)


def test_pins_are_those_of_the_configuration(layout):
    assert layout.pin("digits").startswith("be930c6ebcab")
    with pytest.raises(ConfigError, match="no data set 'digit'; did you mean 'digits'"):
        layout.pin("digit")


def test_scales_that_targets_name_are_planned_too(planned):
    root = planned.results
    arguments = ["snakemake", f"{root}/quick/figures/widths.svg", f"{root}/nothing/x", "paper"]
    layout = parse(planned, arguments)
    assert sorted(layout.experiments) == ["quick", "smoke"]
    assert layout.scales == ["paper", "quick", "smoke"]
    assert len(layout.experiments["quick"]["widths"].batches) == 3


def test_a_job_of_a_cluster_does_not_plan(planned):
    planned.edit("depth: 1", "dpeth: 1")
    layout = parse(planned, main=False)
    assert set(layout.experiments["smoke"]["widths"].batches) == set(planned.batches())


def test_a_claim_names_a_figure_of_any_experiment(planned):
    images = planned.config / "experiment" / "images.yaml"
    images.write_text(IMAGES.replace("FIGURE", "width"))
    before = planned.files()
    with pytest.raises(ConfigError, match=r"images\.yaml: claims.*figure 'width'.*'widths'\?"):
        parse(planned)
    assert planned.files() == before
    images.write_text(IMAGES.replace("FIGURE", "widths"))
    assert parse(planned).experiments["smoke"]["images"].claim_figures == {"digits-low": "widths"}
