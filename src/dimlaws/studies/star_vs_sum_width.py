"""Accuracy of networks that multiply two branches against those that add them, over widths."""

from typing import Literal

import numpy as np

from dimlaws.data.realization import Realization
from dimlaws.models.demonet import DemoNet
from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.studies.digits import CLASSES, shuffled_digits
from dimlaws.training.engine import train
from dimlaws.training.evaluation import evaluate
from dimlaws.training.recipe import Recipe
from dimlaws.training.runs import EnsembleData, Run, Split
from dimlaws.types import PositiveFloat, PositiveInt

TEST_ROWS = 500

Operation = Literal["star", "sum"]
Activation = Literal["relu", "linear"]

OPERATIONS: tuple[Operation, ...] = ("star", "sum")

QUANTITIES: dict[str, Split] = {"train_accuracy": "train", "accuracy": "test"}


def star_vs_sum_width(
    seed: int,
    *,
    widths: list[PositiveInt],
    networks: PositiveInt = 4,
    depth: PositiveInt = 2,
    steps: PositiveInt = 300,
    batch_size: PositiveInt = 64,
    learning_rate: PositiveFloat = 3e-3,
) -> list[Record]:
    """Train a small ``models.demonet`` with products and one with sums, of every width, on digits.

    The widest are also trained without activations. Index columns ``width`` and ``activation``,
    "relu" or "linear". Quantities: ``accuracy`` and ``train_accuracy``, shares of rows by
    ``operation``, and ``gap``, the accuracy of star minus that of sum; and by ``width`` and
    ``operation`` only, ``activation_loss``, what the widest lose in accuracy without activations.
    All are means over ``networks``. All kinds have the same rows, initial values, minibatches and
    number of parameters.

    Parameters
    ----------
    widths : numbers of units of the stem; branches have three times as many.
    networks : networks of each kind and width, of other initial values and minibatches.
    depth : number of blocks.
    steps : number of minibatches.
    batch_size : rows per minibatch.
    learning_rate : rate of Adam at the first step; it falls linearly to 0.
    """
    grays, classes, rows = shuffled_digits(seed)
    part = Realization(grays.astype(np.float32), classes, rows[TEST_ROWS:], rows[:TEST_ROWS])
    data = EnsembleData.of([part] * networks, CLASSES)
    recipe = Recipe(learning_rate=learning_rate, steps=steps, batch_size=batch_size)
    seeds = stream(seed, "networks").generate_state(networks).tolist()
    runs = [Run(str(index), own, recipe) for index, own in enumerate(seeds)]
    widest = max(widths)
    records: list[Record] = []
    accuracy: dict[tuple[int, Activation, Operation], float] = {}
    cases: list[tuple[int, Activation]] = [*((width, "relu") for width in widths)]
    for width, activation in [*cases, (widest, "linear")]:
        index = {"width": width, "activation": activation}
        for operation in OPERATIONS:
            model = DemoNet(width=width, depth=depth, operation=operation, activation=activation)
            trained = train(model, data, runs)
            for quantity, split in QUANTITIES.items():
                error = evaluate(model, trained.params, data, split, recipe.loss).error
                assert error is not None
                share = 1.0 - float(error.mean())
                row = {**index, "operation": operation, "quantity": quantity, "value": share}
                records.append(row)
            accuracy[width, activation, operation] = share  # on test rows, the last quantity
        gap = accuracy[width, activation, "star"] - accuracy[width, activation, "sum"]
        records.append({**index, "quantity": "gap", "value": gap})
    for operation in OPERATIONS:
        loss = accuracy[widest, "relu", operation] - accuracy[widest, "linear", operation]
        row = {"width": widest, "operation": operation, "quantity": "activation_loss"}
        records.append({**row, "value": loss})
    return records
