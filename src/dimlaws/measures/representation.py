"""What the last hidden layer makes of the data."""

import numpy as np
import numpy.typing as npt
import torch

from dimlaws.measures.batch import TrainedBatch
from dimlaws.training.runs import Split

_CHUNK_ROWS = 256


@torch.no_grad()
def penultimate(
    batch: TrainedBatch, run: int, split: Split, rows: int | None
) -> npt.NDArray[np.float32]:
    """Return the last hidden activations of one run's first ``rows`` (null for all), ``[n, h]``."""
    model, trained = batch.networks()
    data = batch.data.select([run])
    params = {name: value[[run]] for name, value in trained.params.items()}
    table = (data.train if split == "train" else data.test)[0][:rows]
    features = []
    for begin in range(0, len(table), _CHUNK_ROWS):
        chosen = torch.from_numpy(table[begin : begin + _CHUNK_ROWS])[None].to(data.device)
        x, _ = data.gather(chosen)
        features.append(model.forward(params, x)[1][0].cpu().numpy())
    return np.concatenate(features)
