"""The law of Marchenko and Pastur (1967): eigenvalues of large sample covariance matrices.

X holds n rows of d independent entries of mean 0 and variance 1. As both grow with the aspect
ratio c = d / n fixed, the eigenvalues λ of XᵀX / n have the density

    ρ(λ) = √((b - λ)(λ - a)) / (2π c λ)   on [a, b] = [(1 - √c)², (1 + √c)²],

and for c > 1 the mass 1 - 1/c at λ = 0, the directions in which no row lies. Other scales follow:
entries of variance s² multiply all eigenvalues by s².
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from dimlaws.errors import ConfigError

Floats = npt.NDArray[np.float64]

STEP = 0.125
LOW, HIGH = -48.0, 16.0
"""The trapezoid rule in s, with π / (1 + exp(-s)) the angle that is integrated over."""


def support(ratio: float) -> tuple[float, float]:
    """Return the ends a and b of the interval that holds all eigenvalues but the zeros."""
    _refuse(ratio)
    return (1 - np.sqrt(ratio)) ** 2, (1 + np.sqrt(ratio)) ** 2


def mass_at_zero(ratio: float) -> float:
    """Return the share of eigenvalues that are exactly zero, for c = ``ratio``."""
    _refuse(ratio)
    return max(0.0, 1 - 1 / ratio)


def density(eigenvalues: npt.ArrayLike, ratio: float) -> Floats:
    """Return ρ(λ), which integrates to 1 - ``mass_at_zero(ratio)``; 0 outside the support."""
    low, high = support(ratio)
    x = np.asarray(eigenvalues, dtype=np.float64)
    inside = (x > low) & (x < high)
    safe = np.where(inside, x, 1.0)
    values = np.sqrt(np.clip((high - x) * (x - low), 0, None)) / (2 * np.pi * ratio * safe)
    return np.where(inside, values, 0.0)


def expectation(function: Callable[[Floats], Floats], ratio: float) -> Floats:
    """Return the mean of a function of the eigenvalue, the mass at zero included.

    The function gets eigenvalues ``[K]`` and returns values ``[..., K]``; the means are ``[...]``.
    It gets 0, too, if there is mass, so it must be finite there. With λ = a + 4√c sin²(φ/2) both
    square roots go, and ρ(λ) dλ = 2 sin²φ / (π λ) dφ on [0, π]. What is left is steep near φ = 0:
    the factor 1/λ if c is close to 1, and functions such as exp(-λt) at late times. So nodes lie
    evenly in log φ there, and the trapezoid rule converges geometrically (Trefethen & Weideman
    2014). The relative error is below 1e-12 for polynomials, for 1/λ with |c - 1| >= 1e-4, and for
    exp(-λt) and (1 - exp(-λt))²/λ up to t = 1e8 at every c. Functions must be smooth, and the
    integral finite: that of 1/λ at c = 1 is not, and the number returned then means nothing.
    """
    eigenvalues, weights = _quadrature(ratio)
    return np.asarray(np.sum(function(eigenvalues) * weights, axis=-1), dtype=np.float64)


@lru_cache(maxsize=256)
def _quadrature(ratio: float) -> tuple[Floats, Floats]:
    """Return eigenvalues and their weights, both ``[K]``; the first is 0 if there is mass."""
    low, _ = support(ratio)
    s = np.arange(LOW, HIGH + STEP / 2, STEP)
    angle, rest = np.pi / (1 + np.exp(-s)), np.pi / (1 + np.exp(s))
    eigenvalues = low + 4 * np.sqrt(ratio) * np.sin(angle / 2) ** 2
    # Close to π the sine is that of the rest, which is known to full relative accuracy.
    sine = np.sin(np.minimum(angle, rest))
    weights = 2 * sine**2 / (np.pi * eigenvalues) * (angle * rest / np.pi) * STEP
    zero = mass_at_zero(ratio)
    if zero > 0:
        eigenvalues, weights = np.append(0.0, eigenvalues), np.append(zero, weights)
    eigenvalues.setflags(write=False)
    weights.setflags(write=False)
    return eigenvalues, weights


def _refuse(ratio: float) -> None:
    if not 0 < ratio < np.inf:
        raise ConfigError(f"Marchenko-Pastur: the aspect ratio is {ratio}; valid: finite, above 0")
