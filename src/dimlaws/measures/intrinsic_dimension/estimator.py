"""What estimators of intrinsic dimension have in common."""

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from dimlaws.arrays import NotNumbersError, real_array
from dimlaws.errors import ConfigError, EstimationError
from dimlaws.measures.intrinsic_dimension.neighbors import Neighbors, nearest_neighbors

NORMAL_95 = 1.959964
"""Half the width of a 95 % interval, in standard errors of a normal distribution."""


class Estimator(BaseEstimator):  # type: ignore[misc]
    """What every estimator of dimension has: settings in the constructor, results after ``fit``."""

    dimension_: float
    dimension_se_: float
    n_features_in_: int
    n_samples_: int

    def _validated(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return ``X`` as an array ``[n, *features]``; raise EstimationError unless it is one."""
        try:
            values = validate_data(self, X, dtype="numeric", allow_nd=True, ensure_all_finite=False)
        except (TypeError, ValueError, RuntimeError) as error:
            # On further lines scikit-learn prints the data.
            reason = str(error).splitlines()[0].rstrip(":")
            kind = EstimationError if isinstance(error, ValueError) else NotNumbersError
            raise kind(f"{reason}; valid: real numbers [rows, features]") from error
        # scikit-learn takes dates for numbers, and what is masked for data.
        values = real_array(X if isinstance(X, np.ma.MaskedArray) else values)
        self.n_features_in_ = int(np.prod(values.shape[1:]))
        return values


class NeighborEstimator(Estimator):
    """An estimator that reads of the data the nearest neighbours of each row."""

    @property
    @abstractmethod
    def neighbors_needed(self) -> int:
        """How many neighbours of each row ``fit`` needs."""

    def _neighbors(self, X: npt.ArrayLike, k: int, given: Neighbors | None) -> Neighbors:
        """Return at least ``k`` neighbours of each row: those given, or by a search."""
        values = self._validated(X)
        found = nearest_neighbors(values, k) if given is None else given
        if found.n + found.duplicates_removed != len(values):
            raise EstimationError(
                f"neighbors were searched among {found.n + found.duplicates_removed} rows, "
                f"but X has {len(values)}; valid: nearest_neighbors of this X"
            )
        if found.distances.shape[1] < k:
            raise EstimationError(
                f"neighbors hold {found.distances.shape[1]} per row; valid: {k} or more"
            )
        if not (np.isfinite(found.distances).all() and (found.distances > 0).all()):
            raise EstimationError(
                "neighbors hold distances that are zero or not finite; "
                "valid: distances between distinct rows, as nearest_neighbors returns them"
            )
        self.n_samples_ = len(found.anchors)
        return found


class BallEstimator(NeighborEstimator):
    """An estimator of one dimension in the ball of the ``n_neighbors`` nearest rows of each row."""

    n_neighbors: int
    dimension_pw_: npt.NDArray[np.float64]

    @property
    def neighbors_needed(self) -> int:
        """How many neighbours of each row ``fit`` needs."""
        return self.n_neighbors

    def _average(
        self, inverse: npt.NDArray[np.float64], neighbors: Neighbors, average: str = "mean"
    ) -> None:
        """Set the results from 1/d of each ball: by its mean (``inverse``), or by that of d.

        Raises ``EstimationError`` if the average is infinite.
        """
        infinite = int(np.count_nonzero(inverse == 0))
        if infinite == len(inverse) or (infinite and average == "mean"):
            remedy = ", or average='inverse' where few rows are concerned"
            raise EstimationError(
                f"all {self.n_neighbors} neighbours are equally far in {infinite} of n_samples = "
                f"{len(inverse)} rows (as on a grid), so the estimate is infinite; valid: data "
                "without such ties or a larger n_neighbors"
                + (remedy if "average" in self.get_params() else "")
            )
        with np.errstate(divide="ignore"):
            self.dimension_pw_ = 1 / inverse
        if average == "inverse":
            self.dimension_ = float(1 / inverse.mean())
            spread = standard_error_of_mean(inverse, neighbors, self.n_neighbors)
            self.dimension_se_ = self.dimension_**2 * spread
        else:
            self._mean(neighbors)

    def _mean(self, neighbors: Neighbors) -> None:
        """Set the results from ``dimension_pw_`` by its mean."""
        self.dimension_ = float(self.dimension_pw_.mean())
        self.dimension_se_ = standard_error_of_mean(self.dimension_pw_, neighbors, self.n_neighbors)


MutualPairs = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]


def standard_error_of_mean(
    values: npt.NDArray[np.float64],
    neighbors: Neighbors,
    k: int,
    pairs: MutualPairs | None = None,
) -> float:
    """Return the standard error of the mean of one value per anchor, mutual neighbours dependent.

    If i is among the k nearest of j and j among those of i, their distance enters both values,
    so the values are correlated, and s/√q is about a fifth too small. Hence the sum of the
    covariances runs over each anchor with itself and with its mutual neighbours (the form of
    spatial covariance estimators; Conley 1999, Journal of Econometrics 92, eq. 7)::

        se² = (1/q²) [Σ_i e_i² + Σ_{(i,j) mutual} e_i e_j],   e_i = v_i − mean(v)

    Where neighbourhoods cover much of the data the sum tends to zero, because the deviations sum
    to zero; it is not taken below half of that of the squares alone. ``pairs`` are
    ``mutual_pairs`` of these neighbours for this k or more, where they serve several calls.
    """
    left, right, rank = mutual_pairs(neighbors, k) if pairs is None else pairs
    deviations = values - values.mean()
    own = float(deviations @ deviations)
    mutual = rank <= k
    shared = 2 * float(deviations[left[mutual]] @ deviations[right[mutual]])
    return float(np.sqrt(own + max(shared, -own / 2)) / len(values))


def mutual_pairs(neighbors: Neighbors, k: int) -> MutualPairs:
    """Return the pairs of anchors among each other's k nearest, and the larger of the two ranks.

    The pairs (by place, each once) of every smaller k are those with rank <= k, so that one sort
    serves all of them.
    """
    anchors = neighbors.anchors
    places = np.full(max(anchors.max(), neighbors.indices.max()) + 1, -1)
    places[anchors] = np.arange(len(anchors))
    source = np.arange(len(anchors))[:, None]
    target = places[neighbors.indices[:, :k]]
    code = np.minimum(source, target) * len(anchors) + np.maximum(source, target)
    # A pair seen from both ends gives two codes that differ in the rank only, the larger one last.
    ordered = np.sort((code * k + np.arange(k))[target >= 0])
    code = ordered // k
    last = np.flatnonzero(code[1:] == code[:-1]) + 1
    return *np.divmod(code[last], len(anchors)), ordered[last] % k + 1


def valid_option(estimator: object, name: str, valid: tuple[str, ...]) -> str:
    """Return the setting ``name``; raise ConfigError unless it is one of ``valid``."""
    value = getattr(estimator, name)
    if value not in valid:
        raise ConfigError(
            f"{type(estimator).__name__}: {name} = {value!r}; valid: {', '.join(valid)}"
        )
    return str(value)
