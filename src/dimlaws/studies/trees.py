"""Trees, their path lengths, and how well embedded points keep them."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Parents = list[int]
"""The parent of each node; node 0 is the root, its own parent, and parents come first."""

ROUNDING = 1e-9
"""Relative difference up to which two distances count as equal."""


def regular_tree(children: int, depth: int) -> Parents:
    """Return the tree whose nodes down to ``depth`` - 1 have ``children`` children each."""
    parents, level = [0], [0]
    for _ in range(depth):
        start = len(parents)
        parents += [node for node in level for _ in range(children)]
        level = list(range(start, len(parents)))
    return parents


def random_tree(degree: int, depth: int, nodes: int, rng: np.random.Generator) -> Parents:
    """Return a random tree of exactly this depth, grown by one node at a time from a path.

    The parent of each is drawn from the nodes above ``depth`` with fewer than ``degree`` edges.
    """
    parents = [0, *range(depth)]
    levels, edges = list(range(depth + 1)), [1, *[2] * (depth - 1), 1]
    while len(parents) < nodes:
        places = zip(levels, edges, strict=True)
        free = [i for i, (n, e) in enumerate(places) if n < depth and e < degree]
        if not free:
            break
        parent = int(rng.choice(free))
        parents.append(parent)
        edges[parent] += 1
        edges.append(1)
        levels.append(levels[parent] + 1)
    return parents


def double_star(leaves: int) -> Parents:
    """Return two neighbours with ``leaves`` further neighbours each; node 0 is one of them."""
    return [0, 0, *[0] * leaves, *[1] * leaves]


def path_lengths(parents: Parents) -> Floats:
    """Return the number of edges between all nodes [n, n]."""
    lengths = np.zeros((len(parents), len(parents)))
    for node in range(1, len(parents)):
        lengths[node, :node] = lengths[:node, node] = lengths[parents[node], :node] + 1
    return lengths


def mean_average_precision(lengths: Floats, distances: Floats) -> float:
    """Return how well the ``distances`` [n, n] of points rank each node's neighbours first.

    For a node, the average over its neighbours b of the share of neighbours among the nodes no
    farther than b; the mean over nodes (Nickel & Kiela 2017). 1 where no stranger intrudes.
    """
    found = []
    for node, near in enumerate(lengths == 1):
        row = distances[node].copy()
        row[node] = np.inf
        within = row[None, :] <= row[near][:, None] * (1 + ROUNDING)  # [neighbours, nodes]
        found.append(np.mean((within & near).sum(axis=1) / within.sum(axis=1)))
    return float(np.mean(found))


def worst_distortion(lengths: Floats, distances: Floats) -> float:
    """Return the largest expansion times the largest contraction of path lengths."""
    pairs = np.triu_indices(len(lengths), 1)
    ratios = distances[pairs] / lengths[pairs]
    return float(ratios.max() / ratios.min()) if ratios.min() > 0 else np.inf
