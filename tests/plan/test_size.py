"""What batches are estimated to need, against sizes that can be counted by hand or by torch."""

import math
from pathlib import Path

import numpy as np
import pytest
import yaml

from dimlaws.data.image_pool import read_facts
from dimlaws.data.location import data_path
from dimlaws.instantiate import instantiate
from dimlaws.plan.runs import Batch, PlannedRun
from dimlaws.plan.size import LIBRARIES_MB, SET_SHAPES, SLACK, STUDY_MB, TRAINING_MB, batch_size

CONFIG = Path(__file__).parents[2] / "config"
MANIFOLD = {"_target_": "dimlaws.data.manifolds.Manifold", "ambient_dim": 32}
MLP = {"_target_": "dimlaws.models.mlp.MLP", "width": 1000, "depth": 3}
RECIPE = {"_target_": "dimlaws.training.recipe.Recipe", "steps": 300}
DSPRITES = {
    "_target_": "dimlaws.data.rendered_factors.RenderedFactors",
    "name": "dsprites",
    "sha256": "0" * 64,
    "rows": 5000,
}
IMAGES = {"_target_": "dimlaws.data.images.Images", "name": "mnist", "sha256": "0" * 64}


def size(*datas, model=None, training=None, seeds=None):
    config = {"model": model, "training": training}
    runs = [
        PlannedRun(str(i), seeds[i] if seeds else i, {"data": data, **config}, {})
        for i, data in enumerate(datas)
    ]
    return batch_size(Batch("batch", runs))


def held(found):
    """The mebibytes of an estimate beside the libraries."""
    return found.memory_mb / SLACK - LIBRARIES_MB


def test_rows_of_every_run_are_counted():
    # float32, and twice: once as they are drawn, once all together.
    one = 2 * 5000 * 64 * 64 * 4 / 2**20
    pool = 50_000 * 64 * 64 / 2**20
    assert held(size(DSPRITES)) == pytest.approx(one + pool, abs=1)
    assert held(size(*[DSPRITES] * 30)) == pytest.approx(30 * one + pool, abs=1)
    assert size(DSPRITES).train_seconds == 0


def test_rows_that_runs_share_are_counted_once():
    labels = [{**MANIFOLD, "label_sharpness": float(i)} for i in range(1, 9)]
    assert size(*labels, seeds=[3] * 8) == size(MANIFOLD)
    assert held(size(*labels)) == pytest.approx(8 * held(size(MANIFOLD)), abs=8)
    assert size(*[IMAGES] * 5) == size(IMAGES)
    sizes = [
        {"_target_": "dimlaws.data.rendered_images.RenderedImages", "train_size": 2**i}
        for i in range(8)
    ]
    assert size(*sizes, seeds=[0] * 8) == size(sizes[0])


def test_networks_are_counted_as_torch_does():
    found = size(MANIFOLD, model=MLP, training=RECIPE)
    params = instantiate(MLP).init(np.random.default_rng(0), (32,), 10)
    count = sum(value.numel() for value in params.values())
    # 12 copies of one run in training; and twice what it gives: trained and untrained.
    network = (12 + 2 * 2) * 4 * count / 2**20
    assert held(found) == pytest.approx(held(size(MANIFOLD)) + TRAINING_MB + network, abs=2)
    longer = size(MANIFOLD, model=MLP, training={**RECIPE, "steps": 900})
    assert longer.train_seconds == pytest.approx(3 * found.train_seconds)
    assert longer.memory_mb == found.memory_mb


def test_an_autoencoder_counts_both_halves():
    node = {"_target_": "dimlaws.models.autoencoder.Autoencoder", "code": 8, "widths": [512]}
    params = instantiate(node).init(np.random.default_rng(0), (32,), 10)
    count = sum(value.numel() for value in params.values())
    recipe = {**RECIPE, "loss": "reconstruction"}
    found = size(MANIFOLD, model=node, training=recipe)
    seconds = 300 * (2e-5 + 6 * count * 128 / 1e10)
    assert found.train_seconds == pytest.approx(seconds)


def test_a_study_is_taken_for_what_studies_took():
    run = PlannedRun("0", 0, {"data": None, "study": {"_target_": "dimlaws.studies.x.y"}}, {})
    assert batch_size(Batch("batch", [run])).memory_mb == STUDY_MB


def test_every_set_has_a_shape():
    files = [yaml.safe_load(file.read_text()) for file in (CONFIG / "data").glob("*.yaml")]
    assert {file["data"]["name"] for file in files if "source" in file} == set(SET_SHAPES)


@pytest.mark.parametrize("name", sorted(SET_SHAPES))
def test_shapes_are_those_of_the_files(name):
    path = data_path(name)
    if not path.is_file():
        pytest.skip(f"{name} was not fetched")
    pinned = yaml.safe_load((CONFIG / "data" / f"{name}.yaml").read_text())["data"]["sha256"]
    rows, pixels = SET_SHAPES[name]
    facts = read_facts(path, pinned)
    assert math.prod(facts.shape) == pixels
    assert facts.n_train <= rows or facts.packed
