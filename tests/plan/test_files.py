"""What an edit of the configuration changes on disk, and what it leaves as it was."""

import json

import pytest

from dimlaws.errors import ConfigError, DimlawsError
from dimlaws.plan.files import RESERVED, plan_all
from dimlaws.storage import read_json

FOLDER = "smoke/widths/plan"


def changed(before, after):
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_plan_files_hold_every_run_once(planned):
    batches = planned.batches()
    # Two widths, and all else trains together.
    assert len(batches) == 2
    assert [len(runs) for runs in batches.values()] == [4, 4]
    assert len(planned.ids()) == 8
    assert set(planned.files()) == {
        f"{FOLDER}/{name}.json" for name in (*batches, "measures", "claims", "figures/widths")
    }
    points = {
        (run["swept"]["model.width"], run["swept"]["data.train_size"], run["seed"])
        for runs in batches.values()
        for run in runs
    }
    assert points == {(w, n, s) for w in (4, 8) for n in (32, 64) for s in (0, 1)}


def test_index_says_what_was_planned(planned):
    (index,) = planned.plan()
    assert index.name == "widths"
    assert index.description == "Test loss against width."
    assert index.trains
    assert {batch["runs"] for batch in index.batches.values()} == {4}
    assert index.measures == ["dimlaws.measures.generalization.generalization"]
    assert index.quantities == ["dimlaws.claims.quantities.exponents.log_slope"]
    assert index.figures == {"widths": "dimlaws.figures.generalization_vs_width.draw"}
    assert index.figure_experiments == {"widths": ["widths"]}
    assert index.claim_figures == {"loss-falls": "widths"}
    # What is read back is what was planned.
    assert plan_all(planned.config, planned.results, "smoke", write=False) == [index]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  kind: torus\n  intrinsic_dim: 2\n", "  intrinsic_dim: 2\n  kind: torus\n"),
        ("  depth: 1\n", "  depth:   1   # layers\n\n\n"),
        ("  depth: 1\n", "  depth: 1\n  activation: relu\n  bias: true\n"),
        ("  steps: 50\n", "  steps: 50\n  weight_decay: 0\n  momentum: 0.0\n"),
        ("train_size: 32,64", "train_size: 64,32"),
        ("train_size: 32,64", "train_size: range(32,65,32)"),
        ('smoke: {widths: "4,8"}', 'smoke: {widths: "choice(8, 4)"}'),
        ("      seed: 0,1\n", "      seed: ${scale.seeds}\n"),
        ('paper: {widths: "4,8,16"}', 'paper: {widths: "4,8,16,32"}'),
        ("description: Test loss against width.", "description: Another sentence."),
        ("measures.generalization: generalization", "measures.generalization: generalization #"),
    ],
)
def test_what_does_not_count_changes_no_plan_file(planned, old, new):
    before = planned.files()
    planned.edit(old, new)
    planned.plan()
    assert planned.files() == before


def test_equal_numbers_are_one_run(planned):
    planned.edit("  steps: 50\n", "  steps: 50\n  learning_rate: 2\n")
    planned.plan()
    before = planned.files()
    planned.edit("learning_rate: 2\n", "learning_rate: 2.0\n")
    planned.plan()
    assert planned.files() == before


def test_a_new_width_is_one_new_batch(planned):
    before = planned.files()
    planned.edit('smoke: {widths: "4,8"}', 'smoke: {widths: "4,8,16"}')
    planned.plan()
    (new,) = changed(before, planned.files())
    assert new not in before
    runs = json.loads(planned.files()[new])["runs"]
    assert {run["swept"]["model.width"] for run in runs} == {16}


def test_a_width_taken_away_takes_its_batch(planned):
    before = planned.files()
    planned.edit('smoke: {widths: "4,8"}', 'smoke: {widths: "8"}')
    planned.plan()
    (gone,) = changed(before, planned.files())
    assert gone in before
    assert len(planned.batches()) == 1


def test_a_new_seed_joins_its_block(planned):
    before, ids, batches = planned.files(), planned.ids(), set(planned.batches())
    planned.edit("seed: 0,1", "seed: 0,1,4")
    planned.plan()
    assert changed(before, planned.files()) == {f"{FOLDER}/{batch}.json" for batch in batches}
    assert set(planned.batches()) == batches
    assert ids < planned.ids()
    assert len(planned.ids()) == 12
    # Of the next block: batches of its own, and the others as they were.
    before = planned.files()
    planned.edit("seed: 0,1,4", "seed: 0,1,4,5")
    planned.plan()
    assert len(changed(before, planned.files())) == 2
    assert not changed(before, planned.files()) & before.keys()


@pytest.mark.parametrize(
    ("old", "new", "file"),
    [
        ("expected: [null, 0]", "expected: [0, null]", "claims.json"),
        ("statement: Test loss falls", "statement: Loss falls", "claims.json"),
        ("    wide: [4, 8]", "    wide: [4, 8, 16]", "figures/widths.json"),
        (
            "claims:\n",
            "measures:\n  intrinsic_dimension:\n    _target_: dimlaws.measures."
            "intrinsic_dimension.measure.intrinsic_dimension\n\nclaims:\n",
            "measures.json",
        ),
    ],
)
def test_an_edit_reaches_one_file(planned, old, new, file):
    before = planned.files()
    planned.edit(old, new)
    planned.plan()
    assert changed(before, planned.files()) == {f"{FOLDER}/{file}"}


