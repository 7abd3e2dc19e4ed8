"""Planning an experiment with nothing to train."""

import hashlib
import json
import re
from types import SimpleNamespace

import pytest

from dimlaws.dependencies import fingerprint
from dimlaws.errors import ConfigError
from dimlaws.plan.layout import Layout, one_of
from dimlaws.plan.runs import plan_run
from dimlaws.storage import read_json

TARGET = "dimlaws.studies.spacing.spacing"
EXPERIMENT = "config/experiment/spacing.yaml"


@pytest.fixture
def file(planned, spacing_study):
    """The file of the study, beside the experiment ``widths``, which trains."""
    path = planned.config / "experiment" / "spacing.yaml"
    path.write_text(spacing_study)
    return path


def batches(workplace, scale="smoke"):
    folder = workplace.results / scale / "spacing" / "plan"
    index = read_json(folder / "index.json")
    return {batch: read_json(folder / f"{batch}.json")["runs"] for batch in index["batches"]}


def test_the_index_says_that_nothing_is_trained_or_measured(planned, file):
    index = next(index for index in planned.plan() if index.name == "spacing")
    assert (index.trains, index.simulates, index.measures) == (False, True, [])
    assert sorted(index.batches) == sorted(batches(planned))
    for batch in index.batches.values():
        assert batch == {
            **{"runs": 6, "sets": [], "targets": [TARGET]},
            **{"memory_mb": 1000, "train_seconds": 0.0},
        }
    (other,) = (index for index in planned.plan() if index.name == "widths")
    assert (other.trains, other.simulates) == (True, False)
    assert [batch["targets"][0] for batch in other.batches.values()] == [
        "dimlaws.data.manifolds.Manifold"
    ] * 2


def test_per_run_keys_share_a_batch(planned, file):
    planned.plan("paper")
    found = [
        sorted((run["swept"]["study.dim"], run["swept"]["study.rows"], run["seed"]) for run in runs)
        for runs in batches(planned, "paper").values()
    ]
    # rows is per run, dim is not; of ten seeds, five are a block.
    assert sorted(found) == [
        [(dim, rows, seed) for rows in (100, 400, 1600) for seed in block]
        for dim in (1, 2)
        for block in (range(5), range(5, 10))
    ]


def test_the_id_is_a_hash_of_study_and_seed(spacing_study):
    study = {"_target_": TARGET, "rows": 8, "dim": 1}
    run = plan_run({"study": study, "seed": 3, "data": None}, {"study.rows": 8})
    text = (
        '{"data":null,"model":null,"seed":3,'
        f'"study":{{"_target_":"{TARGET}","rows":8}},"training":null}}'
    )
    assert json.loads(text)
    assert run.id == hashlib.sha256(text.encode()).hexdigest()[:12]
    assert run.config == {
        "data": None,
        "model": None,
        "training": None,
        # The default dim=1 is no part of it.
        "study": {"_target_": TARGET, "rows": 8},
    }
    assert plan_run({"study": {**study, "rows": 9}, "seed": 3}, {}).id != run.id


def test_a_run_without_a_study_does_not_mention_one(planned):
    for run in (run for runs in planned.batches().values() for run in runs):
        assert list(run["config"]) == ["data", "model", "training"]


def test_an_edited_value_plans_its_runs_only(planned, file):
    planned.plan()
    before = {run["id"] for runs in batches(planned).values() for run in runs}
    file.write_text(file.read_text().replace("100,400,1600", "100,400,1601"))
    planned.plan()
    after = {run["id"] for runs in batches(planned).values() for run in runs}
    # Two dimensions and two seeds.
    assert len(after - before) == len(before - after) == 4


FAULTS = {
    "study and data": (
        "  - override /data: null\n",
        "",
        "study: set data to null beside a study, or take the study away",
    ),
    "study and all": (
        "defaults:\n  - override /data: null\n  - override /model: null\n"
        "  - override /training: null\n",
        "",
        "study: set data, model, training to null beside a study",
    ),
    "neither": (
        "study:\n  _target_: dimlaws.studies.spacing.spacing\n  rows: 100\n  dim: 1\n",
        "constants: {}\n",
        "data: null is for studies only; set data, or a study",
    ),
    "study and measures": (
        "defaults:\n",
        "defaults:\n  - /measure@measures.generalization: generalization\n",
        "study: it makes its records itself; drop the measures generalization",
    ),
    "key": (
        "  rows: 100\n",
        "  rows: 100\n  rosw: 100\n",
        "study.rosw: unknown key; did you mean 'rows'?",
    ),
    "value": ("rows: 100,400,1600", "rows: 100,0", "study.rows: 0 is out of range"),
    "swept key": (
        "study.rows: 100",
        "study.rosw: 100",
        "hydra.sweeper.params.study.rosw: the configuration of study sets no 'rosw'",
    ),
    "function": (
        f"_target_: {TARGET}",
        f"_target_: {TARGET}s",
        "study._target_: dimlaws.studies.spacing has no 'spacings'",
    ),
    "home": (
        f"_target_: {TARGET}",
        "_target_: dimlaws.storage.write_text",
        "study._target_: 'dimlaws.storage.write_text' does not lie in dimlaws.studies",
    ),
    "measure of a claim": (
        "measure: spacing ",
        "measure: spaces ",
        "claims.spacing-falls.quantity.measure: no measure 'spaces' here; did you mean 'spacing'?",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_file_and_key(planned, file, fault):
    old, new, message = FAULTS[fault]
    text = file.read_text()
    changed = re.sub(re.escape(old), new, text, count=1)
    if fault == "neither":
        changed = re.sub(r"      study\.\w+: .*\n", "", changed)
    assert changed != text
    file.write_text(changed)
    before = planned.files()
    with pytest.raises(ConfigError) as caught:
        planned.plan()
    assert str(caught.value).startswith(f"{EXPERIMENT}: {message}")
    assert "\n" not in str(caught.value)
    assert planned.files() == before


def test_rules_match_the_experiments_that_they_are_for(planned, file):
    layout = Layout.parse(planned.config, planned.results, "smoke", (), target_minutes=5, main=True)
    assert layout.experiment_names == ["spacing", "widths"]
    assert layout.study_names == ["spacing"]
    assert layout.measured_names == layout.trained_names == ["widths"]
    batch = next(iter(batches(planned)))
    wildcards = SimpleNamespace(experiment="spacing", scale="smoke", batch=batch)
    assert layout.trained(wildcards) == layout.sets(wildcards) == []
    assert layout.simulating_code(wildcards) == fingerprint(
        ["dimlaws.stages.simulate", "dimlaws.studies.spacing"]
    )
    assert len(layout.all_records(wildcards)) == 4
    assert len(layout.all_trained(wildcards)) == 2
    assert f"{planned.results}/smoke/spacing/plan/{batch}.json" in layout.all_plans(wildcards)


def test_a_wildcard_of_no_names_matches_nothing():
    assert re.fullmatch(one_of(["a", "b"]), "b")
    for text in ("", "a", "(?!)"):
        assert not re.fullmatch(one_of([]), text)
