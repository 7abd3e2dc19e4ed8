"""How much a network overtrains on noisy labels, against its number of hidden units."""

import numpy as np
import numpy.typing as npt

from dimlaws.data.realization import Realization
from dimlaws.errors import ConfigError
from dimlaws.models.mlp import MLP
from dimlaws.models.model import Params
from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.studies.teacher_student import padded
from dimlaws.training.engine import train
from dimlaws.training.evaluation import evaluate
from dimlaws.training.recipe import Recipe
from dimlaws.training.runs import EnsembleData, Run
from dimlaws.types import PerRun, PositiveFloat, PositiveInt

MOMENTS = 24
"""Times at which errors are recorded: the start, and steps in geometric progression."""

TEST_ROWS = 2048


def overtraining_vs_width(
    seed: int,
    *,
    widths: list[PositiveInt],
    rows: PositiveInt = 128,
    inputs: PositiveInt = 15,
    teacher_width: PositiveInt = 4,
    snr: PositiveFloat = 2.0,
    initial_scale: PerRun[PositiveFloat] = 1.0,
    steps: PositiveInt = 3000,
    learning_rate: PositiveFloat = 0.01,
) -> list[Record]:
    """ReLU students of one hidden layer learn all their weights from a noisy ReLU teacher.

    Inputs are Gaussian; the teacher has one hidden layer, too, and its labels have variance 1 and
    noise of variance 1/SNR. A student of width h has h (inputs + 1) weights and no biases, and is
    trained by full-batch Adam at a constant rate. All widths train as one ensemble: a narrow
    student is a wide one whose other units are pruned, with the start that it has alone.

    Index column ``width``. Quantities: ``parameters_per_row``; ``final_error``, the mean squared
    error on noisy test labels after the last step; ``lowest_error``, the lowest of the moments
    recorded (with index column ``step``, as ``error`` and ``training_error``); ``overtraining``,
    the ratio of the two; and ``final_training_error``.

    Parameters
    ----------
    widths : hidden units h of the students.
    rows : number of training rows.
    inputs : number of inputs.
    teacher_width : hidden units of the teacher.
    snr : variance of the teacher's labels over that of their noise.
    initial_scale : factor on all initial weights of the model's own variance.
    steps : number of steps.
    learning_rate : rate of Adam.
    """
    if steps < MOMENTS:
        raise ConfigError(f"study.steps is {steps}; valid: {MOMENTS} or more")
    data = EnsembleData.of([noisy_teacher(seed, rows, inputs, teacher_width, snr)] * len(widths), 1)
    moments = sorted({0, *np.geomspace(1, steps, MOMENTS).round().astype(int).tolist()})
    recipe = Recipe(
        loss="mse",
        batch_size=rows,
        steps=steps,
        schedule="constant",
        learning_rate=learning_rate,
        snapshot_steps=moments[:-1],
    )
    widths = sorted(widths)
    start, masks = padded([initial(seed, width, inputs, initial_scale) for width in widths])
    model = MLP(width=widths[-1], depth=1, bias=False)
    runs = [Run(f"width {width}", seed, recipe) for width in widths]
    trained = train(model, data, runs, start=start, masks=masks)
    curves: dict[str, list[npt.NDArray[np.float64]]] = {"error": [], "training_error": []}
    for step in moments:
        params = trained.snapshots[step] if step < steps else trained.params
        curves["error"].append(evaluate(model, params, data, "test", "mse").loss)
        curves["training_error"].append(evaluate(model, params, data, "train", "mse").loss)
    records: list[Record] = [
        {"width": width, "step": step, "quantity": quantity, "value": float(value)}
        for quantity, curve in curves.items()
        for step, values in zip(moments, curve, strict=True)
        for width, value in zip(widths, values, strict=True)
    ]
    final, lowest = curves["error"][-1], np.min(curves["error"], axis=0)
    columns = {
        "parameters_per_row": np.array(widths) * (inputs + 1) / rows,
        "final_error": final,
        "lowest_error": lowest,
        "overtraining": final / lowest,
        "final_training_error": curves["training_error"][-1],
    }
    return records + [
        {"width": width, "quantity": quantity, "value": float(value)}
        for quantity, values in columns.items()
        for width, value in zip(widths, values, strict=True)
    ]


def initial(seed: int, width: int, inputs: int, scale: float) -> Params:
    """Draw a student's weights: ``scale`` times those that the model itself starts from."""
    rng = np.random.default_rng(stream(seed, "student", width))
    draw = MLP(width=width, depth=1, bias=False).init(rng, (inputs,), 1)
    return {name: scale * value for name, value in draw.items()}


def noisy_teacher(seed: int, rows: int, inputs: int, teacher_width: int, snr: float) -> Realization:
    """Draw Gaussian inputs and a teacher; its labels have variance 1 on test rows, plus noise."""
    rng = np.random.default_rng(stream(seed, "noisy teacher", [rows, inputs, teacher_width]))
    x = rng.standard_normal((TEST_ROWS + rows, inputs))
    hidden = np.maximum(x @ rng.standard_normal((inputs, teacher_width)), 0)
    y = hidden @ rng.standard_normal((teacher_width, 1))
    y = (y - y[:TEST_ROWS].mean()) / y[:TEST_ROWS].std()
    y += rng.standard_normal(y.shape) / np.sqrt(snr)
    places = np.arange(len(x))
    return Realization(
        x.astype(np.float32),
        y.astype(np.float32),
        train=places[TEST_ROWS:],
        test=places[:TEST_ROWS],
    )
