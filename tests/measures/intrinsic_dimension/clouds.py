"""Point clouds of known dimension, and neighbour distances drawn from the law itself."""

import numpy as np

from dimlaws.measures.intrinsic_dimension import Neighbors


def sphere(seed, n, d, D=None):
    """n uniform points on the d-sphere, in D dimensions (d + 1 if None)."""
    rng = np.random.default_rng([seed, n, d])
    points = rng.standard_normal((n, d + 1))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    if D is None:
        return points
    return points @ np.linalg.qr(rng.standard_normal((D, d + 1)))[0].T


def cube(seed, n, d):
    """n uniform points in the d-cube."""
    return np.random.default_rng([seed, n, d]).random((n, d))


def ideal_neighbors(rng, n, k, d):
    """Neighbours of n independent points of a homogeneous Poisson process in d dimensions.

    T_j^d are partial sums of unit exponentials. No two points are each other's neighbours.
    """
    distances = np.cumsum(rng.exponential(size=(n, k)), axis=1) ** (1 / d)
    indices = (np.arange(n)[:, None] + 1 + np.arange(k)) % n
    return Neighbors(distances, indices, np.arange(n), n, 0)
