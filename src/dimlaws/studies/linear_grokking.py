"""Grokking in a linear student of a linear teacher, without approximation in its eigenvectors."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from scipy.linalg import eigvalsh, eigvalsh_tridiagonal

from dimlaws.errors import ConfigError
from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.theory.linear_grokking import (
    FOREVER,
    Floats,
    Split,
    Task,
    asymptotic_grokking_time,
    expected_loss,
    grokking_time,
    loss_at_accuracy,
    time_of_fall,
)
from dimlaws.theory.marchenko_pastur import expectation
from dimlaws.types import Fraction, NonNegativeFloat, PerRun, PositiveFloat, PositiveInt

SPLITS: tuple[Split, Split] = ("training", "generalization")

START_LEVEL = 0.05
"""Accuracy at which the rise of accuracy begins, for the steps of the loss along it."""

STEP = 1.02
"""Ratio of neighbouring times in these steps."""


def linear_grokking(
    seed: int,
    *,
    varied: PerRun[Literal["samples", "outputs", "decay", "scale"]],
    aspect_ratios: PerRun[list[PositiveFloat]],
    thresholds: PerRun[list[PositiveFloat]],
    outputs: list[PositiveInt],
    weight_decays: list[NonNegativeFloat],
    initial_scales: list[PositiveFloat],
    inputs: PositiveInt = 1000,
    new_rows: PositiveInt = 4000,
    level: Fraction = 0.95,
    learning_rate: PositiveFloat = 0.01,
    curve_points: PositiveInt = 40,
) -> list[Record]:
    """Times at which a student has learnt its training rows and new rows (Levi et al. 2023).

    See ``theory.linear_grokking`` for the model and its solution in time, which is exact here: the
    eigenvalues of Σ come from their joint law at finite d and N, and eigenvectors, which lie
    uniformly, need not be drawn. A row is learnt if its squared error per output is at most the
    threshold, and accuracy is the share of such rows, among the training rows themselves or among
    new ones; "reached" is an accuracy of ``level``.

    Index columns: ``aspect_ratio`` λ, ``outputs``, ``weight_decay``, ``initial_scale``; most
    quantities also have ``threshold``. Quantities:

    - ``training_time`` and ``generalization_time``, when the level is reached, and
      ``grokking_time``, their difference, with its logarithm ``log_grokking_time`` (all absent if
      new rows never get there, the logarithm also where the difference is not positive);
    - ``predicted_grokking_time`` for d, N -> inf, ``spectrum_grokking_time`` with the draw's own
      eigenvalues but the same initial error along each, ``asymptotic_grokking_time`` for small
      thresholds;
    - ``final_loss`` of new rows after endless training, ``predicted_final_loss``, and
      ``final_accuracy``;
    - ``small_decay_ratio``, the final loss over γ² / 4(1 - λ)³ (equation 16), for γ > 0 and λ < 1.

    Where ``varied`` is ``samples``: ``training_loss`` and ``generalization_loss``, and with the
    threshold ``training_accuracy`` and ``generalization_accuracy``, at the index ``time``; and for
    λ < 1 ``largest_loss_step``, the largest ratio of losses of new rows at times that differ by
    2 %, while their accuracy rises from 0.05 to the level.

    Parameters
    ----------
    varied : which list is gone through; the others stay at one output, no decay and scale 1.
    aspect_ratios : values of λ = inputs / training rows.
    thresholds : values of ε, all for the same draw and training.
    outputs : numbers k of outputs; none above ``inputs`` or the number of training rows.
    weight_decays : values of γ.
    initial_scales : values of α, the scale of the student's initial values over the teacher's.
    inputs : dimension d.
    new_rows : rows that the accuracy of generalization is the share of.
    level : accuracy that counts as learnt.
    learning_rate : η; all times scale with 1 / η.
    curve_points : number of times of the curves, even in log time.
    """
    chosen: dict[str, list[Any]] = {
        "samples": [1.0],
        "outputs": outputs,
        "decay": weight_decays,
        "scale": initial_scales,
    }
    names = {"outputs": "outputs", "decay": "weight_decay", "scale": "initial_scale"}
    records: list[Record] = []
    for ratio in aspect_ratios:
        for value in chosen[varied]:
            changed = {names[varied]: value} if varied in names else {}
            task = Task(**changed, learning_rate=learning_rate)
            student = Student.draw(seed, task, ratio, inputs, new_rows)
            found = _times(student, ratio, thresholds, level) + _ends(student, ratio, thresholds)
            if varied == "samples":
                found += _curves(student, ratio, thresholds, level, curve_points)
            index = {
                "aspect_ratio": ratio,
                "outputs": task.outputs,
                "weight_decay": task.weight_decay,
                "initial_scale": task.initial_scale,
            }
            records += [{**index, **record} for record in found]
    return records


@dataclass(frozen=True)
class Student:
    """One draw of training rows, teacher, initial student and new rows, in the eigenbasis of Σ.

    ``start [d, k]`` and ``teacher [d, k]`` are S(0) and T. ``rows`` holds, for each split, squared
    coordinates ``[rows, k]`` of rows: the errors Z of n rows have, at each time, a Gram matrix
    ZᵀZ / n = W that follows from D, and directions that are uniform given W, so the squared errors
    are ``rows @ eigenvalues of W``. For training rows the mean square is exact, since it is W.
    """

    task: Task
    eigenvalues: Floats
    start: Floats
    teacher: Floats
    rows: dict[Split, Floats]

    @classmethod
    def draw(cls, seed: int, task: Task, ratio: float, inputs: int, new_rows: int) -> "Student":
        """Draw a student with round(d / λ) training rows; equal seeds share eigenvalues."""
        samples, outputs = round(inputs / ratio), task.outputs
        if outputs > min(inputs, samples):
            raise ConfigError(
                f"linear_grokking: {outputs} outputs with {inputs} inputs and {samples} training "
                "rows; valid: no more than either"
            )
        spectrum = np.random.default_rng(stream(seed, "eigenvalues", [inputs, samples]))
        rng = np.random.default_rng(stream(seed, "student", [inputs, samples, outputs]))
        scale = 1 / math.sqrt(2 * inputs * outputs)
        start, teacher = scale * rng.standard_normal((2, inputs, outputs))
        new = rng.standard_normal((new_rows, outputs))
        known = rng.standard_normal((samples, outputs))
        # Orthonormal columns, times √N: the left singular vectors of X lie uniformly.
        known = np.linalg.qr(known)[0] * math.sqrt(samples)
        rows: dict[Split, Floats] = {"training": known**2, "generalization": new**2}
        eigenvalues = wishart_eigenvalues(spectrum, inputs, samples)
        return cls(task, eigenvalues, task.initial_scale * start, teacher, rows)

    def difference(self, time: float) -> Floats:
        """Return D(t) ``[d, k]``."""
        student, teacher = self.task.memory(self.eigenvalues, time)
        return student[:, None] * self.start - teacher[:, None] * self.teacher

    def loss(self, split: Split, time: float) -> float:
        """Return tr[DᵀΣD] / k, with Σ the identity for new rows (eq. 1 and 2)."""
        squares = np.sum(self.difference(time) ** 2, axis=1) / self.task.outputs
        return float(squares @ self.eigenvalues if split == "training" else squares.sum())

    def errors(self, split: Split, time: float) -> Floats:
        """Return the squared error per output of every row of a split."""
        difference = self.difference(time)
        if split == "training":
            difference = difference * np.sqrt(self.eigenvalues)[:, None]
        gram = eigvalsh(difference.T @ difference, check_finite=False)
        return self.rows[split] @ np.clip(gram, 0, None) / self.task.outputs

    def accuracy(self, split: Split, time: float, threshold: float) -> float:
        """Return the share of rows that are learnt."""
        return float(np.mean(self.errors(split, time) <= threshold))

    def time_to(self, split: Split, level: float, threshold: float) -> float:
        """Return when a share ``level`` of the rows is learnt; infinite if that never is."""

        def quantile(time: float) -> float:
            return float(np.quantile(self.errors(split, time), level))

        return time_of_fall(quantile, threshold, self.task.outputs / self.task.learning_rate)


def wishart_eigenvalues(rng: np.random.Generator, inputs: int, samples: int) -> Floats:
    """Draw all d eigenvalues of XᵀX / N for N x d standard Gaussian X, ascending, zeros included.

    X has the singular values of a bidiagonal matrix of independent chi variables (Silverstein 1985;
    Dumitriu & Edelman 2002), so drawing X and decomposing it is not needed.
    """
    few, many = min(inputs, samples), max(inputs, samples)
    diagonal = rng.chisquare(many - np.arange(few))
    below = rng.chisquare(few - 1 - np.arange(few - 1)) if few > 1 else np.empty(0)
    # B Bᵀ of the lower bidiagonal B with squares ``diagonal`` and ``below``.
    main = diagonal + np.concatenate([[0.0], below])
    side = np.sqrt(diagonal[:-1] * below)
    values = np.clip(eigvalsh_tridiagonal(main, side), 0, None) / samples
    return np.concatenate([np.zeros(inputs - few), values])


def _times(
    student: Student, ratio: float, thresholds: list[PositiveFloat], level: float
) -> list[Record]:
    """Return when rows of both splits are learnt, next to what theory says of the difference."""
    task, records = student.task, []
    plain = task == Task(learning_rate=task.learning_rate)
    for threshold in thresholds:
        times = {split: student.time_to(split, level, threshold) for split in SPLITS}
        numbers = {f"{split}_time": time for split, time in times.items()}
        predicted = grokking_time(task, threshold, level, lambda f: float(expectation(f, ratio)))
        own = grokking_time(
            task, threshold, level, lambda f: float(np.mean(f(student.eigenvalues)))
        )
        delay = times["generalization"] - times["training"]
        numbers["grokking_time"] = delay
        numbers["log_grokking_time"] = math.log(delay) if delay > 0 else math.nan
        numbers |= {"predicted_grokking_time": predicted, "spectrum_grokking_time": own}
        if plain and ratio < 1:
            limit = asymptotic_grokking_time(ratio, task.learning_rate)
            numbers["asymptotic_grokking_time"] = limit
        records += [
            {"threshold": threshold, "quantity": quantity, "value": value}
            for quantity, value in numbers.items()
            if math.isfinite(value)
        ]
    return records


def _ends(student: Student, ratio: float, thresholds: list[PositiveFloat]) -> list[Record]:
    """Return loss and accuracy of new rows after endless training."""
    loss = student.loss("generalization", FOREVER)
    numbers = {
        "final_loss": loss,
        "predicted_final_loss": expected_loss(student.task, ratio, "generalization", FOREVER),
    }
    if student.task.weight_decay > 0 and ratio < 1:
        small = student.task.weight_decay**2 / (4 * (1 - ratio) ** 3)
        numbers["small_decay_ratio"] = loss / small
    records: list[Record] = [{"quantity": name, "value": value} for name, value in numbers.items()]
    for threshold in thresholds:
        value = student.accuracy("generalization", FOREVER, threshold)
        records.append({"threshold": threshold, "quantity": "final_accuracy", "value": value})
    return records


def _curves(
    student: Student, ratio: float, thresholds: list[PositiveFloat], level: float, points: int
) -> list[Record]:
    """Return losses and accuracies over time, and the steps of the loss while accuracy rises."""
    records: list[Record] = []
    # Times that do not depend on the draw, so that seeds can be averaged.
    latest = time_of_fall(
        partial(expected_loss, student.task, ratio, "training"),
        loss_at_accuracy(level, min(thresholds)) / 100,
        1 / student.task.learning_rate,
    )
    for time in np.geomspace(1, latest, points).tolist():
        for split in SPLITS:
            loss = student.loss(split, time)
            records.append({"time": time, "quantity": f"{split}_loss", "value": loss})
            records += [
                {
                    "time": time,
                    "threshold": threshold,
                    "quantity": f"{split}_accuracy",
                    "value": student.accuracy(split, time, threshold),
                }
                for threshold in thresholds
            ]
    if ratio < 1:
        for threshold in thresholds:
            value = _largest_step(student, threshold, level)
            records.append(
                {"threshold": threshold, "quantity": "largest_loss_step", "value": value}
            )
    return records


def _largest_step(student: Student, threshold: float, level: float) -> float:
    """Return the largest ratio of losses at times t and 1.02 t while accuracy rises."""
    first = student.time_to("generalization", START_LEVEL, threshold)
    last = student.time_to("generalization", level, threshold)
    first = max(first, 1e-3 * last)
    steps = max(1, math.ceil(math.log(last / first) / math.log(STEP)))
    times = first * STEP ** np.arange(steps + 1)
    losses = np.array([student.loss("generalization", time) for time in times])
    return float(np.max(losses[:-1] / losses[1:]))
