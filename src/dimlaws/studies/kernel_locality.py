"""Kernel regression of local functions: what a student's patch size does to learning."""

from collections.abc import Callable

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
from dimlaws.types import PerRun, PositiveInt

TEACHERS = ("laplace", "matern")
"""Kernels of the teachers' fields."""


def kernel_locality(
    seed: int,
    *,
    rows: list[PositiveInt],
    patches: list[PositiveInt],
    angles: PerRun[PositiveInt] = 4,
    teacher_patch: PositiveInt = 1,
    test_rows: PositiveInt = 512,
) -> list[Record]:
    """Test error of kernels that see patches of the input, without ridge, and its exponent.

    Points are uniform on the torus of m angles, each given by its cosine and sine. A teacher is a
    sum of Gaussian fields on all m cyclic patches of ``teacher_patch`` neighbouring angles: the
    mean over patches of a kernel of the distance within the patch is its covariance. Students are
    such means of Laplace kernels, on patches of their own size; a fully connected student sees all
    angles. A kernel's length is its number of angles (Favero, Cagnetta & Wyart 2021).

    Index columns: ``teacher``, the kernel of its fields; ``student``, ``local`` or ``full``; and
    a local student's ``patch``. Quantities: ``test_error`` with index column ``rows``; the fitted
    ``exponent``; and ``predicted_exponent``, that of a student of the dimension of its patch (see
    ``learning_exponent``), which theory gives where the teacher's patch is no larger.

    Parameters
    ----------
    rows : numbers of training rows n, of which each takes the first n of one draw.
    patches : numbers of angles that local students see at once; each below m.
    angles : number m of angles, the dimension of the torus.
    teacher_patch : number of angles of each of a teacher's fields; at most that of any student.
    test_rows : number of test rows.
    """
    sizes = sorted(set(rows))
    if len(sizes) < 3 or max(patches) >= angles or min(patches) < teacher_patch:
        raise ConfigError(
            f"kernel_locality: rows {rows}, angles {angles}, patches {patches}, teacher_patch "
            f"{teacher_patch}; valid: three or more numbers of rows, and patches below angles "
            "that hold teacher_patch"
        )
    rng = np.random.default_rng(stream(seed, "kernel locality", [angles, teacher_patch]))
    phases = rng.uniform(0, 2 * np.pi, (sizes[-1] + test_rows, angles))
    points = np.stack([np.cos(phases), np.sin(phases)], axis=-1)
    fields = {
        name: gaussian_fields(
            patch_kernel(KERNELS[name], points, points, teacher_patch), DRAWS, rng
        )
        for name in TEACHERS
    }
    records: list[Record] = []
    for patch in [*patches, angles]:
        student = patch_kernel(KERNELS["laplace"], points[: sizes[-1]], points, patch)
        weights = regression_weights(student[:, : sizes[-1]], student[:, sizes[-1] :], sizes)
        seen = {"student": "full"} if patch == angles else {"student": "local", "patch": patch}
        for teacher in TEACHERS:
            at = {"teacher": teacher, **seen}
            errors = field_errors(weights, fields[teacher], sizes[-1])
            exponent = fit_power_law(list(errors), list(errors.values())).exponent
            predicted = learning_exponent(teacher, "laplace", patch)
            records += [
                {**at, "rows": n, "quantity": "test_error", "value": error}
                for n, error in errors.items()
            ]
            records.append({**at, "quantity": "exponent", "value": exponent})
            records.append({**at, "quantity": "predicted_exponent", "value": predicted})
    return records


def patch_kernel(
    kernel: Callable[[Floats], Floats], left: Floats, right: Floats, patch: int
) -> Floats:
    """Return ``[left, right]`` means over cyclic patches of a kernel of the distance within each.

    Points are ``[points, angles, 2]``; the kernel's length is ``patch``. A patch of all angles is
    the whole point.
    """
    angles = left.shape[1]
    starts = 1 if patch == angles else angles
    total: Floats = np.zeros((len(left), len(right)))
    for start in range(starts):
        seen = np.arange(start, start + patch) % angles
        ours, theirs = (side[:, seen].reshape(len(side), -1) for side in (left, right))
        total += kernel(cdist(ours, theirs) / patch)
    return total / starts
