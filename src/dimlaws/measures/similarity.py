"""How alike two representations of the same samples are: CKA, CCA, SVCCA and Procrustes.

Every function takes two tables whose rows are the same samples in the same order, centres each
column, and is unchanged when either table is rotated, reflected or shifted. None corrects for the
number of samples: with few of them (n not much above the number of features) unrelated
representations look alike, and CCA gives 1 as soon as n <= features + 1.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import pdist, squareform

from dimlaws.arrays import float_array, moderate
from dimlaws.errors import ConfigError, EstimationError

Floats = npt.NDArray[np.float64]


def centered_kernel_alignment(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    *,
    kernel: Literal["linear", "rbf"] = "linear",
    bandwidth: float = 0.5,
    unbiased: bool = False,
) -> float:
    """Return CKA = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)), in [0, 1] unless ``unbiased``.

    Kornblith, Norouzi, Lee & Hinton, "Similarity of Neural Network Representations Revisited",
    ICML 2019. K and L are the kernels of the rows of ``X`` and of ``Y``; a scale on either changes
    nothing. HSIC is

    - biased: tr(K H L H) / (n − 1)² with H = I − 11ᵀ/n (their eq. 3); linear CKA is then
      |YᵀX|² / (|XᵀX| |YᵀY|) in Frobenius norms of centred tables (their eq. 4);
    - ``unbiased``: [tr(K'L') + 1ᵀK'1 1ᵀL'1 / ((n−1)(n−2)) − 2/(n−2) 1ᵀK'L'1] / (n (n−3)), where K'
      and L' have zero diagonals (Song et al., J. Mach. Learn. Res. 13, 2012, eq. 5). Each HSIC is
      unbiased, the ratio nearly so; it can be negative.

    Bias: for independent Gaussian tables of p features each, biased linear CKA tends to p/(n + p)
    where it should be 0. Cost: O(n² (p + q)), memory 16 n² bytes or more.

    Parameters
    ----------
    X, Y : real ``[n, p]`` and ``[n, q]``.
    kernel : ``linear`` for x·y, ``rbf`` for exp(−|x − y|² / 2s²).
    bandwidth : s of ``rbf``, as a multiple of the median distance between rows of that table.
    unbiased : which HSIC.

    Raises
    ------
    ConfigError : unknown kernel, or a bandwidth that is not positive.
    EstimationError : the tables do not match, have fewer than 4 rows, or one has equal rows only.
    """
    if kernel not in ("linear", "rbf"):
        raise ConfigError(f"CKA: kernel = {kernel!r}; valid: linear, rbf")
    if not bandwidth > 0:
        raise ConfigError(f"CKA: bandwidth = {bandwidth}; valid: above 0")
    x, y = _centred(X, Y)
    grams = [z @ z.T if kernel == "linear" else _rbf(z, bandwidth) for z in (x, y)]
    hsic = _unbiased_hsic if unbiased else _biased_hsic
    k, m = grams
    own = hsic(k, k), hsic(m, m)
    if min(own) <= 0:
        raise EstimationError(
            f"CKA: HSIC of a table with itself is {min(own):g} at n = {len(x)}; valid: more rows, "
            "or unbiased=False"
        )
    return float(hsic(k, m) / np.sqrt(own[0] * own[1]))


def canonical_correlations(X: npt.ArrayLike, Y: npt.ArrayLike) -> Floats:
    """Return the canonical correlations, falling, as many as the smaller of the two ranks.

    They are the singular values of Q_XᵀQ_Y, with Q_X and Q_Y orthonormal bases of the columns of
    the centred tables (Björck & Golub 1973); directions with singular values below the rounding
    error of the table are left out. Unchanged under any invertible linear map of either table.

    Bias: at finite n all are too high. Independent tables of rank p and q give a largest one near
    (√(p (n − q)) + √(q (n − p))) / n, not 0. Cost: O(n (p² + q²)).

    Raises
    ------
    EstimationError : the tables do not match, have fewer than 4 rows, or one has equal rows only.
    """
    bases = [_basis(z, 1.0) for z in _centred(X, Y)]
    return _correlations(bases[0], bases[1])


def svcca(X: npt.ArrayLike, Y: npt.ArrayLike, *, variance: float = 0.99) -> float:
    """Return the mean canonical correlation of the leading principal components, in [0, 1].

    Raghu, Gilmer, Yosinski & Sohl-Dickstein, "SVCCA", NeurIPS 2017: each table is cut to the
    fewest principal components that hold the share ``variance`` of its variance, then the
    canonical correlations are averaged. ``variance=1`` gives mean CCA. Bias: as
    ``canonical_correlations`` for the numbers of components kept.

    Raises
    ------
    ConfigError : ``variance`` is not in (0, 1].
    EstimationError : the tables do not match, have fewer than 4 rows, or one has equal rows only.
    """
    if not 0 < variance <= 1:
        raise ConfigError(f"SVCCA: variance = {variance}; valid: above 0, at most 1")
    bases = [_basis(z, variance) for z in _centred(X, Y)]
    return float(_correlations(bases[0], bases[1]).mean())


def procrustes_distance(X: npt.ArrayLike, Y: npt.ArrayLike) -> float:
    """Return the least distance |X − YQ| over orthogonal Q, both tables centred and of norm 1.

    Equal to sqrt(2 − 2 cos θ), with θ the ``angular_shape_distance``; from 0 to √2. A table with
    fewer columns is padded with zeros.
    """
    return float(2 * np.sin(angular_shape_distance(X, Y) / 2))


def angular_shape_distance(X: npt.ArrayLike, Y: npt.ArrayLike) -> float:
    """Return θ = arccos(|XᵀY|_* / (|X| |Y|)) in radians, from 0 to π/2, for centred tables.

    |·|_* is the sum of the singular values. Williams, Kunz, Kornblith & Linderman, "Generalized
    Shape Metrics on Neural Representations", NeurIPS 2021: a metric on centred tables up to
    rotation, reflection and scale. Bias: too small at finite n, see ``shape_distance``.
    Cost: O(n p q + p q min(p, q)).

    Raises
    ------
    EstimationError : the tables do not match, have fewer than 4 rows, or one has equal rows only.
    """
    x, y = _centred(X, Y)
    x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
    u, _, v = np.linalg.svd(x.T @ y, full_matrices=False)
    aligned, target = x @ u, y @ v.T
    # From the chord, because the arccos of a number near 1 loses half of the digits. The wider
    # table has parts outside the shared dimensions.
    parts = (aligned - target, x - aligned @ u.T, y - target @ v)
    chord = np.sqrt(sum(float(np.sum(part**2)) for part in parts))
    return float(2 * np.arcsin(min(chord / 2, 1.0)))


def _centred(X: npt.ArrayLike, Y: npt.ArrayLike) -> list[Floats]:
    tables = [float_array(Z) for Z in (X, Y)]
    shapes = [table.shape for table in tables]
    if any(len(shape) != 2 for shape in shapes) or shapes[0][0] != shapes[1][0] or shapes[0][0] < 4:
        raise EstimationError(
            f"similarity of tables of shape {shapes[0]} and {shapes[1]}; valid: [n, p] and [n, q] "
            "with the same n >= 4"
        )
    for table in tables:
        if not np.isfinite(table).all():
            raise EstimationError("similarity of tables with NaN or infinity; valid: finite values")
        if (table == table[0]).all():
            raise EstimationError(
                f"similarity of a table of {len(table)} equal rows: it has no variance; "
                "valid: rows that differ"
            )
    # The scale of a table changes nothing.
    balanced = [moderate(table) for table in tables]
    return [moderate(table - table.mean(axis=0)) for table in balanced]


def _rbf(z: Floats, bandwidth: float) -> Floats:
    squares = pdist(z, "sqeuclidean")
    middle = np.median(squares)
    if middle == 0:
        raise EstimationError(
            "CKA: half of the rows of a table are equal, so the median distance is 0; "
            "valid: rows that differ"
        )
    return squareform(np.exp(squares / (-2 * bandwidth**2 * middle))) + np.eye(len(z))


def _biased_hsic(k: Floats, m: Floats) -> float:
    n = len(k)
    centred = k - k.mean(axis=0) - k.mean(axis=1, keepdims=True) + k.mean()
    return float(np.sum(centred * m)) / (n - 1) ** 2


def _unbiased_hsic(k: Floats, m: Floats) -> float:
    n = len(k)
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    whole = k.sum() * m.sum() / ((n - 1) * (n - 2))
    rows = 2 * (k.sum(axis=0) @ m.sum(axis=0)) / (n - 2)
    return float(np.sum(k * m) + whole - rows) / (n * (n - 3))


def _basis(z: Floats, variance: float) -> Floats:
    """Return orthonormal columns: the leading principal components that hold this variance."""
    u, singular, _ = np.linalg.svd(z, full_matrices=False)
    rank = int(np.sum(singular > singular[0] * max(z.shape) * np.finfo(np.float64).eps))
    held = np.cumsum(singular[:rank] ** 2)
    # Rounding must not demand one component more than there are.
    kept = min(int(np.searchsorted(held, variance * held[-1])) + 1, rank)
    return u[:, :kept]


def _correlations(left: Floats, right: Floats) -> Floats:
    correlations: Floats = np.clip(np.linalg.svd(left.T @ right, compute_uv=False), 0, 1)
    return correlations
