"""How many dimensions the features of random star layers span, counted as a rank."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.theory.star_operation import estimated_star_dimension, star_dimension, sum_dimension
from dimlaws.types import PositiveFloat, PositiveInt

Floats = npt.NDArray[np.float64]
Operation = Literal["star", "sum"]

OPERATIONS: tuple[Operation, ...] = ("star", "sum")


def star_operation_rank(
    seed: int,
    *,
    one_layer: list[PositiveInt],
    two_layers: list[PositiveInt],
    tolerance: PositiveFloat = 1e-10,
    spare: PositiveInt = 16,
) -> list[Record]:
    """Rank of the features (W1 x + b1) * (W2 x + b2), one or two layers, and of their sums.

    Weights and inputs x are Gaussian. There are ``spare`` more rows, and units in every layer, than
    dimensions to be found, so that neither limits the rank. It counts the singular values above
    ``tolerance`` times the largest one.

    Index columns: ``operation``, "star" or "sum"; ``layers``; ``inputs``, their number d.
    Quantities: ``rank`` and ``dimension``, what it is in closed form; ``spectral_gap``, the
    smallest singular value that counts over the largest that does not; and of stars
    ``estimated_dimension``, (d / √2)^(2^layers) (see ``theory.star_operation``).

    Parameters
    ----------
    one_layer : numbers d of inputs of a single layer.
    two_layers : numbers d of inputs of two layers; time grows with d^12.
    tolerance : singular values below this share of the largest one are rounding errors.
    spare : rows and units beyond the dimension.
    """
    records: list[Record] = []
    for layers, sizes in ((1, one_layer), (2, two_layers)):
        for inputs in sizes:
            for operation in OPERATIONS:
                content = [operation, layers, inputs]
                rng = np.random.default_rng(stream(seed, "star features", content))
                features = random_features(rng, operation, inputs, layers, spare)
                rank, gap = rank_and_gap(features, tolerance)
                found = {"rank": rank, "spectral_gap": gap}
                if operation == "star":
                    found["dimension"] = star_dimension(inputs, layers)
                    found["estimated_dimension"] = estimated_star_dimension(inputs, layers)
                else:
                    found["dimension"] = sum_dimension(inputs)
                index = {"operation": operation, "layers": layers, "inputs": inputs}
                records += [
                    {**index, "quantity": quantity, "value": float(value)}
                    for quantity, value in found.items()
                ]
    return records


def random_features(
    rng: np.random.Generator, operation: Operation, inputs: int, layers: int, spare: int
) -> Floats:
    """Return the last layer ``[rows, units]`` of random rows; see ``star_operation_rank``."""
    rows = star_dimension(inputs, layers) + spare
    values = rng.standard_normal((rows, inputs))
    for layer in range(1, layers + 1):
        units = star_dimension(inputs, layer) + spare
        first, second = (_affine(rng, values, units) for _ in range(2))
        values = first * second if operation == "star" else first + second
    return values


def rank_and_gap(features: Floats, tolerance: float) -> tuple[int, float]:
    """Return the number of singular values above ``tolerance`` times the largest, and their gap."""
    singular = np.linalg.svd(features, compute_uv=False)
    rank = int((singular > tolerance * singular[0]).sum())
    return rank, float(singular[rank - 1] / singular[rank])


def _affine(rng: np.random.Generator, values: Floats, units: int) -> Floats:
    weight = rng.standard_normal((values.shape[1], units)) / np.sqrt(values.shape[1])
    mapped: Floats = values @ weight + rng.standard_normal(units)
    return mapped
