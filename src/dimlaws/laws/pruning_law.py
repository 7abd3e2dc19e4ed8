"""How the error of a network that is pruned step by step grows as its density falls.

Rosenfeld, Frankle, Carbin and Shavit (2021), On the Predictability of Pruning Across Scales, eq. 1:

    error(d) = e_np * [ (d^2 + p^2 (e_up / e_np)^(2 / g)) / (d^2 + p^2) ]^(g / 2)

with the error ``e_np`` of the unpruned network, measured, and three parameters: the error
``e_up`` of the plateau at ``d -> 0``, the exponent ``g`` of the fall ``error ~ d^-g`` above it, and
``p``, the density at which the fall ends in the plateau. For several widths or depths (eq. 2) the
density is replaced by the invariant ``m = width^psi depth^phi d``; all networks then share
``e_up``, ``g`` and ``p``.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from dimlaws.arrays import float_array
from dimlaws.errors import EstimationError

Vector = npt.NDArray[np.float64]

_EXPONENTS = np.array([0.2, 0.4, 0.8, 1.6, 3.2])
_PLACES = np.linspace(0.05, 0.95, 8)
_SLOPES = np.array([0.5, 1.0, 1.5])
"""The search starts at the best of these: exponents of the law, places of ``p`` between the least
and the largest log density, and exponents of all sizes."""


@dataclass(frozen=True)
class PruningLaw:
    """Parameters of the law, and its relative residuals ``error(d) / measured - 1``.

    Attributes
    ----------
    plateau : the error ``e_up`` at ``d -> 0``.
    exponent : ``g``.
    transition : ``p``, as the density of a network of the ``reference`` sizes.
    slopes : exponents of the sizes in the invariant, one per column of ``sizes``.
    reference : geometric mean of each size; the invariant is ``(size / reference)^slope density``.
    residuals : one per point.
    """

    plateau: float
    exponent: float
    transition: float
    slopes: tuple[float, ...]
    reference: tuple[float, ...]
    residuals: Vector

    @property
    def bias(self) -> float:
        """Mean relative residual."""
        return float(self.residuals.mean())

    @property
    def spread(self) -> float:
        """Standard deviation of the relative residuals."""
        return float(self.residuals.std())


def pruned_error(
    density: npt.ArrayLike,
    unpruned: npt.ArrayLike,
    plateau: float,
    exponent: float,
    transition: float,
) -> Vector:
    """Return the error at a density (or value of the invariant), element by element."""
    d, e_np = np.asarray(density, np.float64), np.asarray(unpruned, np.float64)
    # In logarithms, as (e_up / e_np)^(2 / g) overflows for a small exponent.
    far = 2.0 * np.log(transition) + (2.0 / exponent) * np.log(plateau / e_np)
    above = np.logaddexp(2.0 * np.log(d), far)
    below = np.logaddexp(2.0 * np.log(d), 2.0 * np.log(transition))
    error: Vector = e_np * np.exp(0.5 * exponent * (above - below))
    return error


def fit_pruning_law(
    density: npt.ArrayLike,
    error: npt.ArrayLike,
    unpruned: npt.ArrayLike,
    sizes: npt.ArrayLike | None = None,
) -> PruningLaw:
    """Fit the law by least squares of the relative residuals.

    Parameters
    ----------
    density : share of weights left, ``[n]``, in (0, 1].
    error : measured error at it, ``[n]``, positive.
    unpruned : measured error of the same network before pruning, ``[n]``, positive.
    sizes : ``[n, k]`` widths, depths, ... that make up the invariant; None where all are equal.

    Raises ``EstimationError`` for fewer points than parameters, values that are not positive, or
    values so far apart that the law overflows.
    """
    d, measured, e_np = (float_array(values) for values in (density, error, unpruned))
    extents = np.ones((d.size, 0)) if sizes is None else float_array(sizes)
    if not all((v > 0).all() and np.isfinite(v).all() for v in (d, measured, e_np, extents)):
        raise EstimationError("the law of pruning needs positive, finite densities, errors, sizes")
    logs = np.log(extents)
    if (
        d.ndim != 1
        or logs.ndim != 2
        or not (d.shape == measured.shape == e_np.shape == logs.shape[:1])
    ):
        raise EstimationError("density, error, unpruned and sizes must have one row per point")
    if len(d) < 3 + logs.shape[1]:
        raise EstimationError(
            f"this law has {3 + logs.shape[1]} parameters; there are {len(d)} points"
        )
    log_d, centre = np.log(d), logs.mean(axis=0)
    logs = logs - centre

    # Steps of the search may overflow; its start and its end may not.
    @np.errstate(over="ignore", invalid="ignore")
    def residuals(theta: Vector) -> Vector:
        at = np.exp(log_d + logs @ theta[3:])
        found = pruned_error(at, e_np, *np.exp(theta[:3]))
        return found / measured - 1.0

    @np.errstate(over="ignore", invalid="ignore")
    def loss(theta: list[float]) -> float:
        total = float(np.sum(residuals(np.array(theta)) ** 2))
        return total if np.isfinite(total) else np.inf

    starts = []
    for exponent, slope in itertools.product(_EXPONENTS, _SLOPES if logs.size else [0.0]):
        at = log_d + slope * logs.sum(axis=1)
        for place in at.min() + _PLACES * np.ptp(at):
            starts.append(
                [np.log(measured.max()), np.log(exponent), place, *[slope] * logs.shape[1]]
            )
    start = min(starts, key=loss)
    apart = EstimationError(
        f"errors from {measured.min():.1e} to {measured.max():.1e} are too far apart for the law "
        "of pruning; valid: a range of less than 1e100"
    )
    if loss(start) == np.inf:
        raise apart
    best = least_squares(residuals, start, method="lm", max_nfev=1000)
    with np.errstate(over="ignore"):
        plateau, exponent, transition = np.exp(best.x[:3])
    if not np.isfinite([plateau, exponent, transition, *best.fun]).all():
        raise apart
    return PruningLaw(
        float(plateau),
        float(exponent),
        float(transition),
        tuple(map(float, best.x[3:])),
        tuple(map(float, np.exp(centre))),
        best.fun,
    )
