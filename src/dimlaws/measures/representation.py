"""What the last hidden layer makes of the data."""

import numpy as np
import numpy.typing as npt
import torch

from dimlaws.errors import EstimationError
from dimlaws.measures.batch import TrainedBatch

_CHUNK_ROWS = 256


@torch.no_grad()
def penultimate(batch: TrainedBatch, rows_per_run: int) -> npt.NDArray[np.float32]:
    """Return the last hidden activations of each run's first test rows, ``[M, rows_per_run, h]``.

    Raise ``EstimationError`` where a run has fewer test rows.
    """
    model, trained = batch.networks()
    fewest = min(len(rows) for rows in batch.data.test)
    if fewest < rows_per_run:
        raise EstimationError(
            f"representations of {rows_per_run} test rows were asked for; "
            f"a run of this batch has only {fewest}"
        )
    parts = []
    for m in range(len(batch.runs)):
        data = batch.data.select([m])
        params = {name: value[[m]] for name, value in trained.params.items()}
        features = []
        for begin in range(0, rows_per_run, _CHUNK_ROWS):
            rows = data.test[0][begin : min(begin + _CHUNK_ROWS, rows_per_run)]
            x, _ = data.gather(torch.from_numpy(rows)[None].to(data.device))
            features.append(model.forward(params, x)[1][0].cpu().numpy())
        parts.append(np.concatenate(features))
    return np.stack(parts)
