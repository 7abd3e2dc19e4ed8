"""How training carries a change of the initial parameters on to the trained ones."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.studies.digits import shuffled_digits
from dimlaws.training.order import MinibatchOrder
from dimlaws.training.schedule import rate_factor
from dimlaws.training.tangents import Course
from dimlaws.types import NonNegativeInt, PositiveFloat, PositiveInt

CLASSES, TEST_ROWS = 10, 197

Vectors = npt.NDArray[Any]


def training_jacobian(
    seed: int,
    *,
    hidden: PositiveInt = 16,
    epochs: PositiveInt = 25,
    batch_size: PositiveInt = 64,
    learning_rate: PositiveFloat = 0.1,
    tolerance: PositiveFloat = 0.01,
    contrasts: list[Literal["shuffled labels", "noise inputs", "another start"]] | None = None,
    points: NonNegativeInt = 101,
    precision: Literal["single", "double"] = "single",
) -> list[Record]:
    """Singular values of the training Jacobian J = d(trained) / d(initial parameters), on digits.

    As in the authors' notebook (Belrose & Scherlis 2024): 8 x 8 digits with grays in [0, 1], 1,600
    for training; a network with one GELU layer, Gaussian weights of variance 1 / fan_in and biases
    of variance 1 / hidden; SGD with momentum 0.9 and a rate that falls as a cosine. Minibatches are
    reshuffled every epoch, where the notebook keeps one order.

    With J = U S V^T, the bulk are the k directions whose singular value is within ``tolerance`` of
    1; directions of different networks are compared by V. Index column ``training`` is ``real``
    or one of the contrasts. Quantities: ``bulk_share`` k / P, ``chaotic_share`` and
    ``stable_share`` (above and below the bulk), ``largest`` singular value, ``alignment``, the
    median |cos| between left and right vectors in the bulk (absent without a bulk), ``test_loss``
    (nats per row), and ``singular_value`` at the index ``rank``, 0 for the largest and 1 for the
    smallest.

    Of the contrasts also ``overlap``, the mean squared cosine |A^T B|^2 / k between the real bulk
    A and the k right singular vectors B whose singular values are nearest to 1: 1 for equal spans,
    on average k / P for random ones; and ``excess_overlap``, what of it exceeds k / P. Of the real
    run also ``restricted_loss``, the test loss after training in k dimensions only (index
    ``subspace``): the ``bulk``, or the k right singular vectors that are farthest from 1, its
    ``complement``.

    Parameters
    ----------
    hidden : units h; P = 75 h + 10 parameters, and time grows with h^2 P.
    epochs : passes over the training rows.
    batch_size : rows per minibatch; a divisor of 1,600 gives the epochs exactly.
    learning_rate : rate of the first step.
    tolerance : half width of the bulk around 1.
    contrasts : other trainings of which the Jacobian is taken too: labels permuted, inputs
        uniform in [0, 1], or other initial values and minibatches; null for none.
    points : number of ranks at which singular values are recorded.
    precision : of all arithmetic, float32 or float64.
    """
    base = _Training.of(seed, hidden, epochs, batch_size, learning_rate, precision)
    real = base.spectrum()
    records = [*_described("real", real, tolerance, points), *base.scored("real")]
    k = int((np.abs(real.values - 1) < tolerance).sum())
    chance = k / len(real.values)
    near = real.nearest_to_one()
    for name in contrasts or []:
        other = base.contrast(name, seed)
        spectrum = other.spectrum()
        records += [*_described(name, spectrum, tolerance, points), *other.scored(name)]
        if k:
            overlap = _overlap(near[:, :k], spectrum.nearest_to_one()[:, :k])
            records += [
                {"training": name, "quantity": "overlap", "value": overlap},
                {"training": name, "quantity": "excess_overlap", "value": overlap - chance},
            ]
    if k:
        for subspace, basis in (("bulk", near[:, :k]), ("complement", near[:, -k:])):
            records += base.restricted(subspace, basis)
    return records


@dataclass(frozen=True)
class _Spectrum:
    """Singular values ``[P]``, falling, with left and right vectors in the columns.

    Vectors have the precision of training: those of the paper's network take 93 MB in single.
    """

    values: npt.NDArray[np.float64]
    left: Vectors
    right: Vectors

    def nearest_to_one(self) -> Vectors:
        """Right vectors, those with singular values nearest to 1 first."""
        return self.right[:, np.argsort(np.abs(self.values - 1))]


@dataclass(frozen=True)
class _Training:
    """Training and test rows, initial values and the course that they take."""

    course: Course
    start: torch.Tensor
    x_test: torch.Tensor
    y_test: torch.Tensor

    @classmethod
    def of(
        cls,
        seed: int,
        hidden: int,
        epochs: int,
        batch_size: int,
        learning_rate: float,
        precision: Literal["single", "double"],
    ) -> "_Training":
        pixels, classes, rows = shuffled_digits(seed)
        dtype = torch.float64 if precision == "double" else torch.float32
        x = torch.from_numpy(np.hstack([pixels, np.ones((len(pixels), 1))])).to(dtype)
        y = torch.from_numpy(classes)
        train, test = rows[TEST_ROWS:], rows[:TEST_ROWS]
        steps = epochs * (len(train) // batch_size)
        order = MinibatchOrder(np.arange(len(train)), batch_size, seed).batches(0, steps)
        factors = rate_factor("cosine", np.arange(steps), np.array(steps))
        rates = (learning_rate * factors).tolist()
        course = Course(x[train], y[train], torch.from_numpy(order), rates, 0.9, hidden, CLASSES)
        start = initial_values(seed, x.shape[1] - 1, hidden).to(dtype)
        return cls(course, start, x[test], y[test])

    def contrast(self, name: str, seed: int) -> "_Training":
        """The same training but for one thing."""
        course, rng = self.course, np.random.default_rng(stream(seed, name, "digits"))
        rows = len(course.y)
        if name == "shuffled labels":
            labels = course.y[torch.from_numpy(rng.permutation(rows))]
            return replace(self, course=replace(course, y=labels))
        if name == "noise inputs":
            inputs = course.x.clone()
            inputs[:, :-1] = torch.from_numpy(rng.random((rows, inputs.shape[1] - 1)))
            return replace(self, course=replace(course, x=inputs))
        other = int(rng.integers(2**31))
        steps, size = course.order.shape
        order = MinibatchOrder(np.arange(rows), size, other).batches(0, steps)
        start = initial_values(other, course.x.shape[1] - 1, course.hidden).to(self.start.dtype)
        return replace(self, course=replace(course, order=torch.from_numpy(order)), start=start)

    def spectrum(self) -> _Spectrum:
        left, values, right = torch.linalg.svd(self.course.jacobian(self.start))
        return _Spectrum(values.double().numpy(), left.numpy(), right.T.numpy())

    def scored(self, name: str) -> list[Record]:
        return [{"training": name, "quantity": "test_loss", "value": self._test_loss(None)}]

    def restricted(self, subspace: str, basis: Vectors) -> list[Record]:
        loss = self._test_loss(torch.from_numpy(basis))
        return [
            {"training": "real", "subspace": subspace, "quantity": "restricted_loss", "value": loss}
        ]

    def _test_loss(self, basis: torch.Tensor | None) -> float:
        theta = self.course.run(self.start, basis)
        return float(self.course.losses(theta, self.x_test, self.y_test).double().mean())


def initial_values(seed: int, features: int, hidden: int) -> torch.Tensor:
    """Draw ``[P]``, float64: weights of variance 1 / fan_in, all biases of variance 1 / hidden."""
    rng = np.random.default_rng(stream(seed, "init", [features, hidden]))
    layers = []
    for fan_in, fan_out in ((features, hidden), (hidden, CLASSES)):
        layer = rng.standard_normal((fan_in + 1, fan_out))
        layer[:-1] /= np.sqrt(fan_in)
        layer[-1] /= np.sqrt(hidden)
        layers.append(layer.ravel())
    return torch.from_numpy(np.concatenate(layers))


def _described(name: str, found: _Spectrum, tolerance: float, points: int) -> list[Record]:
    s = found.values
    bulk = np.abs(s - 1) < tolerance
    numbers = {
        "bulk_share": bulk.mean(),
        "chaotic_share": (s >= 1 + tolerance).mean(),
        "stable_share": (s <= 1 - tolerance).mean(),
        "largest": s[0],
    }
    if bulk.any():
        cosines = np.abs((found.left * found.right).sum(axis=0))
        numbers["alignment"] = np.median(cosines[bulk])
    records: list[Record] = [
        {"training": name, "quantity": quantity, "value": float(value)}
        for quantity, value in numbers.items()
    ]
    for rank in np.linspace(0, 1, points):
        value = float(s[round(rank * (len(s) - 1))])
        rounded = round(float(rank), 6)
        records.append(
            {"training": name, "rank": rounded, "quantity": "singular_value", "value": value}
        )
    return records


def _overlap(a: Vectors, b: Vectors) -> float:
    """Return the mean squared cosine between the spans of orthonormal ``[P, k]``."""
    return float(np.square(a.T @ b).sum() / a.shape[1])
