"""Points from their distances, in Euclidean and in hyperbolic space."""

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

from dimlaws.studies.trees import mean_average_precision

Floats = npt.NDArray[np.float64]


def classical_coordinates(lengths: Floats) -> Floats:
    """Return Euclidean coordinates [n, dims] by classical multidimensional scaling.

    The columns are the eigenvectors of the centred -lengths²/2 with positive eigenvalues, times
    their roots, largest first (Torgerson 1952).
    """
    squares = -(lengths**2) / 2
    centred = squares - squares.mean(axis=0) - squares.mean(axis=1)[:, None] + squares.mean()
    values, vectors = np.linalg.eigh(centred)
    kept = np.flatnonzero(values > 1e-9 * values[-1])[::-1]
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))


def euclidean_dimension(lengths: Floats, precision: float) -> int:
    """Return the fewest dimensions in which classical scaling has this mean average precision.

    It is the number of points, more than there are dimensions, where no number of them is enough.
    """
    coordinates = classical_coordinates(lengths)
    for dim in range(1, coordinates.shape[1] + 1):
        distances = cdist(coordinates[:, :dim], coordinates[:, :dim])
        if mean_average_precision(lengths, distances) >= precision:
            return dim
    return len(lengths)


def hyperbolic_points(count: int, dim: int, radius: float, rng: np.random.Generator) -> Floats:
    """Return random points of the hyperboloid [count, 1 + dim], at distances up to ``radius``.

    A point is (cosh ρ, sinh ρ · x), |x| = 1, with ρ uniform.
    """
    axes = rng.standard_normal((count, dim))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    radii = radius * rng.random((count, 1))
    return np.hstack([np.cosh(radii), np.sinh(radii) * axes])


def hyperbolic_distances(points: Floats) -> Floats:
    """Return the distances [n, n] of points of the hyperboloid, arcosh of -<x, y>."""
    products = points[:, :1] * points[:, :1].T - points[:, 1:] @ points[:, 1:].T
    np.fill_diagonal(products, 1.0)
    return np.asarray(np.arccosh(np.maximum(products, 1.0)))


def recovered_points(distances: Floats, dim: int) -> Floats:
    """Return points of the hyperboloid [n, 1 + dim] with these distances, up to an isometry.

    cosh of the distances is x_0 y_0 - x·y, a matrix with one positive and ``dim`` negative
    eigenvalues: their eigenvectors, times roots, are the coordinates (De Sa et al. 2018, h-MDS,
    exact recovery).
    """
    values, vectors = np.linalg.eigh(np.cosh(distances))
    time = vectors[:, -1:] * np.sqrt(values[-1])
    space = vectors[:, :dim] * np.sqrt(np.maximum(-values[:dim], 0.0))
    return np.hstack([time * np.sign(time.sum()), space])
