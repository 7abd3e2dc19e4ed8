"""Loss and error on training and test rows."""

import numpy as np

from dimlaws.measures.batch import Record, TrainedBatch
from dimlaws.training.evaluation import evaluate


def generalization(batch: TrainedBatch) -> list[Record]:
    """Measure loss and error on training and test rows, and their gaps.

    Quantities: ``train_loss``, ``test_loss``, ``gap = test_loss - train_loss`` (in units of the
    training loss: nats, or squared error per output); for classes also ``train_error``,
    ``test_error``, ``error_gap`` (fractions); these are NaN for a diverged run. Also
    ``diverged_step`` (-1: never) and ``parameters``, the number of trained ones.
    """
    model, trained = batch.networks()
    loss = batch.runs[0].recipe.loss
    train = evaluate(model, trained.params, batch.data, "train", loss)
    test = evaluate(model, trained.params, batch.data, "test", loss)
    rows = [
        *batch.records("train_loss", train.loss),
        *batch.records("test_loss", test.loss),
        *batch.records("gap", test.loss - train.loss),
    ]
    if train.error is not None and test.error is not None:
        rows += batch.records("train_error", train.error)
        rows += batch.records("test_error", test.error)
        rows += batch.records("error_gap", test.error - train.error)
    parameters = sum(value[0].numel() for value in trained.params.values())
    return [
        *rows,
        *batch.records("diverged_step", trained.diverged_step.astype(np.float64)),
        *batch.records("parameters", np.full(len(batch.runs), float(parameters))),
    ]
