"""How fast kernel regression learns a Gaussian field: a teacher's kernel against a student's."""

from typing import Literal

import numpy as np
from scipy.spatial.distance import cdist

from dimlaws.errors import ConfigError
from dimlaws.laws.power_law import fit_power_law
from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.studies.gaussian_field_regression import (
    DRAWS,
    KERNELS,
    Floats,
    field_errors,
    gaussian_fields,
    regression_weights,
)
from dimlaws.theory.kernel_learning import learning_exponent
from dimlaws.types import PerRun, PositiveFloat, PositiveInt


def kernel_regression_scaling(
    seed: int,
    *,
    rows: list[PositiveInt],
    pair: PerRun[
        Literal[
            "laplace-laplace",
            "matern-laplace",
            "laplace-matern",
            "laplace-gaussian",
            "gaussian-laplace",
        ]
    ] = "laplace-laplace",
    dim: PerRun[PositiveInt] = 2,
    test_rows: PositiveInt = 512,
    length: PositiveFloat = 1.0,
) -> list[Record]:
    """Test error of kernel regression without ridge, and its exponent in the number of rows.

    Points are uniform on the sphere of dimension d in d + 1 dimensions; distances are those of the
    space around it. A teacher is a Gaussian field drawn at training and test points together; of a
    ``gaussian`` teacher, too smooth for a Cholesky factor, it is random waves with that covariance,
    which is all that the mean squared error depends on.

    Quantities: ``test_error`` with index column ``rows``; the fitted ``exponent``, and the
    ``predicted_exponent`` (see ``learning_exponent``); and ``usable_rows``, the largest number of
    rows at which the student's matrix is regular in double precision, 0 for none. Larger ones are
    left out; where fewer than three are left there is no exponent.

    Parameters
    ----------
    rows : numbers of training rows n, of which each takes the first n of one draw.
    pair : kernel of the teacher, then of the student.
    dim : dimension d of the sphere.
    test_rows : number of test rows.
    length : length of both kernels; the sphere has radius 1.
    """
    if len(set(rows)) < 3:
        raise ConfigError(f"kernel_regression_scaling: rows {rows}; valid: three or more numbers")
    teacher, student = pair.split("-")
    sizes = sorted(set(rows))
    rng = np.random.default_rng(stream(seed, "kernel regression", [pair, dim]))
    points = rng.standard_normal((sizes[-1] + test_rows, dim + 1))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    points /= length
    fields = teacher_fields(teacher, points, DRAWS, rng)
    train, test = points[: sizes[-1]], points[sizes[-1] :]
    matrix, cross = (KERNELS[student](cdist(train, other)) for other in (train, test))
    errors = field_errors(regression_weights(matrix, cross, sizes), fields, sizes[-1])
    records: list[Record] = [
        {"rows": n, "quantity": "test_error", "value": error} for n, error in errors.items()
    ]
    records.append({"quantity": "usable_rows", "value": float(max(errors, default=0))})
    if len(errors) >= 3:
        law = fit_power_law(list(errors), list(errors.values()))
        predicted = learning_exponent(teacher, student, dim)
        records.append({"quantity": "exponent", "value": law.exponent})
        records.append({"quantity": "predicted_exponent", "value": predicted})
    return records


def teacher_fields(kernel: str, points: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Draw ``[points, draws]`` random functions whose covariance is the kernel."""
    if kernel == "gaussian":
        waves = rng.standard_normal((points.shape[1], draws))
        phases = rng.uniform(0, 2 * np.pi, draws)
        cosines: Floats = np.sqrt(2) * np.cos(points @ waves + phases)
        return cosines
    return gaussian_fields(KERNELS[kernel](cdist(points, points)), draws, rng)
