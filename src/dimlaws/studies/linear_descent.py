"""Descent of linear students by the training engine, and where in weight space it moves them."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from dimlaws.data.realization import Realization
from dimlaws.models.mlp import MLP
from dimlaws.seeds import stream
from dimlaws.training.engine import train
from dimlaws.training.recipe import Recipe
from dimlaws.training.runs import EnsembleData, Run

Floats = npt.NDArray[np.float64]

STEPS = 200
TIME_STEP = 0.25
"""Gradient descent is stable up to 2 / λ, and λ is below 4 for the eigenvalues of XᵀX if P < N."""

ADAM_RATE = 0.01


def frozen_changes(
    seed: int, row_numbers: list[int], weights: int, optimizer: Literal["sgd", "adam"]
) -> list[float]:
    """Return |w - w(0)| outside the span of the rows over its whole length, per number of rows.

    Each student is a network without hidden layer of ``weights`` N inputs, starts at N(0, 1) and
    learns ``row_numbers`` P < N rows with entries N(0, 1/N), labelled by a teacher N(0, 1) plus
    noise of variance 1, by full-batch steps in double precision.
    """
    most = max(row_numbers)
    rng = np.random.default_rng(stream(seed, "linear descent", weights))
    pools = [_rows(rng, rows, most, weights) for rows in row_numbers]
    start = torch.from_numpy(rng.standard_normal((len(pools), weights, 1)))
    # The loss is the mean square, of gradient 2/P Xᵀ(Xw - y).
    rate = TIME_STEP * most / 2 if optimizer == "sgd" else ADAM_RATE
    recipe = Recipe(
        loss="mse",
        optimizer=optimizer,
        schedule="constant",
        learning_rate=rate,
        batch_size=most,
        steps=STEPS,
    )
    trained = train(
        MLP(depth=0, bias=False),
        EnsembleData.of(pools, 1),
        [Run(f"{rows} rows", seed, recipe) for rows in row_numbers],
        start={"layer0.weight": start},
        dtype=torch.float64,
    )
    changes = (trained.params["layer0.weight"] - start)[:, :, 0].numpy()
    return [
        share_outside(change, pool.x[:rows].astype(np.float64))
        for change, pool, rows in zip(changes, pools, row_numbers, strict=True)
    ]


def share_outside(vector: Floats, rows: Floats) -> float:
    """Return the length of ``vector [N]`` outside the span of ``rows [P, N]``, over its length."""
    basis, _ = np.linalg.qr(rows.T)
    outside = vector - basis @ (vector @ basis)
    return float(np.linalg.norm(outside) / np.linalg.norm(vector))


def _rows(rng: np.random.Generator, rows: int, most: int, weights: int) -> Realization:
    """Draw rows and labels, and fill up with zeros, which pull at no weight."""
    x, y = np.zeros((most, weights)), np.zeros((most, 1))
    x[:rows] = rng.standard_normal((rows, weights)) / np.sqrt(weights)
    y[:rows] = x[:rows] @ rng.standard_normal((weights, 1)) + rng.standard_normal((rows, 1))
    places = np.arange(most)
    return Realization(x.astype(np.float32), y.astype(np.float32), train=places, test=places)
