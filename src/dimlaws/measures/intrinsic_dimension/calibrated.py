"""Intrinsic dimension calibrated against random manifolds whose dimension is known."""

import warnings
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from dimlaws.errors import EstimationError
from dimlaws.measures.intrinsic_dimension.calibration_regression import (
    STATISTICS,
    calibration_regression,
)
from dimlaws.measures.intrinsic_dimension.estimator import (
    NORMAL_95,
    NeighborEstimator,
    valid_option,
)
from dimlaws.measures.intrinsic_dimension.linear_rank import rank_up_to
from dimlaws.measures.intrinsic_dimension.local_statistics import (
    NAMES,
    NEIGHBORS,
    local_statistics,
)
from dimlaws.measures.intrinsic_dimension.neighbors import Neighbors


class Calibrated(NeighborEstimator):
    """Intrinsic dimension as the mean over manifolds that would look like the data.

    Every estimator from ratios of distances is low in high dimension (TwoNN by 23 % at d = 20 on a
    cube with 2500 rows, by 42 % at 70): neighbourhoods feel the boundary and the gradient of the
    density. How much depends on d, n and the kind of data. Here thousands of data sets of known
    dimension (``dimlaws.data.random_manifolds``: eight densities, five kinds of embedding, d to
    120, n from 200 to 60,000) are the table; the dimension of those whose local statistics are
    nearest to those of the data is regressed on the statistics, linearly and with weights that
    fall with distance. This is regression-adjusted approximate Bayesian computation (Beaumont,
    Zhang & Balding, Genetics 162, 2002, eqs. 4 to 9) on log d.

    The dimension never exceeds the rank of the centred data, which bounds it exactly.

    Interval: the weighted residuals of the regression say how well the statistics determine d
    among manifolds that look like the data; the sampling error of the data's own statistics is
    added. So it covers bias, calibration error and sampling error as far as the data resemble some
    members of the table. Where they resemble none (``typical_`` is False, with a warning), and
    where curvature or noise act at the scale of the nearest neighbours, it promises nothing: a
    manifold folded at that scale has no other distances than one of higher dimension.

    Bias: none on average over the table; towards its middle for the ends, d = 1 and d = 120.
    Cost: the search for 32 neighbours, O(q 32² D) for angles, the rank of a few rows.

    Parameters
    ----------
    statistics : what is compared: ``two-nn``, the ratio of the distances to the two nearest
        neighbours alone (a calibrated TwoNN); ``scales``, distance ratios at five scales; or
        ``all``, with angles and the unevenness of the density. More statistics give less error on
        manifolds like the table's and more where the density is of a kind that it does not hold:
        then intervals from ``all`` cover less than they promise, those of ``two-nn`` hardly
        (experiment ``calibration``).

    Attributes
    ----------
    dimension_ : the estimate.
    dimension_se_ : its standard error, calibration included.
    interval_ : low and high end of the 95 % interval, capped at the rank.
    uncalibrated_ : TwoNN's estimate as 1/mean(log(r₂/r₁)), for comparison.
    typical_ : whether the table holds manifolds that look like the data: the tenth nearest is
        not farther than it is for 99 % of the table's own.
    n_samples_ : number of anchors.
    n_features_in_ : number of features of a row.
    """

    interval_: tuple[float, float]
    uncalibrated_: float
    typical_: bool

    def __init__(self, *, statistics: Literal["two-nn", "scales", "all"] = "two-nn") -> None:
        self.statistics = statistics

    @property
    def neighbors_needed(self) -> int:
        """How many neighbours of each row ``fit`` needs."""
        return NEIGHBORS

    def fit(self, X: npt.ArrayLike, y: Any = None, *, neighbors: Neighbors | None = None) -> Self:
        """Estimate from ``X`` (real ``[n, *features]``), or with its ``neighbors`` (32 or more).

        Raises ``EstimationError`` with fewer than 200 distinct rows, the least in the table, or if
        neighbours are equally far in all rows, as on a grid, else as ``nearest_neighbors``. Warns
        where n is beyond the table or no manifold in it is alike.
        """
        chosen = STATISTICS[valid_option(self, "statistics", tuple(STATISTICS))]
        found = self._neighbors(X, NEIGHBORS, neighbors)
        rows = np.asarray(X).reshape(-1, self.n_features_in_)
        regression = calibration_regression(chosen)
        least, most = regression.sizes
        if found.n < least:
            raise EstimationError(
                f"Calibrated needs {least} distinct rows or more, as its table has; "
                f"got n_samples = {found.n}"
            )
        if found.n > most:
            warnings.warn(
                f"{found.n} rows are more than the {most} of the calibration's table; "
                "the calibration for that many is used",
                UserWarning,
                stacklevel=2,
            )
        with np.errstate(divide="ignore", invalid="ignore"):  # where neighbours are equally far
            observed = local_statistics(rows, found, chosen)
        known = dict(zip(NAMES, observed.values, strict=True))
        if not all(np.isfinite(known[name]) for name in chosen):
            raise EstimationError(
                "neighbours are equally far in all rows (as on a grid), so Calibrated would be "
                "infinite; valid: data without such ties"
            )
        result = regression.predict(observed.values[None], np.array([float(min(found.n, most))]))
        self.typical_ = bool(result.typical[0])
        if not self.typical_:
            warnings.warn(
                "no manifold of the calibration's table resembles these data: "
                "the interval may miss the dimension",
                UserWarning,
                stacklevel=2,
            )
        error = float(np.hypot(result.error[0], observed.standard_error))
        ends = np.exp(result.log_dimension[0] + np.array([-NORMAL_95, 0, NORMAL_95]) * error)
        rank = rank_up_to(rows, float(ends[2]))
        low, middle, high = (float(min(end, rank)) for end in ends)
        self.dimension_, self.interval_ = middle, (low, high)
        self.dimension_se_ = middle * error
        self.uncalibrated_ = float(np.exp(observed.values[0]))
        return self
