"""The experiments that come with the project."""

import itertools
from pathlib import Path

import pytest
from hydra import compose as hydra_compose
from omegaconf import OmegaConf

from dimlaws.plan.composition import compose, experiment_names, hydra_folder
from dimlaws.plan.experiment import plan_experiment
from dimlaws.plan.files import scale_names
from dimlaws.plan.runs import plan_batches, plan_run
from dimlaws.plan.sweep import axes

CONFIG = Path(__file__).parents[2] / "config"
NAMES = experiment_names(CONFIG)


@pytest.mark.parametrize("scale", scale_names(CONFIG))
@pytest.mark.parametrize("name", NAMES)
def test_it_plans(name, scale):
    with hydra_folder(CONFIG):
        plan = plan_experiment(CONFIG, name, scale)
    assert plan.batches
    assert plan.measure_names
    assert plan.description


def overrides(point):
    return [f"{key}={'null' if value is None else value}" for key, value in point.items()]


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_those_of_a_plain_multirun(name):
    """Hydra alone, given the swept values one by one, resolves the very runs that are planned."""
    with hydra_folder(CONFIG):
        swept = axes(compose(name, "smoke").sweep)
        points = [
            dict(zip(swept, values, strict=True)) for values in itertools.product(*swept.values())
        ]
        # First and last of the grid, and one with the middle of each axis.
        chosen = [points[0], points[-1], {key: of[len(of) // 2] for key, of in swept.items()}]
        batches = plan_experiment(CONFIG, name, "smoke").batches
        for point in chosen:
            # No '+': every swept key is one that the configuration sets.
            arguments = [f"experiment={name}", "scale=smoke", *overrides(point)]
            whole = OmegaConf.to_container(hydra_compose("config", arguments), resolve=True)
            alone = plan_run(whole, point)
            ((batch, run),) = (
                (batch.id, run) for batch in batches for run in batch.runs if run.swept == point
            )
            assert alone == run
            assert [of.id for of in plan_batches([alone], most=1)] == [batch]


def test_runs_of_a_smaller_scale_are_not_another_scales(tmp_path):
    """Ids state what a run is, so nothing of one scale passes for a run of another by chance."""
    with hydra_folder(CONFIG):
        ids = {
            scale: {
                run.id
                for batch in plan_experiment(CONFIG, "prunability_vs_dimension", scale).batches
                for run in batch.runs
            }
            for scale in ("smoke", "quick")
        }
    assert not ids["smoke"] & ids["quick"]


def test_what_a_rung_is_made_of_is_read_from_the_ladders_per_run():
    """Swept steps and tables in ``constants`` give each run its data, or the reference's."""
    with hydra_folder(CONFIG):
        ladders = compose("prunability_vs_dimension", "quick").config["constants"]["ladders"]
        plan = plan_experiment(CONFIG, "prunability_vs_dimension", "quick")
    reference = {"intrinsic_dim": 4, "label_sharpness": 1.64, "train_size": 4096}
    runs = [run for batch in plan.batches for run in batch.runs]
    assert {run.swept["data.varied"] for run in runs} <= set(ladders)
    defaults = {"intrinsic_dim": 4, "label_sharpness": 2.0, "train_size": 1024}
    for run in runs:
        ladder = ladders[run.swept["data.varied"]]
        for key, value in reference.items():
            expected = ladder.get(key, {}).get(str(run.swept["data.step"]), value)
            assert run.config["data"].get(key, defaults[key]) == expected
