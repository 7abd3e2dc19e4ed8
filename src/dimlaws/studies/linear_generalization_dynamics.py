"""Generalization of a linear student over time, simulated and in the limit of many weights."""

import math
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from dimlaws.errors import ConfigError
from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.studies.linear_descent import frozen_changes
from dimlaws.theory import linear_dynamics as theory
from dimlaws.types import NonNegativeFloat, PositiveFloat, PositiveInt

Floats = npt.NDArray[np.float64]

STOPPING_TIMES = np.geomspace(0.05, 1e3, 400)
"""Times among which the simulated curve is lowest somewhere: 2.5 % apart."""

OPTIMIZERS: tuple[Literal["sgd", "adam"], ...] = ("sgd", "adam")


def linear_generalization_dynamics(
    seed: int,
    *,
    alphas: list[PositiveFloat],
    times: list[PositiveFloat],
    snrs: list[PositiveFloat],
    inrs: list[NonNegativeFloat],
    weights: PositiveInt = 400,
    draws: PositiveInt = 10,
) -> list[Record]:
    """A linear student follows gradient flow on P = αN noisy rows of a linear teacher.

    Setting, units and theory are those of ``theory.linear_dynamics``. The flow is solved exactly,
    at all times at once, by the eigenvalues of XᵀX; teacher, noise and initial weights are drawn.
    Values are means over ``draws``, and the draws of one α share rows, teacher and directions of
    noise and initial weights between all SNR and INR.

    Index columns: ``alpha``, ``snr``, ``inr``, and ``time`` where a quantity has one. Quantities:

    - ``error`` and ``predicted_error``, that on new labels; ``training_error`` and
      ``predicted_training_error``, that on the rows; both with the noise of the labels;
    - ``final_error`` and ``predicted_final_error`` at t = ∞, save for α = 1, where theory diverges;
    - without initial weights (INR = 0), ``stopping_time`` and ``predicted_stopping_time``, when
      the error is lowest, and ``stopped_error`` and ``predicted_stopped_error``, the error then;
    - ``frozen_change`` where P < N, with columns ``alpha`` and ``optimizer``: how far a network
      without hidden layer, trained by steps ("sgd" or "adam"), moves in the directions in which
      no row lies, over how far it moves in all; one draw.

    Parameters
    ----------
    alphas : numbers of rows over numbers of weights α.
    times : times t at which errors are recorded.
    snrs : variance of the teacher's weights over that of the noise.
    inrs : variance of the student's initial weights over that of the teacher's.
    weights : number of weights N.
    draws : number of independent draws that are averaged.
    """
    if any(round(alpha * weights) < 1 for alpha in alphas):
        raise ConfigError(
            f"linear_generalization_dynamics: alphas {alphas} leave no row for {weights} weights; "
            f"valid: {1 / weights:g} or more"
        )
    records: list[Record] = []
    for alpha in alphas:
        rng = np.random.default_rng(stream(seed, "linear dynamics", [alpha, weights]))
        flows = [Flow.draw(rng, round(alpha * weights), weights) for _ in range(draws)]
        for snr in snrs:
            for inr in inrs:
                held = {"alpha": alpha, "snr": snr, "inr": inr}
                rows = _curves(flows, times, alpha, snr, inr)
                if inr == 0:
                    rows += _stopping(flows, alpha, snr)
                records += [{**held, **row} for row in rows]
    return records + _frozen(seed, [alpha for alpha in alphas if alpha < 1], weights)


def _curves(
    flows: list["Flow"], times: list[float], alpha: float, snr: float, inr: float
) -> list[Record]:
    t = np.array(times)
    curves = {
        "error": np.mean([flow.error(t, snr, inr) for flow in flows], axis=0),
        "predicted_error": theory.generalization_error(t, alpha, snr, inr),
        "training_error": np.mean([flow.training_error(t, snr, inr) for flow in flows], axis=0),
        "predicted_training_error": theory.training_error(t, alpha, snr, inr),
    }
    rows: list[Record] = [
        {"time": time, "quantity": quantity, "value": float(value)}
        for quantity, values in curves.items()
        for time, value in zip(times, values, strict=True)
    ]
    if alpha != 1:
        final = float(np.mean([flow.error(np.array([np.inf]), snr, inr) for flow in flows]))
        predicted = theory.final_generalization_error(alpha, snr, inr)
        rows.append({"quantity": "final_error", "value": final})
        rows.append({"quantity": "predicted_final_error", "value": predicted})
    return rows