def test_unchanged_files_are_not_written(planned):
    times = {file: file.stat().st_mtime_ns for file in planned.results.rglob("*.json")}
    planned.plan()
    assert {file: file.stat().st_mtime_ns for file in times} == times
    planned.edit("expected: [null, 0]", "expected: [0, null]")
    planned.plan()
    touched = {file.name for file in times if file.stat().st_mtime_ns != times[file]}
    assert touched == {"claims.json", "index.json"}


def test_defaults_of_a_measure_written_out_measure_nothing_again(workplace):
    workplace.edit("generalization: generalization", "ids: intrinsic_dimension")
    workplace.edit("measure: generalization", "measure: ids")
    workplace.plan()
    before = workplace.files()
    file = workplace.config / "measure" / "intrinsic_dimension.yaml"
    file.write_text(file.read_text().replace("rows: 2000\n", ""))
    workplace.plan()
    assert workplace.files() == before


@pytest.mark.parametrize("name", ["measures", "claims", "figures/widths", "batch", "index"])
def test_a_missing_file_is_planned_again(planned, name):
    before = planned.files()
    name = next(iter(planned.batches())) if name == "batch" else name
    (planned.results / FOLDER / f"{name}.json").unlink()
    planned.plan()
    assert planned.files() == before


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": "another"}'])
def test_a_damaged_index_is_planned_again(planned, text):
    index = planned.results / FOLDER / "index.json"
    before = index.read_text()
    index.write_text(text)
    planned.plan()
    assert index.read_text() == before


def test_a_crash_between_two_plans_is_noticed(planned, monkeypatch):
    """The old configuration must not be taken for planned where half of the new one is written."""
    before = planned.files()
    planned.edit("depth: 1", "depth: 2")

    def fail(*_):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr("dimlaws.plan.files.write_sealed_json", fail)
        with pytest.raises(OSError, match="disk full"):
            planned.plan()
    assert planned.files() != before
    planned.edit("depth: 2", "depth: 1")
    planned.plan()
    assert planned.files() == before


def test_a_job_reads_the_plan_as_it_was_written(planned):
    before = planned.files()
    planned.edit("depth: 1", "dpeth: 1")
    (index,) = plan_all(planned.config, planned.results, "smoke", write=False)
    assert set(index.batches) == set(planned.batches())
    assert planned.files() == before
    with pytest.raises(DimlawsError, match=r"quick/widths/plan/index\.json is missing"):
        plan_all(planned.config, planned.results, "quick", write=False)


def test_a_renamed_option_with_equal_content_is_noticed(planned):
    index = planned.results / FOLDER / "index.json"
    before = read_json(index)["key"]
    (planned.config / "model" / "mlp.yaml").rename(planned.config / "training" / "mlp.yaml")
    with pytest.raises(ConfigError, match="model: no option 'mlp'"):
        planned.plan()
    (planned.config / "training" / "mlp.yaml").rename(planned.config / "model" / "mlp.yaml")
    planned.plan()
    assert read_json(index)["key"] == before


def test_scales_are_planned_apart(planned):
    before = planned.files()
    planned.plan("quick")
    after = planned.files()
    assert {name for name in after if name.startswith("smoke/")} == before.keys()
    assert len([name for name in after if name.startswith("quick/")]) == len(before) + 1


def test_an_unknown_scale_is_named(planned):
    with pytest.raises(ConfigError, match="no scale 'qick'; did you mean 'quick'"):
        planned.plan("qick")


def test_without_a_configuration_the_place_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no folder 'nowhere' here"):
        plan_all(tmp_path.relative_to(tmp_path) / "nowhere", tmp_path, "smoke", write=True)


@pytest.mark.parametrize("name", ["a-b", "a b", "ä", *RESERVED])
def test_names_that_make_no_path_are_refused(planned, name):
    before = planned.files()
    (planned.config / "experiment" / f"{name}.yaml").write_text("")
    with pytest.raises(ConfigError, match=rf"config/experiment/{name}\.yaml: rename the file"):
        planned.plan()
    assert planned.files() == before


@pytest.mark.parametrize("same", ["figures.widths", "claims.loss-falls"])
def test_two_experiments_do_not_share_a_name(planned, same):
    before = planned.files()
    text = planned.experiment.read_text()
    if same != "claims.loss-falls":
        text = text.replace("  loss-falls:", "  other:")
    else:
        text = text.replace("figures:\n  widths:", "figures:\n  other:").replace(
            "figure: widths", "figure: other"
        )
    (planned.config / "experiment" / "again.yaml").write_text(text)
    with pytest.raises(ConfigError, match=rf"widths\.yaml: {same}: the experiment again has one"):
        planned.plan()
    assert planned.files() == before
