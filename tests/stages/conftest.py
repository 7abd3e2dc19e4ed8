import itertools
from pathlib import Path

import pytest

from dimlaws.plan.runs import plan_batches, plan_run
from dimlaws.storage import canonical_json, write_text

DATA = {
    "_target_": "dimlaws.data.manifolds.Manifold",
    "kind": "torus",
    "intrinsic_dim": 1,
    "ambient_dim": 4,
    "train_size": 24,
    "test_size": 48,
    "task": "classification",
}
MODEL = {"_target_": "dimlaws.models.mlp.MLP", "width": 5, "depth": 1}
TRAINING = {
    "_target_": "dimlaws.training.recipe.Recipe",
    "steps": 12,
    "batch_size": 8,
    "learning_rate": 0.01,
}
MEASURES = {
    "generalization": {"_target_": "dimlaws.measures.generalization.generalization"},
    "ids": {
        "_target_": "dimlaws.measures.intrinsic_dimension.measure.intrinsic_dimension",
        "neighbors": [3],
    },
}


class Place:
    """A folder with the plan of one batch, written as the planning stage writes it."""

    DATA = DATA
    MODEL = MODEL
    TRAINING = TRAINING
    MEASURES = MEASURES

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plan = folder / "plan" / "batch.json"
        self.measures = folder / "plan" / "measures.json"
        self.trained = folder / "trained" / "batch.safetensors"
        self.records = folder / "records" / "batch.parquet"
        self.store = folder / "store" / "batch.safetensors"
        self.store_of_records = folder / "store" / "batch.parquet"
        self.write_measures(MEASURES)

    def write_measures(self, measures):
        write_text(self.measures, canonical_json(measures))

    def write(
        self, seeds=(0, 1), sizes=(24, 16), model=MODEL, training=TRAINING, swept=True, **data
    ):
        """Plan the runs of all seeds and training sizes; return their ids in the plan's order."""
        runs = [
            plan_run(
                {
                    "data": {**DATA, **data, "train_size": size},
                    "model": model,
                    "training": training,
                    "seed": seed,
                },
                {"data.train_size": size, "seed": seed} if swept else {"seed": seed},
            )
            for seed, size in itertools.product(seeds, sizes)
        ]
        return self.write_runs(runs)

    def write_runs(self, runs):
        """As ``write``, of runs that are planned already."""
        (batch,) = plan_batches(runs, most=1000)
        content = {
            "experiment": "small",
            "batch": batch.id,
            "runs": [
                {"id": run.id, "seed": run.seed, "config": run.config, "swept": run.swept}
                for run in batch.runs
            ],
        }
        write_text(self.plan, canonical_json(content))
        return [run.id for run in batch.runs]


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)
