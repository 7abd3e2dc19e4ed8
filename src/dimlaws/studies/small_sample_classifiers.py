"""Classifiers by distances of few rows in many dimensions, and what mends them."""

import numpy as np
import numpy.typing as npt

from dimlaws.errors import ConfigError
from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.theory.small_sample_classification import average_distance_accuracy
from dimlaws.types import PositiveFloat, PositiveInt

Floats = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int64]


def small_sample_classifiers(
    seed: int,
    *,
    dims: list[PositiveInt],
    scale_gaps: list[PositiveFloat],
    location_gap: PositiveFloat = 0.5,
    rows: PositiveInt = 10,
    test_rows: PositiveInt = 10,
    repeats: PositiveInt = 10,
) -> list[Record]:
    """Accuracy of classifiers by distances for two classes that differ in two moments, or in none.

    Class b is normal with variance 1 in all d coordinates. Class a differs from it in

    - ``moments``: it is normal, its mean differs by √(location gap) in every coordinate, and its
      variance is larger by the location gap times each of ``scale_gaps``;
    - ``shape``: it is Laplace, of the same mean and variance.

    Index columns: ``dim``; ``difference``, with ``scale_gap`` for moments; ``classifier`` (see
    ``decisions``). Quantities: ``accuracy``, the mean over both classes; ``wide_error``, the error
    of class a; and for ``average_distance`` and moments ``predicted_error``, what that should be
    (see ``average_distance_accuracy``).

    Parameters
    ----------
    dims : numbers of dimensions d.
    scale_gaps : differences of variance over the location gap.
    location_gap : squared distance of the means over d.
    rows : training rows of each class; at least 2.
    test_rows : test rows of each class, for each of the repeats.
    repeats : training sets that are drawn for each point.
    """
    if rows < 2:
        raise ConfigError(f"small_sample_classifiers: rows {rows}; valid: 2 or more")
    records: list[Record] = []
    for dim in dims:
        for gap in [*scale_gaps, None]:
            rng = np.random.default_rng(stream(seed, "small sample", [dim, gap, location_gap]))
            chosen: dict[str, list[Classes]] = {}
            for _ in range(repeats):
                a, b = _classes(rng, (rows + test_rows, dim), gap, location_gap)
                test = np.concatenate([a[rows:], b[rows:]])
                for name, classes in decisions(np.stack([a[:rows], b[:rows]]), test).items():
                    chosen.setdefault(name, []).append(classes.reshape(2, test_rows))
            at: Record = {"dim": dim, "difference": "shape"}
            if gap is not None:
                at = {"dim": dim, "difference": "moments", "scale_gap": gap}
            for name, sets in chosen.items():
                wrong = np.mean(np.array(sets) != np.array([[0], [1]]), axis=(0, 2))
                values = {"accuracy": 1 - wrong.mean(), "wide_error": wrong[0]}
                if name == "average_distance" and gap is not None:
                    share = average_distance_accuracy(
                        dim, rows, 1 + gap * location_gap, 1.0, location_gap
                    )
                    values["predicted_error"] = 1 - share
                records += [
                    {**at, "classifier": name, "quantity": quantity, "value": float(value)}
                    for quantity, value in values.items()
                ]
    return records


def _classes(
    rng: np.random.Generator, size: tuple[int, int], gap: float | None, location_gap: float
) -> tuple[Floats, Floats]:
    """Draw rows of classes a and b."""
    if gap is None:
        return rng.laplace(scale=np.sqrt(0.5), size=size), rng.standard_normal(size)
    a = np.sqrt(1 + gap * location_gap) * rng.standard_normal(size)
    return a, np.sqrt(location_gap) + rng.standard_normal(size)


def decisions(train: Floats, test: Floats) -> dict[str, Classes]:
    """Return the class that each classifier gives to each test row.

    ``train [classes, rows, d]``, ``test [test, d]``. With squared Euclidean distances over d:

    - ``nearest``: the class of the nearest training row;
    - ``average_distance``: the class of the smallest average distance;
    - ``scale_adjusted``: the same after half of the average distance within the class is taken off
      (Chan & Hall 2009).

    With the distance mean(1 - exp(-|u - v|)), the generalization of Roy, Sarkar, Dutta & Ghosh
    (2022), in which coordinates count through a bounded function and so beyond two moments:

    - ``generalized_adjusted``: the last of the above;
    - ``generalized_nearest``: the class of the training row x of least mean absolute difference
      |h(test, x') - h(x, x')| over the other training rows x' (h is the distance).
    """
    classes, rows, _ = train.shape
    known = train.reshape(classes * rows, -1)
    squared, bounded = _squared(test, known), _bounded(test, known)
    inner_squared, inner_bounded = _squared(known, known), _bounded(known, known)
    profiles = np.abs(bounded[:, None, :] - inner_bounded[None])  # [test, x, x']
    profiles[:, np.arange(len(known)), np.arange(len(known))] = 0.0
    return {
        "nearest": squared.argmin(axis=1) // rows,
        "average_distance": _averages(squared, classes).argmin(axis=1),
        "scale_adjusted": _adjusted(squared, inner_squared, classes).argmin(axis=1),
        "generalized_adjusted": _adjusted(bounded, inner_bounded, classes).argmin(axis=1),
        "generalized_nearest": profiles.sum(axis=2).argmin(axis=1) // rows,
    }


def _adjusted(distances: Floats, inner: Floats, classes: int) -> Floats:
    """Return ``[test, classes]`` average distances less half of those within the class."""
    rows = len(inner) // classes
    own = inner.reshape(classes, rows, classes, rows)[range(classes), :, range(classes)]
    within = own.sum(axis=(1, 2)) / (rows * (rows - 1))  # the distance of a row to itself is 0
    adjusted: Floats = _averages(distances, classes) - within / 2
    return adjusted


def _averages(distances: Floats, classes: int) -> Floats:
    averages: Floats = distances.reshape(len(distances), classes, -1).mean(axis=2)
    return averages


def _squared(left: Floats, right: Floats) -> Floats:
    squares = np.sum(left**2, axis=1)[:, None] + np.sum(right**2, axis=1)[None]
    distances: Floats = (squares - 2 * left @ right.T) / left.shape[1]
    return distances


def _bounded(left: Floats, right: Floats) -> Floats:
    return np.array([np.mean(1 - np.exp(-np.abs(row - right)), axis=1) for row in left])
