"""What a job reads is what was planned and fetched, to the last bit."""

import json

import numpy as np
import pytest

from dimlaws.data.decoders import Decoded
from dimlaws.data.fetch import digest, facts_of
from dimlaws.data.image_pool import load_pool, read_facts
from dimlaws.dependencies import source_files
from dimlaws.errors import CorruptFileError
from dimlaws.plan.checked import INDEX
from dimlaws.seals import sha256, write_sealed_json
from dimlaws.stages.inputs import check_batch
from dimlaws.storage import write_arrays

IMAGES = Decoded(
    {
        "x": np.random.default_rng(0).integers(0, 256, (8, 1, 3, 5), dtype=np.uint8),
        "y": np.arange(8) % 2,
    },
    6,
    2,
    (1, 3, 5),
)
PIN = digest(IMAGES)


@pytest.fixture
def images(tmp_path, monkeypatch):
    monkeypatch.setenv("DIMLAWS_DATA", str(tmp_path / "data"))
    file = tmp_path / "data" / "tiny.safetensors"
    write_arrays(file, IMAGES.arrays, {"name": "tiny", "sha256": PIN, **facts_of(IMAGES)})
    return file


def planned(place, data):
    """Write the plan of two runs that read ``data``, and its index."""
    runs = [
        {"id": str(seed), "seed": seed, "config": {"data": data}, "swept": {}} for seed in (0, 1)
    ]
    place.plan.write_text(json.dumps({"experiment": "e", "batch": "batch", "runs": runs}))
    checksums = {file.stem: sha256(file.read_bytes()) for file in (place.plan, place.measures)}
    write_sealed_json(place.plan.with_name(INDEX), {"checksums": checksums})


def test_a_damaged_set_is_refused(place, images, refused):
    planned(place, {"name": "tiny", "sha256": PIN})

    def read():
        read_facts.cache_clear()
        load_pool.cache_clear()
        check_batch(place.plan, place.measures)
        pool = load_pool(images, PIN, None, None, flatten=False)
        return read_facts(images, PIN), pool.x.tobytes(), pool.y.tobytes(), pool.n_train

    assert refused(images, read) > 0.8
    images.unlink()
    with pytest.raises(CorruptFileError, match=r"tiny\.safetensors does not exist; fetch it"):
        check_batch(place.plan)


@pytest.mark.parametrize("name", ["plan", "measures"])
def test_a_damaged_plan_is_refused(place, refused, name):
    planned(place, {"kind": "torus"})
    file = getattr(place, name)
    assert refused(file, lambda: check_batch(place.plan, place.measures)) == 1


def test_an_edited_check_recomputes_nothing():
    stages = [f"dimlaws.stages.{name}" for name in ("train", "measure", "simulate")]
    checks = {"inputs.py", "checked.py", "seals.py", "fetch.py"}
    assert not checks & {file.name for file in source_files(stages)}


def test_a_study_reads_no_set(place):
    planned(place, None)
    check_batch(place.plan)
