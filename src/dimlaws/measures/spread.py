"""How fully a cloud of points uses the space it lies in: four measures of spread.

Marbut, McKinney-Bock & Wheeler, "Reliable Measures of Spread in High Dimensional Latent Spaces",
ICML 2023, arXiv:2212.08172; formulas as in the authors' package, without its rounding to four
digits. They find the first two below unreliable and propose the last two.
"""

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.integrate import cumulative_trapezoid
from scipy.special import logsumexp

from dimlaws.arrays import float_array, moderate
from dimlaws.errors import EstimationError

Floats = npt.NDArray[np.float64]

_LN_GAUSSIAN = float(0.5 * np.log(2 * np.pi * np.e))
"""Differential entropy, in nats, of a Gaussian of variance 1, the largest for that variance."""


def average_cosine_similarity(X: npt.ArrayLike) -> float:
    """Return the mean cosine of the angle between two different rows, in [−1/(n−1), 1].

    (|Σ_i u_i|² − n) / (n (n − 1)) with u_i = x_i/|x_i|; unbiased. It is near 0 for every cloud
    centred on the origin and grows with the distance of the mean from it: isotropic points at
    radius r about a mean at distance a give a²/(a² + r²) in high dimension. Cost: O(n d).

    Parameters
    ----------
    X : real ``[n, d]``, n >= 2, no row 0.

    Raises
    ------
    EstimationError : ``X`` is no such table.
    """
    rows = moderate(_table(X))
    norms = np.linalg.norm(rows, axis=1)
    if (norms == 0).any():
        raise EstimationError(
            f"average cosine similarity: {np.sum(norms == 0)} of {len(rows)} rows are 0 and have "
            "no direction; valid: no such row"
        )
    n = len(rows)
    total = np.sum((1 / norms @ rows) ** 2)
    return float((total - n) / (n * (n - 1)))


def partition_isotropy(X: npt.ArrayLike) -> float:
    """Return I(V), the smallest over the largest value of the partition function, in (0, 1].

    Z(c) = Σ_i exp(c·x_i), with c the eigenvectors of XᵀX and their opposites (Mu & Viswanath,
    "All-but-the-Top", ICLR 2018, who take one of the two signs, whichever the solver returns).
    The authors' package samples 1000 random unit vectors instead, whose minimum and maximum
    depend on their number and on d.

    1 is called isotropic. The value depends on the unit of ``X``: it tends to 1 for any cloud
    that is made small. Cost: O(n d² + d³).

    Parameters
    ----------
    X : real ``[n, d]``, n >= 2.

    Raises
    ------
    EstimationError : ``X`` is no table of finite numbers with two rows or more, or so large that
        the function overflows.
    """
    rows = _table(X)
    balanced = moderate(rows)
    projected = rows @ np.linalg.eigh(balanced.T @ balanced)[1]
    with np.errstate(over="ignore", invalid="ignore"):
        log_z = np.r_[logsumexp(projected, axis=0), logsumexp(-projected, axis=0)]
        smallest = float(np.exp(log_z.min() - log_z.max()))
    if not np.isfinite(smallest):
        raise EstimationError(
            f"partition function of values up to {np.abs(rows).max():.1e} overflows; "
            "valid: values of order 1"
        )
    return smallest


def eigenvalue_early_enrichment(X: npt.ArrayLike, *, matched_dispersion: bool = False) -> float:
    """Return EEE: how far the cumulative eigenvalues run ahead of equal ones, in [0, 1).

    With the eigenvalues λ_1 >= ... >= λ_p of the sample covariance, p = min(n, d), and
    C_k = Σ_{i<=k} λ_i, T = C_p, it is the area of C_k − T k/p over k = 1..p by the trapezoid rule,
    divided by T p/2. It is the Gini coefficient of the eigenvalues less (λ_1/T − 1/p)/p. Equal
    eigenvalues give 0, a single direction gives (1 − 1/p)²: concentrated is near 1 (the docstring
    of the authors' package says the opposite of what its code does).

    Bias at finite n: sample eigenvalues are more unequal than those of the population, so EEE is
    too high. For isotropic data it is the Gini coefficient of the Marchenko-Pastur law, .03, .06
    and .18 for n/d = 400, 100 and 10, whatever d.

    ``matched_dispersion`` multiplies EEE by sqrt(V / V_sample), where V_sample is the variance
    (over k) of the sample eigenvalues and V an unbiased estimate of that of the population's, from
    tr Σ² by Himeno & Yamada (J. Multivariate Anal. 130, 2014) for any distribution with four
    moments; negative V counts as 0. EEE is linear in the eigenvalues' distance from their mean, so
    this is EEE of the sample spectrum drawn in until its variance is right. It removes the bias
    of isotropic data (d = 50 to 800: at most .03 instead of .18 at n/d = 10, .40 at n/d = 2) and
    vanishes for n >> d. Where the population's spectrum has another shape than the sample's, part
    of the bias stays: about 45 to 60 % of it for variances k^(-1/2) and k^(-1), d = 100, at
    n/d = 10.

    Cost: O(n d min(n, d)).

    Parameters
    ----------
    X : real ``[n, d]``, d >= 2, and n >= 3 (n >= 4 with ``matched_dispersion``).
    matched_dispersion : whether to correct the bias at finite n.

    Raises
    ------
    EstimationError : ``X`` is no such table, or all rows are equal.
    """
    rows = moderate(_table(X, least_rows=4 if matched_dispersion else 3, least_columns=2))
    if not np.ptp(rows, axis=0).any():
        raise EstimationError(
            f"EEE of {len(rows)} equal rows: there is no variance; valid: rows that differ"
        )
    centred = rows - rows.mean(axis=0)
    eigenvalues = _eigenvalues(centred)
    count = len(eigenvalues)
    total = eigenvalues.sum()
    ahead = np.cumsum(eigenvalues) - total * np.arange(1, count + 1) / count
    enrichment = float(np.trapezoid(ahead)) / float(total * count / 2)
    if not matched_dispersion:
        return enrichment
    d = rows.shape[1]
    sample = np.sum(eigenvalues**2) / d - (total / d) ** 2
    if sample <= 0:
        return enrichment  # equal eigenvalues: there is nothing to correct
    population = _sum_of_squares(centred, eigenvalues) / d - (total / d) ** 2
    return enrichment * float(np.sqrt(max(population, 0.0) / sample))


