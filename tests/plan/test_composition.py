import pytest

from dimlaws.errors import ConfigError
from dimlaws.plan.composition import compose, experiment_names, file_of_key, hydra_folder


def test_compose_returns_the_unresolved_configuration(workplace):
    with hydra_folder(workplace.config):
        composed = compose("widths", "smoke")
    assert composed.sweep == {"model.width": "4,8", "data.train_size": "32,64", "seed": "0,1"}
    assert composed.choices["data"] == "manifold"
    assert composed.choices["scale"] == "smoke"
    assert composed.config["size"] == "${sizes.${scale.name}}"
    assert composed.config["data"]["kind"] == "torus"
    assert "hydra" not in composed.config


def test_experiments_are_the_files(workplace):
    assert experiment_names(workplace.config) == ["widths"]
    (workplace.config / "experiment" / "a.yaml").write_text("")
    (workplace.config / "experiment" / "notes.txt").write_text("")
    assert experiment_names(workplace.config) == ["a", "widths"]


@pytest.mark.parametrize(
    ("key", "file"),
    [
        ("data.kind", "experiment/widths.yaml"),
        ("data.label_sharpness", "data/manifold.yaml"),
        ("model.width", "experiment/widths.yaml"),  # swept there
        ("model.activation", "model/mlp.yaml"),
        ("training.optimizer", "training/adam.yaml"),
        ("measures.generalization._target_", "measure/generalization.yaml"),
        ("scale.seeds", "scale/smoke.yaml"),
        ("claims.loss-falls.quantity.x", "experiment/widths.yaml"),
        ("figures.widths.wide[0]", "experiment/widths.yaml"),
        ("no.such.key", "experiment/widths.yaml"),
    ],
)
def test_a_key_is_found_in_the_file_that_sets_it(workplace, key, file):
    with hydra_folder(workplace.config):
        choices = compose("widths", "smoke").choices
    assert file_of_key(workplace.config, "widths", choices, key) == f"config/{file}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data: [1,", "is not valid YAML"),
        ("\tdata: 1", "is not valid YAML"),
        ("data: ${", "data: no viable alternative"),
        ("defaults: 3", "Invalid defaults list"),
    ],
)
def test_a_broken_file_is_named(workplace, text, message):
    workplace.experiment.write_text(f"# @package _global_\n{text}\n")
    with (
        hydra_folder(workplace.config),
        pytest.raises(ConfigError, match=rf"config/experiment/widths\.yaml.*({message})"),
    ):
        compose("widths", "smoke")
