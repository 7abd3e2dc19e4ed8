"""Trees in hyperbolic space by construction: distortion, precision, dimension."""

import math
from typing import Literal

import numpy as np

from dimlaws.errors import ConfigError
from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.studies.hyperbolic_construction import directions, distances, embed, rounded
from dimlaws.studies.metric_scaling import (
    euclidean_dimension,
    hyperbolic_distances,
    hyperbolic_points,
    recovered_points,
)
from dimlaws.studies.trees import (
    Parents,
    double_star,
    mean_average_precision,
    path_lengths,
    random_tree,
    regular_tree,
    worst_distortion,
)
from dimlaws.theory.hyperbolic_trees import coordinate_bits, sufficient_scale
from dimlaws.types import PerRun, PositiveFloat, PositiveInt

DEGREES: dict[str, int] = {"binary": 3, "ternary": 4, "random": 5}
"""Most edges at a node; that of a double star follows from its leaves."""
SPARE_BITS = 60
SAME_PRECISION = 0.99
RADIUS = 3.0


def hyperbolic_tree_embedding(
    seed: int,
    *,
    tree: PerRun[Literal["binary", "ternary", "random", "double_star"]],
    depths: list[PositiveInt],
    random_nodes: PositiveInt = 64,
    leaves: PositiveInt = 64,
    dims: list[PositiveInt] = [2, 3, 4, 5],  # noqa: B006
    recovered_dims: list[PositiveInt] = [2, 5, 10],  # noqa: B006
    points: PositiveInt = 50,
    epsilon: PositiveFloat = 0.1,
) -> list[Record]:
    """Embed trees by Sarkar's construction, at the edge length that theory says is enough.

    Regular and random trees are embedded in the plane, one of each depth; a double star, whose
    degree is high, in several dimensions. Index columns: ``depth`` and ``dim``.

    Quantities of each embedding: ``average_precision``; ``relative_distortion``, (distortion - 1)
    over ε; ``bits``, the fewest bits after the binary point with which coordinates still have a
    mean average precision of 1 and a distortion of at most 1 + ε; ``predicted_bits`` (see
    ``theory.hyperbolic_trees``). Of the run: ``bits_linearity``, R² of bits over depth, for trees
    of several depths; ``euclidean_dim``, the dimensions that classical multidimensional scaling of
    the deepest tree needs for a mean average precision of 0.99; and per ``dim``,
    ``recovery_error``, the largest difference between the distances of random hyperbolic points and
    of the points recovered from them.

    Parameters
    ----------
    tree : family of trees; regular ones and double stars are the same for every seed.
    depths : depths of binary, ternary and random trees.
    random_nodes : nodes of a random tree, of at most 5 edges each.
    leaves : leaves at each of the two centres of a double star.
    dims : dimensions of a double star's embeddings; at least 2.
    recovered_dims : dimensions of random points, fewer than ``points``.
    points : number of random points.
    epsilon : distortion allowed beyond 1; at most 1.
    """
    if epsilon > 1 or min(dims) < 2 or max(recovered_dims) >= points:
        raise ConfigError(
            f"hyperbolic_tree_embedding: epsilon {epsilon}, dims {dims}, recovered_dims "
            f"{recovered_dims}; valid: epsilon to 1, dims from 2, recovered_dims below {points}"
        )
    rng = np.random.default_rng(stream(seed, "trees", [tree, random_nodes]))
    if tree == "double_star":
        grown, degree, spaces = {2: double_star(leaves)}, leaves + 1, dims
    else:
        grown = {depth: _grown(tree, depth, random_nodes, rng) for depth in depths}
        degree, spaces = DEGREES[tree], [2]
    records: list[Record] = []
    bits: list[float] = []
    for depth, parents in grown.items():
        for dim in spaces:
            found = _measured(parents, dim, degree, epsilon)
            bits.append(found["bits"])
            records += [
                {"quantity": name, "value": value, "depth": depth, "dim": dim}
                for name, value in found.items()
            ]
    if len(grown) > 2:
        linearity = float(np.corrcoef(list(grown), bits)[0, 1] ** 2)
        records.append({"quantity": "bits_linearity", "value": linearity})
    deepest = path_lengths(grown[max(grown)])
    needed = float(euclidean_dimension(deepest, SAME_PRECISION))
    records.append({"quantity": "euclidean_dim", "value": needed})
    for dim in recovered_dims:
        given = hyperbolic_distances(hyperbolic_points(points, dim, RADIUS, rng))
        error = np.abs(hyperbolic_distances(recovered_points(given, dim)) - given).max()
        records.append({"quantity": "recovery_error", "value": float(error), "dim": dim})
    return records


def _grown(tree: str, depth: int, nodes: int, rng: np.random.Generator) -> Parents:
    if tree == "random":
        return random_tree(DEGREES[tree], depth, nodes, rng)
    return regular_tree(DEGREES[tree] - 1, depth)


def _measured(parents: Parents, dim: int, degree: int, epsilon: float) -> dict[str, float]:
    """Return the quantities of one embedding."""
    lengths = path_lengths(parents)
    scale = sufficient_scale(directions(degree, dim)[1], epsilon)
    embedded = embed(parents, dim, degree, scale)
    predicted = coordinate_bits(int(lengths[0].max()), scale)

    def kept(bits: int) -> tuple[float, float]:
        spans = distances(rounded(embedded, bits), bits)
        if spans is None:
            return 0.0, math.inf
        return mean_average_precision(lengths, spans), worst_distortion(lengths, spans)

    enough = int(2 * predicted) + SPARE_BITS
    precision, distortion = kept(enough)
    low, high = 0, enough
    while high - low > 1:
        middle = (low + high) // 2
        held = kept(middle)
        fits = held[0] == 1.0 and held[1] <= 1 + epsilon
        low, high = (low, middle) if fits else (middle, high)
    return {
        "average_precision": precision,
        "relative_distortion": (distortion - 1) / epsilon,
        "bits": float(high),
        "predicted_bits": predicted,
    }
