"""What noise on the inputs of a linear autoencoder does to its code, in closed form."""

import numpy as np
import numpy.typing as npt

from dimlaws.studies import Record
from dimlaws.studies.digits import CLASSES, shuffled_digits
from dimlaws.types import Fraction, PositiveFloat, PositiveInt

SIDE = 8

Floats = npt.NDArray[np.float64]


def denoising_alignment(
    seed: int,
    *,
    codes: list[PositiveInt],
    deviations: list[PositiveFloat],
    ratios: list[Fraction],
    patches: list[PositiveInt],
    rows: PositiveInt = 1000,
) -> list[Record]:
    """How much a linear denoising autoencoder's code tells of the classes, on digits.

    Images x are centred. A code of k units is trained to reconstruct x from a noisy x~: either
    ``x + sigma e`` (``gaussian``), or x with a random share of its square patches set to the mean
    (``masking``). With S = E[x x~^T] and T = E[x~ x~^T], which are known for both, the best linear
    map of rank k is U U^T S T^-1, with U the first k eigenvectors of S T^-1 S^T (reduced-rank
    regression, Izenman 1975), so the code is U^T S T^-1 x. Index columns: ``noise``, ``level``
    (sigma in units of the root-mean-square pixel, or the share masked), ``patch`` (side in pixels)
    and ``code``. Quantities: ``alignment``, the share of the variance of one-hot classes that the
    best linear map from the code of clean images explains; ``plain_alignment``, the same without
    noise; and their difference ``gain``.

    Parameters
    ----------
    codes : units of the code.
    deviations : levels of Gaussian noise.
    ratios : shares masked.
    patches : sides of the patches, divisors of 8.
    rows : images drawn without replacement.
    """
    grays, digits, order = shuffled_digits(seed)
    chosen = order[:rows]
    x = grays[chosen]
    x -= x.mean(axis=0)
    classes = np.eye(CLASSES)[digits[chosen]]
    classes -= classes.mean(axis=0)
    covariance = x.T @ x / len(x)
    power = np.trace(covariance) / len(covariance)
    settings = [
        *(
            (
                "gaussian",
                level,
                1,
                covariance,
                covariance + level**2 * power * np.eye(len(covariance)),
            )
            for level in deviations
        ),
        *(
            ("masking", ratio, patch, (1 - ratio) * covariance, covariance * joint(ratio, patch))
            for ratio in ratios
            for patch in patches
        ),
    ]
    records: list[Record] = []
    for code in codes:
        plain = _alignment(x @ encoder(covariance, covariance, code).T, classes)
        for noise, level, patch, crossed, noisy in settings:
            found = _alignment(x @ encoder(crossed, noisy, code).T, classes)
            numbers = {"alignment": found, "plain_alignment": plain, "gain": found - plain}
            index = {"noise": noise, "level": level, "patch": patch, "code": code}
            records += [
                {**index, "quantity": name, "value": value} for name, value in numbers.items()
            ]
    return records


def encoder(crossed: Floats, noisy: Floats, code: int) -> Floats:
    """Return the code's weights ``[k, d]`` of the best linear map of rank k.

    ``crossed`` is E[x x~^T] and ``noisy`` E[x~ x~^T], both ``[d, d]``; directions without any
    variance are left out.
    """
    regression = crossed @ np.linalg.pinv(noisy, rcond=1e-10, hermitian=True)
    explained = regression @ crossed.T
    _, vectors = np.linalg.eigh((explained + explained.T) / 2)
    weights: Floats = vectors[:, ::-1][:, :code].T @ regression
    return weights


def joint(ratio: float, patch: int) -> Floats:
    """Return the chance that two pixels are both left, ``[64, 64]``, if patches are masked."""
    row, column = np.divmod(np.arange(SIDE**2), SIDE)
    block = row // patch * SIDE + column // patch
    return np.where(block[:, None] == block, 1 - ratio, (1 - ratio) ** 2)


def _alignment(code: Floats, classes: Floats) -> float:
    """Return the share of the variance of ``classes [n, C]`` that ``code [n, k]`` explains."""
    fit = code @ np.linalg.lstsq(code, classes, rcond=None)[0]
    return float(np.sum(fit * classes) / np.sum(classes**2))
