import numpy as np
import pandas as pd
import pytest

from dimlaws.errors import EstimationError
from dimlaws.stages.figure import draw_figure
from dimlaws.stages.records import write_records
from dimlaws.storage import canonical_json, write_text

NODE = {
    "_target_": "dimlaws.figures.generalization_vs_dimension.draw",
    "experiments": ["small"],
}
SUFFIXES = ("svg", "png", "pdf", "csv")


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        [
            {
                "run": f"{dim}-{n}-{seed}",
                "seed": seed,
                "data.intrinsic_dim": dim,
                "data.train_size": n,
                "measure": "generalization",
                "quantity": "test_loss",
                "value": n ** (-4 / dim) * np.exp(0.1 * rng.standard_normal()),
            }
            for dim in (2, 4)
            for n in (32, 64, 128)
            for seed in range(3)
        ]
    )
    write_records(tmp_path / "small" / "runs.parquet", table, {})
    write_text(tmp_path / "figure.json", canonical_json(NODE))
    return tmp_path


def draw(folder, name):
    draw_figure(folder / "figure.json", [folder / "small" / "runs.parquet"], folder / f"{name}.svg")
    return {suffix: (folder / f"{name}.{suffix}").read_bytes() for suffix in SUFFIXES}


def test_equal_input_gives_equal_bytes_in_every_format(folder):
    first, second = draw(folder, "a"), draw(folder, "b")
    for suffix in SUFFIXES:
        assert first[suffix] == second[suffix], suffix
    assert first["svg"].startswith(b"<?xml")
    assert first["png"].startswith(b"\x89PNG")
    assert first["pdf"].startswith(b"%PDF")


def test_text_in_the_drawing_stays_text(folder):
    assert b">training rows N<" in draw(folder, "a")["svg"]


def test_other_figures_are_not_styled(folder):
    import matplotlib.pyplot as plt

    before = dict(plt.rcParams)
    draw(folder, "a")
    assert {key: value for key, value in plt.rcParams.items() if before[key] != value} == {}
    assert not plt.get_fignums()


def test_nothing_to_draw_is_said(folder):
    table = pd.DataFrame({"measure": ["m"], "quantity": ["q"], "value": [1.0]})
    write_records(folder / "small" / "runs.parquet", table, {})
    with pytest.raises(EstimationError, match="no finite test_loss of the measure generalization"):
        draw(folder, "a")
    assert not list(folder.glob("a.*"))
