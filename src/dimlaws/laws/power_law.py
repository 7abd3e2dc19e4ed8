"""Power laws fitted to means: ``y = c x^-a``, and ``y = L_inf + c x^-a``."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dimlaws.arrays import float_array
from dimlaws.errors import EstimationError

Vector = npt.NDArray[np.float64]

EXPONENT_RANGE = (0.01, 10.0)
"""Exponents that the fit with a floor searches; an optimum at an end means: not identified."""

_GRID = 65
_ZOOMS = 8


@dataclass(frozen=True)
class PowerLaw:
    """``y = prefactor * x^-exponent``; ``r2`` is of ``ln y`` (NaN where ``y`` is constant)."""

    exponent: float
    prefactor: float
    r2: float


@dataclass(frozen=True)
class OffsetPowerLaw:
    """``y = floor + prefactor * x^-exponent``, floor and prefactor not negative."""

    floor: float
    exponent: float
    prefactor: float


def fit_power_law(x: npt.ArrayLike, y: npt.ArrayLike) -> PowerLaw:
    """Fit ``y = c x^-a`` by least squares of ``ln y`` on ``ln x``.

    ``x`` and ``y`` are vectors of one length. Raises ``EstimationError`` unless all values are
    positive, ``x`` has two distinct values, and the prefactor does not overflow.
    """
    abscissa, ordinate = _positive_pair(x, y, distinct=2)
    u, v = np.log(abscissa), np.log(ordinate)
    u_mean, v_mean = u.mean(), v.mean()
    du, dv = u - u_mean, v - v_mean
    slope = float(du @ dv / (du @ du))
    residual = dv - slope * du
    total = float(dv @ dv)
    r2 = 1.0 - float(residual @ residual) / total if total > 0 else float("nan")
    with np.errstate(over="ignore"):
        prefactor = float(np.exp(v_mean - slope * u_mean))
    if not np.isfinite(prefactor):
        raise EstimationError(
            f"the prefactor of a power law of exponent {-slope:.3g} overflows at x around "
            f"{np.exp(u_mean):.1e}; valid: x and y of order 1"
        )
    return PowerLaw(-slope, prefactor, r2)


def fit_offset_power_law(x: npt.ArrayLike, y: npt.ArrayLike) -> OffsetPowerLaw:
    """Fit ``y = L_inf + c x^-a`` by least squares of the relative residuals.

    Variable projection (Golub & Pereyra 1973, SIAM J. Numer. Anal. 10:413): for each ``a`` the
    best ``L_inf, c >= 0`` have a closed form, so only ``a`` is searched, on a logarithmic grid
    that zooms in on its best point. Raises ``EstimationError`` unless all values are positive,
    ``x`` has three distinct values, the best ``a`` lies inside ``EXPONENT_RANGE``, and the powers
    do not overflow.
    """
    abscissa, ordinate = _positive_pair(x, y, distinct=3)
    # Powers of x / (geometric mean of x) neither overflow nor underflow.
    centre = float(np.log(abscissa).mean())
    log_x = np.log(abscissa) - centre
    low, high = np.log(EXPONENT_RANGE)
    for _ in range(_ZOOMS):
        grid = np.linspace(low, high, _GRID)
        loss, _, prefactor = _project(np.exp(grid), log_x, ordinate)
        best = int(np.argmin(loss))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, _GRID - 1)]
    exponent = float(np.exp(grid[best]))
    if prefactor[best] == 0 or not (
        EXPONENT_RANGE[0] * 1.001 < exponent < EXPONENT_RANGE[1] * 0.999
    ):
        raise EstimationError(
            f"no power law with a floor fits these {len(log_x)} points: the best exponent lies "
            f"outside {EXPONENT_RANGE[0]:g} to {EXPONENT_RANGE[1]:g}, or y does not fall with x"
        )
    _, floor, prefactor = _project(np.array([exponent]), log_x, ordinate)
    with np.errstate(over="ignore", invalid="ignore"):
        law = OffsetPowerLaw(
            float(floor[0]), exponent, float(prefactor[0] * np.exp(exponent * centre))
        )
    if not (np.isfinite(law.floor) and np.isfinite(law.prefactor)):
        raise EstimationError(
            f"a power law of exponent {exponent:.3g} with a floor overflows at x around "
            f"{np.exp(centre):.1e}; valid: x and y of order 1"
        )
    return law


def _project(exponents: Vector, log_x: Vector, y: Vector) -> tuple[Vector, Vector, Vector]:
    """Return loss, floor and prefactor of the best non-negative fit for each exponent.

    Minimizes ``sum (1 - L v - c u)^2`` with ``v = 1/y``, ``u = x^-a / y``. The loss is infinite
    where these overflow.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        loss, floor, prefactor = _fit_each(exponents, log_x, y)
    return np.where(np.isfinite(loss), loss, np.inf), floor, prefactor


def _fit_each(exponents: Vector, log_x: Vector, y: Vector) -> tuple[Vector, Vector, Vector]:
    v = 1.0 / y
    u = np.exp(-exponents[:, None] * log_x) * v
    v_norm, v_sum, u_sum = v @ v, v.sum(), u.sum(axis=1)
    overlap = u @ v / v_norm
    # Solving for c in the complement of v keeps its digits where u and v are nearly parallel.
    rest = u - overlap[:, None] * v
    rest_norm = np.einsum("ij,ij->i", rest, rest)
    c = np.divide(rest.sum(axis=1), rest_norm, out=np.zeros_like(overlap), where=rest_norm > 0)
    floor = v_sum / v_norm - c * overlap
    # With two unknowns, a negative one is zero at the constrained optimum.
    no_floor = floor < 0
    c = np.where(no_floor, u_sum / np.einsum("ij,ij->i", u, u), c)
    floor = np.where(no_floor, 0.0, floor)
    flat = c < 0
    c, floor = np.where(flat, 0.0, c), np.where(flat, v_sum / v_norm, floor)
    residual = 1.0 - floor[:, None] * v - c[:, None] * u
    return np.einsum("ij,ij->i", residual, residual), floor, c


def _positive_pair(x: npt.ArrayLike, y: npt.ArrayLike, *, distinct: int) -> tuple[Vector, Vector]:
    abscissa, ordinate = float_array(x), float_array(y)
    if abscissa.ndim != 1 or abscissa.shape != ordinate.shape:
        raise EstimationError(
            f"x {abscissa.shape} and y {ordinate.shape} must be vectors of one length"
        )
    for name, values in (("x", abscissa), ("y", ordinate)):
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise EstimationError(f"a power law needs positive, finite values; {name} has others")
    if len(np.unique(abscissa)) < distinct:
        raise EstimationError(
            f"this fit needs {distinct} distinct values of x; there are {len(np.unique(abscissa))}"
        )
    return abscissa, ordinate
