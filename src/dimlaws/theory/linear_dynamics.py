"""Gradient flow of a linear student on a noisy linear teacher.

A teacher w̄ of N weights N(0, 1) labels P rows: y = X w̄ + ε, where X has independent entries of
mean 0 and variance 1/N, and ε has variance 1/SNR. A student starts from weights N(0, INR), which
may be 0, and follows dw/dt = Xᵀ(y - X w): time is in units of 1/(learning rate · P) if the loss is
half the mean square. Along an eigenvector of XᵀX with eigenvalue λ the error w - w̄ becomes

    z(t) = e^{-λt} z(0) + (1 - e^{-λt}) η / √λ,

with η ~ N(0, 1/SNR) from the noise; where λ = 0 it is frozen. As N and P = αN grow, the λ follow
the law of Marchenko and Pastur, and the mean squared errors of new labels and of the rows are

    E_g(t) = E[(1 + INR) e^{-2λt} + (1 - e^{-λt})² / (λ SNR)] + 1/SNR,
    E_t(t) = E'[((1 + INR) λ + 1/SNR) e^{-2λt}],

E over the N eigenvalues of XᵀX, E' over the P of XXᵀ, which differ in zeros only. All is in units
of the variance of the teacher's weights. The setting is that of Advani, Saxe & Sompolinsky (2020),
High-dimensional dynamics of generalization error in neural networks; the formulas are derived here
as above, not copied. They are exact in the limit alone: at finite N a draw scatters about them by
O(1/√N), and far more at α = 1, where λ has no gap above zero and the late E_g hangs on the
smallest eigenvalue of the draw.
"""

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from dimlaws.errors import ConfigError
from dimlaws.theory.marchenko_pastur import expectation, support

Floats = npt.NDArray[np.float64]

GRID = 65
"""Times among which the best moment to stop is sought first."""


def generalization_error(times: npt.ArrayLike, alpha: float, snr: float, inr: float) -> Floats:
    """Return E_g at ``times [...]`` for α = P/N, in units of the teacher's variance."""
    t = np.asarray(times, dtype=np.float64)[..., None]

    def error(scaled: Floats) -> Floats:
        eigenvalues = alpha * scaled
        grown = -np.expm1(-eigenvalues * t)
        overfitted = np.divide(
            grown**2, eigenvalues, out=np.zeros_like(grown), where=eigenvalues > 0
        )
        left = (1 + inr) * np.exp(-2 * eigenvalues * t)
        return np.asarray(left + overfitted / snr, dtype=np.float64)

    return expectation(error, 1 / alpha) + 1 / snr


def training_error(times: npt.ArrayLike, alpha: float, snr: float, inr: float) -> Floats:
    """Return E_t at ``times [...]``: noise included, so 1 + INR + 1/SNR at t = 0."""
    t = np.asarray(times, dtype=np.float64)[..., None]

    def error(eigenvalues: Floats) -> Floats:
        return ((1 + inr) * eigenvalues + 1 / snr) * np.exp(-2 * eigenvalues * t)

    # XXᵀ is the covariance of N rows of P entries: the aspect ratio is α, the scale 1.
    return expectation(error, alpha)


def final_generalization_error(alpha: float, snr: float, inr: float) -> float:
    """Return E_g at t = ∞: E 1/λ of Marchenko-Pastur in closed form; ``ConfigError`` at α = 1.

    For α < 1 the share 1 - α of the directions is frozen and keeps the error it began with.
    """
    if alpha == 1:
        raise ConfigError("linear dynamics: the final error diverges at alpha = 1")
    frozen = frozen_share(alpha)
    learned = alpha / (1 - alpha) if alpha < 1 else 1 / (alpha - 1)
    return frozen * (1 + inr) + learned / snr + 1 / snr


def frozen_share(alpha: float) -> float:
    """Return the share of directions in weight space in which no row lies, so nothing learns."""
    return max(0.0, 1 - alpha)


def optimal_stopping(alpha: float, snr: float, inr: float) -> tuple[float, float]:
    """Return the time at which E_g is lowest, and E_g then.

    The error along one eigenvector is lowest at ln(1 + λ SNR (1 + INR)) / λ, which falls with λ,
    so the time sought lies between the values of this at both ends of the support.
    """
    low, high = (alpha * end for end in support(1 / alpha))
    signal = snr * (1 + inr)
    start = np.log1p(high * signal) / high
    end = np.log1p(low * signal) / low if low > 0 else signal
    times = np.geomspace(start, end, GRID)
    lowest = int(np.argmin(generalization_error(times, alpha, snr, inr)))
    found = minimize_scalar(
        lambda time: float(generalization_error(time, alpha, snr, inr)),
        bounds=(times[max(lowest - 1, 0)], times[min(lowest + 1, GRID - 1)]),
        method="bounded",
        options={"xatol": 1e-8},
    )
    return float(found.x), float(found.fun)