def isotropic_enrichment(rows: int, columns: int) -> float:
    """Return EEE of isotropic data of so many rows and columns, both large: its bias at finite n.

    The Gini coefficient ∫ F (1 − F) dx of the Marchenko-Pastur law of mean 1 with ratio
    c = d/(n − 1) < 1, less the term of the largest eigenvalue, (1 + √c)²/d − 1/d, over d. The law
    holds for n, d to infinity; at d = 50 it is right to 2 %. By quadrature in the angle that takes
    away the roots at both ends of the law.

    Raises
    ------
    EstimationError : not ``rows`` - 1 > ``columns`` > 0.
    """
    if not 0 < columns < rows - 1:
        raise EstimationError(
            f"Marchenko-Pastur law for n = {rows}, d = {columns}; valid: n - 1 > d > 0"
        )
    ratio = columns / (rows - 1)
    # x = 1 + c + 2 √c cos θ: density dx = 2 sin² θ dθ / (π x), from the lower end at θ = π.
    angle = np.linspace(np.pi, 0, 10_001)
    x = 1 + ratio + 2 * np.sqrt(ratio) * np.cos(angle)
    mass = cumulative_trapezoid(2 * np.sin(angle) ** 2 / (np.pi * x), -angle, initial=0)
    gini = float(np.trapezoid(mass * (1 - mass), x))
    return gini - float(x[-1] - 1) / columns**2


def vasicek_ratio_mse(X: npt.ArrayLike) -> float:
    """Return VRM: how far the principal components are from Gaussians of variance 1, in entropy.

    The principal components are scaled by one factor so that their variances sum to d. With H_k
    the differential entropy of component k by Vasicek's estimator (window floor(√n + 1/2)) and
    H = ln √(2πe)::

        VRM = (1/d) Σ_k (1 − exp(H_k − H))²

    exp(H_k − H) <= s_k, the standard deviation after scaling, with equality for a Gaussian. So
    VRM is 0 for an isotropic Gaussian and near 1 where a few directions hold all variance.

    The authors' package scales to the variance of a random Gaussian sample and lets SciPy choose
    another estimator of entropy where n <= 1000. Vasicek's is too low at finite n, for a Gaussian
    by 0.10 nats at n = 100 and 0.001 at n = 2000; the inequality of sample eigenvalues adds to
    VRM as it does to EEE. Cost: O(n d² + d n log n).

    Parameters
    ----------
    X : real ``[n, d]``, n > d >= 1: with fewer rows some components are constant.

    Raises
    ------
    EstimationError : ``X`` is no such table, or a principal component is constant.
    """
    rows = moderate(_table(X, least_rows=3))
    n, d = rows.shape
    centred = rows - rows.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred / (n - 1))
    if variances[0] <= variances[-1] * d * np.finfo(np.float64).eps:
        raise EstimationError(
            f"VRM: the data [n = {n}, d = {d}] span fewer than d dimensions, so the entropy of a "
            "principal component is -infinity; valid: n > d rows that span all d"
        )
    components = centred @ axes * np.sqrt(d / variances.sum())
    with np.errstate(divide="ignore"):  # many equal values have the entropy -infinity
        entropies = stats.differential_entropy(components, method="vasicek", axis=0)
    return float(np.mean((1 - np.exp(entropies - _LN_GAUSSIAN)) ** 2))


def _eigenvalues(centred: Floats) -> Floats:
    """Return the min(n, d) largest eigenvalues of the sample covariance, falling."""
    n, d = centred.shape
    gram = centred.T @ centred if d <= n else centred @ centred.T
    eigenvalues: Floats = np.clip(np.linalg.eigvalsh(gram)[::-1] / (n - 1), 0, None)
    return eigenvalues


def _sum_of_squares(centred: Floats, eigenvalues: Floats) -> float:
    """Return an unbiased estimate of tr Σ², from the rows and the sample eigenvalues."""
    n = len(centred)
    fourth = np.sum(np.sum(centred**2, axis=1) ** 2) / (n - 1)
    inner = (n - 1) * (n - 2) * np.sum(eigenvalues**2) + eigenvalues.sum() ** 2 - n * fourth
    return float((n - 1) / (n * (n - 2) * (n - 3)) * inner)


def _table(X: npt.ArrayLike, least_rows: int = 2, least_columns: int = 1) -> Floats:
    rows = float_array(X)
    if (
        rows.ndim != 2
        or len(rows) < least_rows
        or rows.shape[1] < least_columns
        or not np.isfinite(rows).all()
    ):
        raise EstimationError(
            f"spread of data of shape {rows.shape}; valid: finite numbers "
            f"[n >= {least_rows}, d >= {least_columns}]"
        )
    return rows
