"""A run gets the same numbers alone, in a batch of 3 and among all others, in packs of any size.

To float tolerance: rates that differ within a batch are multiplied in another order, for one. How
far rounding gets over the steps of a run is measured, as the distance between its training in
float32 and in float64, relative to the largest value of each array. A difference between batches
must stay below a small multiple of that, and in float64 below the same multiple of 2^-29 of it,
the ratio of the two precisions: so it is rounding, and nothing else that depends on the batch.
Tanh, since the slope of a ReLU that is within rounding of 0 would jump.
"""

import itertools
import json
from contextlib import suppress
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from dimlaws.errors import ConfigError
from dimlaws.plan.runs import plan_run
from dimlaws.stages import train as stage
from dimlaws.stages.batchplan import BatchPlan
from dimlaws.stages.collect import collect
from dimlaws.stages.measure import measure_batch
from dimlaws.stages.records import read_records
from dimlaws.stages.resources import Resources
from dimlaws.stages.train import ensemble, train_batch
from dimlaws.storage import read_arrays
from dimlaws.training.packing import footprint, pack_size

SINGLE_TO_DOUBLE = 2.0**-29
MULTIPLE = 8
"""Two batches round anew each, and the largest of some thousand values is compared."""

CASES = {
    "adam": ({}, "learning_rate"),
    "adam_steps": ({}, "steps"),
    "adamw": ({"optimizer": "adamw", "weight_decay": 0.01}, "learning_rate"),
    "sgd": ({"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.05}, "learning_rate"),
    "subspace": ({"subspace_dim": 20}, "learning_rate"),
}
"""How runs are trained, and what differs between those of a batch, beside the seed."""


def plan(name, place):
    """Return six runs that may share a batch."""
    recipe, varied = CASES[name]
    training = {**place.TRAINING, "steps": 100, "batch_size": 16, "loss": "mse", **recipe}
    larger = training[varied]
    smaller = type(larger)(0.7 * larger)
    model = {**place.MODEL, "width": 16, "depth": 2, "activation": "tanh"}
    return [
        plan_run(
            {
                "data": place.DATA,
                "model": model,
                "training": {**training, varied: value},
                "seed": seed,
            },
            {f"training.{varied}": value, "seed": seed},
        )
        for seed, value in itertools.product((0, 1, 2), (larger, smaller))
    ]


def parts(runs, size):
    return [runs[i : i + size] for i in range(0, len(runs), size)]


def trained(place, batches, memory_mb=None):
    """Train batches; return the arrays of each run."""
    found = {}
    for runs in batches:
        place.write_runs(runs)
        train_batch(place.plan, place.trained, None, Resources(memory_mb))
        arrays, metadata = read_arrays(place.trained)
        for i, run in enumerate(json.loads(metadata["ids"])):
            found[run] = {name: array[i] for name, array in arrays.items()}
    return found


def distance(one, other):
    """Return the largest difference, relative to the largest value of each array."""
    assert one.keys() == other.keys()
    found = []
    for run, arrays in one.items():
        for name, array in arrays.items():
            twin = other[run][name]
            assert array.shape == twin.shape
            if array.dtype.kind == "f":
                # Biases that start at zero have no scale of their own.
                scale = np.nanmax(np.abs(array.astype(float))) or 1.0
                np.testing.assert_array_equal(np.isnan(array), np.isnan(twin))
                found.append(np.nanmax(np.abs(array.astype(float) - twin)) / scale)
            else:
                np.testing.assert_array_equal(array, twin)
    return max(found)


def memory_by_pack(place, runs):
    """Return the megabytes with which the runs are trained so many at a time."""
    place.write_runs(runs)
    batch = BatchPlan.read(place.plan)
    own, data = ensemble(batch, "cpu")
    model, recipe = batch.build("model")[0], own[0].recipe
    one = footprint(model, data.input_shape, data.outputs, recipe).resident / 2**20
    found = {}
    for memory_mb in np.arange(450, 460, one / 2):
        with suppress(ConfigError):  # too little for one
            found[pack_size(model, data, recipe, len(runs), memory_mb)] = memory_mb
        if len(runs) in found:
            break
    return found


@pytest.mark.parametrize("name", CASES)
def test_trained_values_do_not_depend_on_the_batch(place, monkeypatch, name):
    runs = plan(name, place)
    together = trained(place, [runs])
    engine = stage.train
    with monkeypatch.context() as patch:
        patch.setattr(stage, "train", partial(engine, dtype=torch.float64))
        exact = trained(place, [runs])
        in_double = [distance(trained(place, parts(runs, size)), exact) for size in (3, 1)]
    rounding = distance(together, exact)
    assert rounding < 1e-5
    memory_mb = memory_by_pack(place, runs)
    assert set(memory_mb) == {1, 2, 3, 4, 5, 6}
    in_single = [distance(trained(place, parts(runs, size)), together) for size in (3, 1)]
    in_single += [distance(trained(place, [runs], memory_mb[n]), together) for n in (1, 2, 4)]
    assert max(in_single) < MULTIPLE * rounding
    assert max(in_double) < MULTIPLE * SINGLE_TO_DOUBLE * rounding


@pytest.mark.parametrize("size", [3, 1])
def test_records_do_not_depend_on_the_batch(place, size):
    """Numbers to float tolerance; order of rows and columns, types and row numbers exactly."""
    runs = plan("adam", place)

    def table(batches, name):
        files = []
        for number, batch in enumerate(batches):
            place.write_runs(batch)
            train_batch(place.plan, place.trained, None)
            files.append(place.folder / f"{name}{number}.parquet")
            measure_batch(place.plan, place.measures, place.trained, files[-1], None)
        collect(files, place.folder / f"{name}.parquet")
        return read_records(place.folder / f"{name}.parquet")[0]

    together, apart = table([runs], "together"), table(parts(runs, size), "apart")
    assert together["run"].nunique() == len(runs)
    # The bound on rounding of the test above, times its multiple, rounded up.
    pd.testing.assert_frame_equal(apart, together, rtol=1e-4, atol=0)
