"""Errors of estimators of the index space of y = F(B^T x), for Gaussian inputs and many rows.

Here x ~ N(0, Σ), the r orthonormal columns of B are eigenvectors of Σ of eigenvalue 1, and each of
the q responses is g(z_k) plus noise of variance σ², where z = B^T x and every index k drives q/r
of them. An estimator takes the singular or eigenvectors of a mean over n rows. To first order in
its fluctuation E, what the estimate B̂ has outside of B is P⊥ E Λ^-1 with the r non-zero values Λ
of the mean (perturbation of singular spaces); P⊥ x is independent of z and y, so that

    |P⊥ B̂|_F / √r = √(tr(P⊥ Σ^-1) / n · c),

with a number c for each estimator. The mean square is averaged here. Derived for this project;
that it falls as √(p/n) is Theorem 3.5 of Tian, Wu & Feng (2025), for the first order.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Link = Callable[[Floats], Floats]

NODES = 120
"""Nodes of the Gauss-Hermite rule."""


def gaussian_mean(function: Link) -> float:
    """Return the mean of ``function(z)`` over a standard normal z."""
    nodes, weights = _rule()
    return float(weights @ function(nodes))


@cache
def _rule() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return nodes, weights / np.sqrt(2 * np.pi)


def first_order_error(
    link: Link, indices: int, responses: int, noise: float, ratio: float
) -> float:
    """Return the error of the first-order estimator; ``ratio`` is tr(P⊥ Σ^-1) / n.

    The mean of s(x) y^T has r singular values √(q/r) E g', and E g' = E g(z) z.
    """
    signal = gaussian_mean(lambda z: link(z) ** 2)
    slope = gaussian_mean(lambda z: link(z) * z)
    return float(np.sqrt(ratio * (signal + noise**2 * indices / responses)) / abs(slope))


def least_squares_error(
    link: Link, indices: int, responses: int, noise: float, ratio: float
) -> float:
    """Return the error of least squares, whose residuals alone fluctuate; ``ratio`` as above."""
    slope = gaussian_mean(lambda z: link(z) * z)
    residual = gaussian_mean(lambda z: (link(z) - slope * z) ** 2)
    return float(np.sqrt(ratio * (residual + noise**2 * indices / responses)) / abs(slope))


def second_order_error(
    link: Link, indices: int, responses: int, noise: float, ratio: float
) -> float:
    """Return the error of the second-order estimator; ``ratio`` as above.

    The mean of w (s s^T - Σ^-1), w the mean response, has r eigenvalues E g'' / r, and
    E g'' = E g(z) (z² - 1); c is E[w² z_k²] over their square.
    """
    r = indices
    mean, square = gaussian_mean(link), gaussian_mean(lambda z: link(z) ** 2)
    mean_weighted = gaussian_mean(lambda z: link(z) * z**2)
    square_weighted = gaussian_mean(lambda z: (link(z) * z) ** 2)
    # w is a mean over indices; z_k weights one of them, and w has two factors.
    pairs = square_weighted + (r - 1) * (square + 2 * mean_weighted * mean)
    pairs += (r - 1) * (r - 2) * mean**2
    fluctuation = pairs / r**2 + noise**2 / responses
    curvature = (mean_weighted - mean) / r
    return float(np.sqrt(ratio * fluctuation) / abs(curvature))
