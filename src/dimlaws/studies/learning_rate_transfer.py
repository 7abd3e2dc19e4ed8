"""Which learning rate trains networks on digits best, over widths."""

import math
from typing import Literal

from dimlaws.models.mlp import MLP
from dimlaws.studies import Record
from dimlaws.studies.digits import CLASSES, digits
from dimlaws.training.engine import train
from dimlaws.training.evaluation import evaluate
from dimlaws.training.recipe import Recipe
from dimlaws.training.runs import Run
from dimlaws.types import PerRun, PositiveFloat, PositiveInt


def learning_rate_transfer(
    seed: int,
    *,
    learning_rates: list[PositiveFloat],
    width: PerRun[PositiveInt] = 64,
    parametrization: PerRun[Literal["standard", "ntk", "mup"]] = "mup",
    base_width: PositiveInt = 64,
    rows: PositiveInt = 1000,
    steps: PositiveInt = 60,
    batch_size: PositiveInt = 64,
) -> list[Record]:
    """Training loss of an MLP after a few steps of SGD on digits, over learning rates.

    The network has two hidden layers and no biases; all rates start from the same initial values
    and see the same minibatches. Quantity ``train_loss``, in nats per training row, by
    ``learning_rate``. A loss above that of guessing, ln 10, counts as ln 10, and so does a run that
    diverged: a rate that is too large is no better than none.

    Parameters
    ----------
    learning_rates : rates of gradient descent, constant in time.
    width : units of both hidden layers.
    parametrization : see ``models.parametrization``.
    base_width : the width at which "mup" equals "standard".
    rows : number of training rows.
    steps : number of minibatches.
    batch_size : rows per minibatch.
    """
    rates = sorted(set(learning_rates))
    data = digits(seed, rows, runs=len(rates))
    model = MLP(
        width=width,
        depth=2,
        bias=False,
        parametrization=parametrization,
        base_width=base_width,
    )
    runs = [
        Run(
            f"rate {rate:g}",
            seed,
            Recipe(
                optimizer="sgd",
                learning_rate=rate,
                schedule="constant",
                steps=steps,
                batch_size=batch_size,
            ),
        )
        for rate in rates
    ]
    trained = train(model, data, runs, init_content=["learning rate transfer", width])
    losses = evaluate(model, trained.params, data, "train", "cross_entropy").loss
    guessing = math.log(CLASSES)
    return [
        {
            "learning_rate": rate,
            "quantity": "train_loss",
            "value": min(float(loss), guessing) if math.isfinite(loss) else guessing,
        }
        for rate, loss in zip(rates, losses, strict=True)
    ]
