"""How a network is trained."""

from dataclasses import dataclass
from typing import Literal

from dimlaws.errors import ConfigError
from dimlaws.types import (
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    PerRun,
    PositiveFloat,
    PositiveInt,
)


@dataclass(frozen=True)
class Recipe:
    """Minibatch training with a fixed number of steps.

    Attributes
    ----------
    optimizer : "sgd" (with momentum), or "adam" (betas 0.9 and 0.999, epsilon 1e-8).
    learning_rate : rate at the first step.
    momentum : heavy-ball momentum of "sgd"; must stay 0 with "adam".
    weight_decay : added to the gradient with "sgd" (L2 penalty); decoupled with "adam" (AdamW).
    schedule : how the rate falls over the run's own steps; "step" divides by 10 at 50 % and 75 %.
    steps : number of minibatches.
    batch_size : rows per minibatch.
    loss : "mse" averages over rows and outputs, and turns class labels into one-hot targets.
    rewind_step : the parameters before this step are kept, for pruning with rewinding.
    history_points : number of points of the recorded training-loss curve.
    """

    optimizer: Literal["sgd", "adam"] = "adam"
    learning_rate: PerRun[PositiveFloat] = 1e-3
    momentum: Fraction = 0.0
    weight_decay: PerRun[NonNegativeFloat] = 0.0
    schedule: Literal["constant", "linear", "cosine", "step"] = "linear"
    steps: PerRun[PositiveInt] = 1000
    batch_size: PositiveInt = 128
    loss: Literal["cross_entropy", "mse"] = "cross_entropy"
    rewind_step: NonNegativeInt = 0
    history_points: PositiveInt = 20

    def __post_init__(self) -> None:
        if self.optimizer == "adam" and self.momentum != 0.0:
            raise ConfigError(
                f"training.momentum is {self.momentum:g} with optimizer adam; "
                "momentum belongs to sgd, so set it to 0 or choose optimizer sgd"
            )
        if self.rewind_step >= self.steps:
            raise ConfigError(
                f"training.rewind_step is {self.rewind_step}, but the run has only {self.steps} "
                f"steps; valid: 0 to {self.steps - 1}"
            )