def _stopping(flows: list["Flow"], alpha: float, snr: float) -> list[Record]:
    curve = np.mean([flow.error(STOPPING_TIMES, snr, 0.0) for flow in flows], axis=0)
    lowest = int(np.argmin(curve))
    time, error = theory.optimal_stopping(alpha, snr, 0.0)
    return [
        {"quantity": "stopping_time", "value": float(STOPPING_TIMES[lowest])},
        {"quantity": "predicted_stopping_time", "value": time},
        {"quantity": "stopped_error", "value": float(curve[lowest])},
        {"quantity": "predicted_stopped_error", "value": error},
    ]


def _frozen(seed: int, alphas: list[float], weights: int) -> list[Record]:
    rows = [round(alpha * weights) for alpha in alphas]
    if not rows:
        return []
    return [
        {"alpha": alpha, "optimizer": optimizer, "quantity": "frozen_change", "value": change}
        for optimizer in OPTIMIZERS
        for alpha, change in zip(
            alphas, frozen_changes(seed, rows, weights, optimizer), strict=True
        )
    ]


class Flow(NamedTuple):
    """Gradient flow on one draw, in the eigenvectors of XᵀX, for noise and starts of variance 1.

    Eigenvalues are ascending, and the first N - P are zero if there are fewer rows than weights.
    """

    eigenvalues: Floats  # [N]
    teacher: Floats  # [N], coordinates of w̄
    initial: Floats  # [N], coordinates of w(0)
    noise: Floats  # [N], coordinates of Xᵀε
    noise_norm: float  # |ε|²
    rows: int  # P

    @classmethod
    def draw(cls, rng: np.random.Generator, rows: int, weights: int) -> "Flow":
        """Draw ``rows`` P and ``weights`` N: X, the teacher, the noise and the initial weights."""
        x = rng.standard_normal((rows, weights)) / np.sqrt(weights)
        eigenvalues, vectors = np.linalg.eigh(x.T @ x)
        eigenvalues[: max(weights - rows, 0)] = 0.0
        teacher, initial = rng.standard_normal((2, weights)) @ vectors
        noise = rng.standard_normal(rows)
        along = noise @ x @ vectors
        return cls(eigenvalues, teacher, initial, along, float(noise @ noise), rows)

    def error(self, times: Floats, snr: float, inr: float) -> Floats:
        """Mean squared error on new labels at ``times [T]``, noise included."""
        difference = self._start(inr) * self._left(times) + self._moved_by(
            times, self.noise / np.sqrt(snr)
        )
        return np.asarray(np.mean(difference**2, axis=1) + 1 / snr, dtype=np.float64)

    def training_error(self, times: Floats, snr: float, inr: float) -> Floats:
        """Mean squared error on the rows at ``times [T]``."""
        live = self.eigenvalues > 0
        # Coordinates of the residual Xw - y at the start along the P left singular vectors of X;
        # it is multiplied by exp(-λt), and what they do not span is noise that never falls.
        start = (self.eigenvalues * self._start(inr) - self.noise / np.sqrt(snr))[live]
        along_noise = np.sum(self.noise[live] ** 2 / self.eigenvalues[live])
        fixed = max(self.noise_norm - along_noise, 0.0) / snr
        falling = (self._left(times)[:, live] ** 2) @ (start**2 / self.eigenvalues[live])
        return np.asarray((falling + fixed) / self.rows, dtype=np.float64)

    def _start(self, inr: float) -> Floats:
        return math.sqrt(inr) * self.initial - self.teacher

    def _left(self, times: Floats) -> Floats:
        """Return exp(-λt) ``[T, N]``; 1 at λ = 0 and every time."""
        with np.errstate(invalid="ignore"):
            exponents = times[:, None] * self.eigenvalues
        left = np.exp(-np.where(self.eigenvalues > 0, exponents, 0.0))
        return np.asarray(left, dtype=np.float64)

    def _moved_by(self, times: Floats, force: Floats) -> Floats:
        """Return (1 - exp(-λt)) / λ times ``force [N]``, as ``[T, N]``; 0 at λ = 0."""
        moved = np.zeros((len(times), len(force)))
        np.divide(
            (1 - self._left(times)) * force, self.eigenvalues, out=moved, where=self.eigenvalues > 0
        )
        return moved
