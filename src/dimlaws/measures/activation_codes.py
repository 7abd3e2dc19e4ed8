"""Which rows share a linear region of a ReLU network, and what the regions tell of the classes."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from dimlaws.errors import ConfigError
from dimlaws.measures.batch import Record, TrainedBatch
from dimlaws.measures.representation import penultimate
from dimlaws.models.mlp import MLP
from dimlaws.models.model import Params
from dimlaws.seeds import stream
from dimlaws.training.evaluation import evaluate
from dimlaws.training.runs import Split
from dimlaws.types import PositiveInt

Codes = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int64]


def activation_codes(batch: TrainedBatch, *, neighbors: PositiveInt = 9) -> list[Record]:
    """Measure how many rows share their activation code, and classify by code.

    The code of a row is which hidden units are on, one bit each: rows of equal code lie in one
    linear region (He et al. 2021, arXiv:2101.05490). Quantities: ``redundancy`` of the codes of the
    training rows, indexed by ``moment`` ("start": at initialisation, "end": after training); the
    accuracy on test rows after training of the network itself (``network_accuracy``), and of simple
    classifiers of codes, fitted to the training rows: ``neighbor_accuracy`` (nearest neighbours in
    Hamming distance), ``logistic_accuracy`` (logistic regression) and ``cluster_accuracy`` (as many
    k-means clusters as classes, each with the class most frequent in it). Also what is lost against
    the network: ``neighbor_shortfall`` and ``logistic_shortfall``. NaN for a run that diverged.

    Parameters
    ----------
    neighbors : neighbours that vote; 9 in the authors' code.

    Raises
    ------
    ConfigError : the network is not one hidden layer of ReLU, targets are not classes, or the
        parameters at initialisation were not kept.
    """
    model, trained = batch.networks()
    if not isinstance(model, MLP) or len(model.hidden) != 1 or model.activation != "relu":
        raise ConfigError(
            "measure activation_codes reads one bit per unit of a single hidden layer; "
            "valid: an MLP of depth 1 with activation relu"
        )
    if not batch.data.is_classification:
        raise ConfigError("measure activation_codes needs class labels; the targets are numbers")
    untrained = batch.untrained("activation_codes")
    loss = batch.runs[0].recipe.loss
    errors = evaluate(model, trained.params, batch.data, "test", loss).error
    assert errors is not None
    records: list[Record] = []
    for place, run in enumerate(batch.runs):
        start = redundancy(_codes(batch, untrained, place, "train"))
        codes = _codes(batch, trained.params, place, "train")
        found = dict.fromkeys(
            ("neighbor_accuracy", "logistic_accuracy", "cluster_accuracy"), float("nan")
        )
        end, network = float("nan"), 1.0 - float(errors[place])
        if np.isfinite(network):
            end = redundancy(codes)
            rng = np.random.default_rng(stream(run.seed, "k-means"))
            found = code_accuracies(
                (codes, _labels(batch, place, "train")),
                (_codes(batch, trained.params, place, "test"), _labels(batch, place, "test")),
                neighbors,
                int(rng.integers(2**31)),
            )
        for moment, value in (("start", start), ("end", end)):
            index = {"run": run.id, "moment": moment}
            records.append({**index, "quantity": "redundancy", "value": value})
        found["network_accuracy"] = network
        for name in ("neighbor", "logistic"):
            found[f"{name}_shortfall"] = network - found[f"{name}_accuracy"]
        records += [
            {"run": run.id, "quantity": quantity, "value": value}
            for quantity, value in found.items()
        ]
    return records


def redundancy(codes: Codes) -> float:
    """Return (n - number of different codes) / n for ``codes [n, units]``; 0 where none is shared.

    The redundancy ratio of He et al. (2021).
    """
    different = len(np.unique(np.packbits(codes, axis=1), axis=0))
    return (len(codes) - different) / len(codes)


def code_accuracies(
    train: tuple[Codes, Labels], test: tuple[Codes, Labels], neighbors: int, random_state: int
) -> dict[str, float]:
    """Return accuracies on the ``test`` codes of classifiers fitted to the ``train`` codes."""
    (codes, labels), (test_codes, test_labels) = train, test
    x, test_x = codes.astype(np.float64), test_codes.astype(np.float64)
    # The squared Euclidean distance of codes is their Hamming distance.
    nearest = KNeighborsClassifier(min(neighbors, len(x)), algorithm="brute").fit(x, labels)
    logistic = LogisticRegression(max_iter=1000, tol=1e-3).fit(x, labels)
    clusters = min(len(np.unique(labels)), len(np.unique(codes, axis=0)))
    means = KMeans(clusters, n_init=3, random_state=random_state).fit(x)
    counts = np.zeros((clusters, labels.max() + 1), dtype=np.int64)
    np.add.at(counts, (means.labels_, labels), 1)
    predicted = {
        "neighbor_accuracy": nearest.predict(test_x),
        "logistic_accuracy": logistic.predict(test_x),
        "cluster_accuracy": counts.argmax(axis=1)[means.predict(test_x)],
    }
    return {name: float(np.mean(value == test_labels)) for name, value in predicted.items()}


def _codes(batch: TrainedBatch, params: Params, run: int, split: Split) -> Codes:
    _, trained = batch.networks()
    networks = replace(batch, trained=replace(trained, params=params))
    codes: Codes = penultimate(networks, run, split, None) > 0
    return codes


def _labels(batch: TrainedBatch, run: int, split: Split) -> Labels:
    table = (batch.data.train if split == "train" else batch.data.test)[run]
    labels: Labels = batch.data.y[table + int(batch.data.y_offset[run])].cpu().numpy()
    return labels
