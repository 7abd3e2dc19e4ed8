"""What every measure of trained networks is given, and what it returns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dimlaws.models.model import Model
from dimlaws.training.runs import EnsembleData, Run
from dimlaws.training.trained import Trained

Record = dict[str, Any]
"""One row: ``run``, ``quantity``, ``value`` (float), and index columns such as ``level``."""


@dataclass(frozen=True)
class TrainedBatch:
    """The runs of a batch with their data and, unless only data are measured, their networks.

    ``progress`` is called with the number of model-steps that a measure trained since its last
    call.
    """

    runs: Sequence[Run]
    data: EnsembleData
    model: Model | None = None
    trained: Trained | None = None
    progress: Callable[[int], None] | None = None

    def networks(self) -> tuple[Model, Trained]:
        """Return model and parameters; for measures that cannot do without."""
        if self.model is None or self.trained is None:
            raise ValueError("this measure needs trained networks, and the batch has none")
        return self.model, self.trained

    def records(
        self, quantity: str, values: npt.NDArray[np.float64], **index: int | str
    ) -> list[Record]:
        """Return one row per run of ``values [M]``."""
        return [
            {"run": run.id, "quantity": quantity, "value": float(value), **index}
            for run, value in zip(self.runs, values, strict=True)
        ]
