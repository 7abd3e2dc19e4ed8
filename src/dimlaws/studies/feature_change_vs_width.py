"""How much a few steps change the features of networks on digits, over widths."""

from typing import Literal

from dimlaws.measures.batch import TrainedBatch
from dimlaws.measures.feature_change import feature_change
from dimlaws.models.mlp import MLP
from dimlaws.studies import Record
from dimlaws.studies.digits import digits
from dimlaws.training.engine import train
from dimlaws.training.recipe import Recipe
from dimlaws.training.runs import Run
from dimlaws.types import PerRun, PositiveFloat, PositiveInt


def feature_change_vs_width(
    seed: int,
    *,
    width: PerRun[PositiveInt] = 128,
    parametrization: PerRun[Literal["standard", "ntk", "mup"]] = "mup",
    learning_rate: PerRun[PositiveFloat] = 0.02,
    base_width: PositiveInt = 10,
    rows: PositiveInt = 200,
    steps: PositiveInt = 10,
) -> list[Record]:
    """Change of features and weights of an MLP by full-batch steps, on digits.

    The network has two hidden layers and no biases. Quantities are those of
    ``measures.feature_change``, on the training rows. With "standard" the
    rate falls as ``base_width`` / ``width``, without which wide networks diverge; with "mup" and
    "ntk" the parametrization says how the rates of the layers depend on the width.

    Parameters
    ----------
    width : units of both hidden layers.
    parametrization : see ``models.parametrization``.
    learning_rate : rate of gradient descent; that of "standard" at the base width.
    base_width : the width at which "mup" equals "standard".
    rows : number of training rows, all of them in every step.
    steps : number of steps at a constant rate.
    """
    data = digits(seed, rows)
    model = MLP(
        width=width,
        depth=2,
        bias=False,
        parametrization=parametrization,
        base_width=base_width,
    )
    rate = learning_rate * (base_width / width if parametrization == "standard" else 1.0)
    recipe = Recipe(
        optimizer="sgd", learning_rate=rate, schedule="constant", steps=steps, batch_size=rows
    )
    runs = [Run("network", seed, recipe)]
    trained = train(model, data, runs, init_content=["feature change", width])
    found = feature_change(TrainedBatch(runs, data, model, trained))
    return [{name: value for name, value in row.items() if name != "run"} for row in found]
