"""Gride: dimension as a function of scale, from ratios of two neighbour distances."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import digamma

from dimlaws.errors import ConfigError, EstimationError
from dimlaws.measures.intrinsic_dimension.estimator import (
    MutualPairs,
    NeighborEstimator,
    mutual_pairs,
    standard_error_of_mean,
)
from dimlaws.measures.intrinsic_dimension.neighbors import Neighbors
from dimlaws.measures.intrinsic_dimension.twonn import log_ratios
from dimlaws.types import PositiveInt

Floats = npt.NDArray[np.float64]


class Gride(NeighborEstimator):
    """Intrinsic dimension by maximum likelihood from ratios of the n2-th to the n1-th distance.

    Denti, Doimo, Laio & Mira, Scientific Reports 12:20005 (2022), "The generalized ratios
    intrinsic dimension estimator". Where the density is constant up to the n2-th neighbour,
    μ = r_n2/r_n1 has, whatever the density, the density

        f(μ) = d (μ^d − 1)^(n2−n1−1) / (B(n2−n1, n1) μ^((n2−1) d + 1)),   μ > 1

    that is, μ^(−d) is Beta(n1, n2 − n1). The estimate is the root of the score

        (N−1)/d + (n2−n1−1) Σ L / (1 − e^(−d L)) − (n2−1) Σ L = 0,   L = log μ

    with N − 1 in place of N, as DADApy and scikit-dimension 0.5.0 write it: at n1 = 1, n2 = 2 it
    is (N−1)/Σ L, without finite-N bias, equal to ``TwoNN`` by maximum likelihood with nothing
    discarded; elsewhere the change is of order 1/N. Larger n1 probes larger scales with all the
    rows; noise smaller than the scale no longer counts, curvature and boundary count more. So
    the curve over n1 = 1, 2, 4, … with n2 = 2 n1 is given too: look for its plateau.

    All ratios are used. DADApy and scikit-dimension 0.5.0 discard ratios above
    q50 + 20 (q95 − q50), which guards against near-duplicates and truncates the law itself: one
    ratio in 360 at d = 1 and n1 = 1, none in practice from d = 3 on.

    Standard error: the mean of the influence of each L on d (its score over the information), with
    the covariance of mutual neighbours (see ``standard_error_of_mean``). On spheres and cubes of
    dimension 1 to 10 with 500 rows it is within 10 % of the true spread for n2 <= 8; where
    neighbourhoods are more of the data it is too large, up to 1.2 times the spread at n2 = 16, 1.4
    times at 32 and 1.6 times at 64. It does not contain the bias.

    Bias: a neighbourhood is not flat or not uniform, the less so the smaller it is: on uniform
    d-cubes with 10 000 rows the estimate is low by 4 % at d = 5, 13 % at 10 and 20 % at 20 for
    n1 = 1, and by 10, 19 and 29 % for n1 = 32. Estimates of one curve share rows and most
    distances, so their errors are not independent.

    Cost: the neighbour search, then O(N n2 log(N n2)); the score is solved by Newton's method on
    d × score, which is convex and decreasing in d, so every start converges.

    Parameters
    ----------
    n1 : order of the nearer neighbour.
    n2 : order of the farther one, more than n1; null means 2 n1.
    range_max : the largest order that the curve uses, at least 2; it ends at the largest power of
        two.

    Attributes
    ----------
    dimension_ : the estimate at (n1, n2).
    dimension_se_ : its standard error over draws of the data.
    scales_ : int64 ``[s]``, n1 = 1, 2, 4, … of the curve; n2 = 2 n1 <= range_max.
    dimension_scales_, se_scales_ : float64 ``[s]``, estimates and standard errors on the curve.
    radius_scales_ : float64 ``[s]``, mean distance to the n2-th neighbour, in units of the data.
    n_samples_ : number of ratios at each scale.
    n_features_in_ : number of features of a row.
    """

    dimension_: float
    dimension_se_: float
    scales_: npt.NDArray[np.int64]
    dimension_scales_: Floats
    se_scales_: Floats
    radius_scales_: Floats

    def __init__(
        self, *, n1: PositiveInt = 1, n2: PositiveInt | None = None, range_max: PositiveInt = 64
    ) -> None:
        self.n1 = n1
        self.n2 = n2
        self.range_max = range_max

    @property
    def neighbors_needed(self) -> int:
        """How many neighbours of each row ``fit`` needs."""
        return max(self.n2 or 2 * self.n1, 1 << (self.range_max.bit_length() - 1))

    def fit(self, X: npt.ArrayLike, y: Any = None, *, neighbors: Neighbors | None = None) -> Self:
        """Estimate from ``X`` (real ``[n, *features]``), or from its ``neighbors``.

        Needs n2 or range_max neighbours, whichever is more. With ``neighbors`` given, only the
        shape of ``X`` is used. Raises ``EstimationError`` if there are fewer than two ratios or
        if half of them are 1, as on a grid, else as ``nearest_neighbors``.
        """
        n2 = 2 * self.n1 if self.n2 is None else self.n2
        if not 1 <= self.n1 < n2:
            raise ConfigError(f"Gride: n1 = {self.n1}, n2 = {n2}; valid: 1 <= n1 < n2")
        if self.range_max < 2:
            raise ConfigError(f"Gride: range_max = {self.range_max}; valid: 2 or more")
        scales = 2 ** np.arange(self.range_max.bit_length() - 1)
        found = self._neighbors(X, self.neighbors_needed, neighbors)
        pairs = mutual_pairs(found, self.neighbors_needed)
        self.dimension_, self.dimension_se_ = _estimate(found, pairs, self.n1, n2)
        curve = np.array([_estimate(found, pairs, n, 2 * n) for n in scales.tolist()])
        self.scales_ = scales
        self.dimension_scales_, self.se_scales_ = curve.T
        far = found.distances[:, 2 * scales - 1]
        # A sum of values near the largest of float64 would overflow.
        self.radius_scales_ = (
            far.mean(axis=0) if far.max() < 1e300 else (far / len(far)).sum(axis=0)
        )
        return self


def _estimate(found: Neighbors, pairs: MutualPairs, n1: int, n2: int) -> tuple[float, float]:
    """Return the estimate at one scale and its standard error."""
    logs = log_ratios(found.distances[:, n2 - 1], found.distances[:, n1 - 1])
    count = len(logs)
    if count < 2:
        raise EstimationError(f"Gride has {count} ratio of distances; valid: 2 anchors or more")
    tied = int(np.count_nonzero(logs == 0))
    if 2 * tied >= count:
        raise EstimationError(
            f"neighbours {n1} and {n2} are equally far in {tied} of {count} rows (as on a grid); "
            "valid for Gride: fewer than half, so data without such ties or a larger n2"
        )
    dimension, influence = _solve(logs, n1, n2)
    return dimension, dimension * standard_error_of_mean(influence, found, n2, pairs)


def _solve(logs: Floats, n1: int, n2: int) -> tuple[float, Floats]:
    """Return the root of the score and the relative influence of each value on it.

    With x = d L, p = x / (1 − e^−x) and q = p² e^−x (= p − x dp/dx), d × score is
    h = N − 1 + m Σ p − (n2−1) Σ x, and the Newton step on h multiplies d by
    (N − 1 + m Σ q) / ((n2−1) Σ x − m Σ (p−q)), whose terms are all positive.
    """
    count, m = len(logs), n2 - n1 - 1
    # The start is exact on average: −log of a Beta(n1, n2−n1) has mean ψ(n2) − ψ(n1).
    dimension = float((digamma(n2) - digamma(n1)) / logs.mean())
    factor = np.inf
    while abs(factor - 1) > 1e-9:  # Newton's error after this step is of the order of 1e-18
        x = np.maximum(dimension * logs, np.finfo(np.float64).tiny)
        decay = np.exp(-x)
        p = x / -np.expm1(-x)
        q = p * p * decay
        information = count - 1 + m * q.sum()
        factor = float(information / ((n2 - 1) * x.sum() - m * (p - q).sum()))
        dimension *= factor
    influence: Floats = (1 + m * p - (n2 - 1) * x) / (1 + m * q.mean())
    return dimension, influence
