"""When a linear student of a linear teacher has learnt its rows, and when it has learnt the rule.

Levi, Beck & Bar-Sinai (2023, "Grokking in Linear Estimators", arXiv:2310.16441; equation numbers
are theirs). N rows x are standard Gaussian in d dimensions; teacher T and student S are d x k
matrices with entries of variance 1 / 2dk and α² / 2dk. Gradient flow at the rate η, with weight
decay γ, on the loss tr[DᵀΣD] / k with D = S - T and Σ = XᵀX / N (eq. 3 in continuous time,
eq. 31 for k outputs) solves, for each eigenvalue ν of Σ,

    D(t) = e^-a S(0) - [e^-a + (1 - e^-a) (γ/2) / (ν + γ/2)] T,    a = 2η (ν + γ/2) t / k.

As d and N grow with the aspect ratio λ = d / N fixed, sums over eigenvalues are means over the law
of Marchenko and Pastur (eq. 8 and 15). A row counts as learnt if its squared error, averaged over
the k outputs, is at most the threshold ε. Errors are Gaussian, so accuracy is a chi-square
distribution of the loss alone (eq. 10 and 13).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import gammainc, gammaincinv

from dimlaws.errors import ConfigError
from dimlaws.theory.marchenko_pastur import expectation

Floats = npt.NDArray[np.float64]
Split = Literal["training", "generalization"]

FOREVER = 1e200
"""A time at which every mode with a rate has converged, and none overflows."""


@dataclass(frozen=True)
class Task:
    """A student of k = ``outputs`` outputs and how it is trained; see the module.

    Attributes
    ----------
    outputs : k.
    weight_decay : γ.
    initial_scale : α, the scale of the student's initial values over the teacher's.
    learning_rate : η; all times scale with 1 / η.
    """

    outputs: int = 1
    weight_decay: float = 0.0
    initial_scale: float = 1.0
    learning_rate: float = 0.01

    def memory(self, eigenvalues: Floats, time: float) -> tuple[Floats, Floats]:
        """Return the factors of S(0) and of -T in D(t) for eigenvalues ``[K]``, both ``[K]``."""
        half = self.weight_decay / 2
        left = np.exp(-2 * self.learning_rate * (eigenvalues + half) * time / self.outputs)
        decayed = (1 - left) * half / (eigenvalues + half) if half else np.zeros_like(left)
        return left, left + decayed


def mode_loss(task: Task, split: Split, eigenvalues: Floats, time: float) -> Floats:
    """Return what each of the ``eigenvalues [K]`` adds to the loss, over its share (eq. 15)."""
    student, teacher = task.memory(eigenvalues, time)
    squares = (task.initial_scale**2 * student**2 + teacher**2) / (2 * task.outputs)
    return squares * eigenvalues if split == "training" else squares


def expected_loss(task: Task, ratio: float, split: Split, time: float) -> float:
    """Return the loss at a time for d, N -> inf with λ = ``ratio`` (eq. 8, 13 and 15)."""
    return float(expectation(lambda nu: mode_loss(task, split, nu, time), ratio))


def accuracy(loss: npt.ArrayLike, threshold: float, outputs: int = 1) -> Floats:
    """Return P(|z|² / k <= ε) for k = ``outputs`` Gaussians z of variance ``loss`` (eq. 13)."""
    losses = np.asarray(loss, dtype=np.float64)
    return np.asarray(gammainc(outputs / 2, outputs * threshold / (2 * losses)))


def loss_at_accuracy(level: float, threshold: float, outputs: int = 1) -> float:
    """Return the loss at which ``accuracy`` is ``level``; ε/4 for erf(√2) and one output."""
    return float(outputs * threshold / (2 * gammaincinv(outputs / 2, level)))


def time_of_fall(curve: Callable[[float], float], level: float, scale: float) -> float:
    """Return when ``curve``, a falling function of time, reaches ``level``.

    0 if it starts no higher, infinity if it ends higher. ``scale`` is a time of the order of the
    first changes; the relative error is below 1e-9.
    """
    if curve(0.0) <= level:
        return 0.0
    if curve(FOREVER) > level:
        return math.inf
    late = scale
    while curve(late) > level:
        late *= 4
    early = late / 4
    while curve(early) <= level:
        early /= 4
    return float(brentq(lambda time: curve(time) - level, early, late, xtol=1e-9 * early))


def grokking_time(
    task: Task,
    threshold: float,
    level: float,
    mean: Callable[[Callable[[Floats], Floats]], float],
) -> float:
    """Return how much later the accuracy of new rows reaches ``level`` than that of training rows.

    ``mean`` averages a function of the eigenvalue: over the law of Marchenko and Pastur, or over
    the eigenvalues of one draw (eq. 7). Infinite if new rows never get there.
    """
    target = loss_at_accuracy(level, threshold, task.outputs)

    def reached(split: Split) -> float:
        return time_of_fall(
            lambda time: mean(lambda nu: mode_loss(task, split, nu, time)),
            target,
            task.outputs / task.learning_rate,
        )

    return reached("generalization") - reached("training")


def asymptotic_grokking_time(ratio: float, learning_rate: float = 0.01) -> float:
    """Return the limit of ``grokking_time`` for ε -> 0, at λ < 1, k = 1 and γ = 0 (eq. 12)."""
    if not 0 < ratio < 1:
        raise ConfigError(f"the aspect ratio is {ratio}; valid for eq. 12: above 0, below 1")
    gap = 1 - math.sqrt(ratio)
    return -math.log(gap) / (2 * learning_rate * gap**2)
