"""What every measure of trained networks is given, and what it returns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dimlaws.errors import ConfigError
from dimlaws.models.model import Model, Params
from dimlaws.training.engine import train
from dimlaws.training.evaluation import evaluate
from dimlaws.training.pruning import GradualPruning
from dimlaws.training.resume import Resume
from dimlaws.training.runs import EnsembleData, Run, Split
from dimlaws.training.trained import Trained

Record = dict[str, Any]
"""One row: ``run``, ``quantity``, ``value`` (float), and index columns such as ``level``."""


@dataclass(frozen=True)
class TrainedBatch:
    """The runs of a batch with their data and, unless only data are measured, their networks.

    The rest is for measures that train: ``progress`` is called with the number of model-steps
    since its last call, ``memory_mb`` bounds the memory, ``resume`` keeps unfinished training.
    """

    runs: Sequence[Run]
    data: EnsembleData
    model: Model | None = None
    trained: Trained | None = None
    progress: Callable[[int], None] | None = None
    memory_mb: float | None = None
    resume: Resume | None = None

    def networks(self) -> tuple[Model, Trained]:
        """Return model and parameters; for measures that cannot do without."""
        if self.model is None or self.trained is None:
            raise ValueError("this measure needs trained networks, and the batch has none")
        return self.model, self.trained

    def untrained(self, measure: str) -> Params:
        """Return the parameters from before the first step; ``ConfigError`` if they were not kept.

        ``measure`` is the name of the measure that cannot do without.
        """
        _, trained = self.networks()
        if 0 not in trained.snapshots:
            raise ConfigError(
                f"measure {measure} needs the untrained networks, and only those before step "
                f"{', '.join(map(str, trained.snapshots))} were kept; "
                "valid: training.snapshot_steps with 0 among them, or training.rewind_step = 0"
            )
        return trained.snapshots[0]

    def accuracy(self, params: Params, split: Split = "test") -> npt.NDArray[np.float64]:
        """Return the share of rows classified correctly, ``[M]``; NaN where a loss is not finite.

        Raises ``ConfigError`` if targets are not classes.
        """
        model, _ = self.networks()
        error = evaluate(model, params, self.data, split, self.runs[0].recipe.loss).error
        if error is None:
            raise ConfigError("accuracy needs class labels, and the targets are numbers")
        return 1.0 - error

    def train(
        self,
        *,
        start: Params | None = None,
        start_step: int = 0,
        masks: Params | None = None,
        pruning: GradualPruning | None = None,
    ) -> Trained:
        """Train the runs again, as ``training.engine.train`` does, from other values or masked."""
        model, _ = self.networks()
        return train(
            model,
            self.data,
            self.runs,
            start=start,
            start_step=start_step,
            masks=masks,
            pruning=pruning,
            memory_mb=self.memory_mb,
            resume=self.resume,
            progress=self.progress,
        )

    def records(
        self, quantity: str, values: npt.NDArray[np.float64], **index: int | str
    ) -> list[Record]:
        """Return one row per run of ``values [M]``."""
        return [
            {"run": run.id, "quantity": quantity, "value": float(value), **index}
            for run, value in zip(self.runs, values, strict=True)
        ]
