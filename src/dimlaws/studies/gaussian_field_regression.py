"""Kernel regression without ridge of Gaussian fields: kernels, teachers and test errors."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular

Floats = npt.NDArray[np.float64]

DRAWS = 256
"""Teachers drawn for each set of points."""

LEAST_PIVOT = 1e-13
"""Smallest pivot of a student's kernel matrix, of diagonal 1, that is still above rounding."""

NUGGET = 1e-13
"""Variance of white noise in a teacher, whose variance is 1: far below every test error."""

KERNELS: dict[str, Callable[[Floats], Floats]] = {
    "laplace": lambda r: np.exp(-r),
    "matern": lambda r: (1 + np.sqrt(3) * r) * np.exp(-np.sqrt(3) * r),
    "gaussian": lambda r: np.exp(-(r**2) / 2),
}
"""Kernels of the distance over the length; ``matern`` has smoothness 3/2."""


def gaussian_fields(covariance: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Draw ``[points, draws]`` random functions with a ``covariance`` ``[points, points]``.

    White noise of variance ``NUGGET`` keeps the covariance of close points positive definite.
    """
    factor = np.linalg.cholesky(covariance + NUGGET * np.eye(len(covariance)))
    fields: Floats = factor @ rng.standard_normal((len(covariance), draws))
    return fields


def regression_weights(matrix: Floats, cross: Floats, sizes: list[int]) -> dict[int, Floats]:
    """Return the weights ``[rows, test]`` of training targets by number of rows, without ridge.

    ``matrix [n, n]`` is the student's kernel of the training rows, n = ``sizes[-1]``, ``sizes``
    ascending, and ``cross [n, test]`` that with the test rows. Sizes at which the matrix is
    singular in double precision are left out. The Cholesky factor of fewer rows is a part of that
    of more, so there is one for all sizes.
    """
    factor: Floats = np.empty((0, 0))
    for n in reversed(sizes):
        try:
            factor = np.asarray(np.linalg.cholesky(matrix[:n, :n]), dtype=np.float64)
        except np.linalg.LinAlgError:
            continue
        break
    pivots = np.minimum.accumulate(np.diag(factor) ** 2)
    usable = [n for n in sizes if n <= len(pivots) and pivots[n - 1] > LEAST_PIVOT]
    half = solve_triangular(factor, cross[: len(factor)], lower=True)
    return {n: solve_triangular(factor[:n, :n], half[:n], lower=True, trans="T") for n in usable}


def field_errors(weights: dict[int, Floats], fields: Floats, train: int) -> dict[int, float]:
    """Return the mean squared error by number of rows, of ``fields [train + test, draws]``."""
    truth = fields[train:]
    return {n: float(np.mean((truth - w.T @ fields[:n]) ** 2)) for n, w in weights.items()}
