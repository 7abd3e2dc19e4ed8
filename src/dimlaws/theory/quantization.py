"""How well a standard normal number can be kept in b bits: one at a time, and at best."""

import functools

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

Floats = npt.NDArray[np.float64]

STEPS = 100_000
TOLERANCE = 1e-11


@functools.cache
def lloyd_max_levels(count: int) -> Floats:
    """Return the ``count`` levels, ascending, that keep a standard normal number best.

    They are a fixed point (Lloyd 1982; Max 1960): each is the mean of the numbers nearest to it,
    (φ(a) - φ(b)) / (Φ(b) - Φ(a)) between the midpoints a and b to its neighbours. The normal
    density is log-concave, so there is only one, and the iteration goes there from anywhere.
    """
    levels: Floats = ndtri((np.arange(count) + 0.5) / count)
    for _ in range(STEPS):
        masses, firsts = _cells(levels)
        change = np.max(np.abs(firsts / masses - levels))
        levels = firsts / masses
        if change < TOLERANCE:
            break
    levels.setflags(write=False)  # it is shared by all callers
    return levels


def quantized_cosine(mean_square_error: float) -> float:
    """Return the cosine between a long normal vector and what is kept of it.

    Levels that are means of what they stand for have the variance 1 - D and the same covariance
    with the number, so that the cosine is sqrt(1 - D).
    """
    return float(np.sqrt(1.0 - mean_square_error))


def mean_square_error(levels: Floats) -> float:
    """Return E[(g - Q(g))^2] for a standard normal g and the nearest of ``levels``, ascending."""
    masses, firsts = _cells(levels)
    return float(1.0 - 2.0 * levels @ firsts + levels**2 @ masses)


def rate_distortion_error(bits: float) -> float:
    """Return the least mean square error of any code of long normal vectors, 4^-b (Shannon)."""
    return float(4.0**-bits)


def _cells(levels: Floats) -> tuple[Floats, Floats]:
    """Return the probability of every level's cell, and E[g; g in the cell]."""
    edges = np.concatenate([[-np.inf], (levels[1:] + levels[:-1]) / 2, [np.inf]])
    density = np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi)
    return np.diff(ndtr(edges)), -np.diff(density)
