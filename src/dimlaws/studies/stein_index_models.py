"""Index spaces of nonlinear regression by Stein's lemma (Tian, Wu & Feng 2025)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dimlaws.errors import ConfigError
from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.theory.index_models import (
    Link,
    first_order_error,
    least_squares_error,
    second_order_error,
)
from dimlaws.types import PositiveFloat, PositiveInt

Floats = npt.NDArray[np.float64]

LINKS: dict[str, Link] = {"odd": np.tanh, "even": np.cos}
"""Links g: the mean of g' vanishes for the even one, that of g'' for the odd one."""

THEORY = {
    ("odd", "first_order"): first_order_error,
    ("odd", "plug_in"): least_squares_error,
    ("odd", "reduced_rank"): least_squares_error,
    ("even", "second_order"): second_order_error,
}
"""Leading order of the error, where the estimator has a signal."""


def stein_index_models(
    seed: int,
    *,
    rows: list[PositiveInt],
    dims: list[PositiveInt],
    indices: PositiveInt = 2,
    responses: PositiveInt = 8,
    noise: PositiveFloat = 0.5,
    spike: PositiveFloat = 4.0,
) -> list[Record]:
    """Subspace error of estimators of the index space, over rows and over dimensions.

    Inputs x are Gaussian with variance 1, but ``spike`` along r random directions, none of them in
    the index space B: principal components miss it. Response j is g(z_k) plus noise, z = B^T x,
    k = j modulo r. The error is |(1 - B B^T) B̂|_F / √r, from 0 to 1.

    Index columns: ``sweep``, ``rows`` (at the smallest of ``dims``) or ``dimension`` (at the
    largest of ``rows``), and ``rows`` and ``dim`` of the point; ``link``, odd (tanh) or even (cos);
    ``estimator``. Quantities: ``subspace_error`` and, where an estimator works,
    ``predicted_error``, its leading order (see ``theory.index_models``). Estimators:

    - ``first_order`` and ``second_order``, of the paper, with the score of the true density;
      the second for the even link only;
    - ``plug_in``: the first with the covariance of the sample in the score, which is least squares;
    - ``reduced_rank``: regression of rank r;
    - ``pca``: leading principal components of the inputs.

    Parameters
    ----------
    rows : numbers of rows n; each above the smallest of ``dims``.
    dims : numbers of inputs p; each at least 2r, and below the largest of ``rows``.
    indices : number r of indices.
    responses : number q of responses, a multiple of r.
    noise : standard deviation of the noise of a response; 0.5 in the paper.
    spike : variance of the inputs along r directions outside of the index space.
    """
    if min(rows) <= min(dims) or max(rows) <= max(dims) or min(dims) < 2 * indices:
        raise ConfigError(
            f"stein_index_models: rows {rows}, dims {dims}, indices {indices}; valid: more rows "
            "than the dimension they are used at, and twice as many dimensions as indices"
        )
    if responses % indices:
        raise ConfigError(
            f"stein_index_models: responses {responses}; valid: multiples of {indices}"
        )
    points = [("rows", n, min(dims)) for n in sorted(set(rows))]
    points += [("dimension", max(rows), p) for p in sorted(set(dims))]
    records: list[Record] = []
    for sweep, n, p in points:
        rng = np.random.default_rng(stream(seed, "index model", [sweep, n, p]))
        inputs = _inputs(rng, n, p, indices, spike)
        ratio = (p - 2 * indices + indices / spike) / n
        for name, link in LINKS.items():
            driven = link(inputs.x @ inputs.basis)[:, np.arange(responses) % indices]
            y = driven + noise * rng.standard_normal((n, responses))
            at = {"sweep": sweep, "rows": n, "dim": p, "link": name}
            for estimator, estimate in estimates(inputs, y, name == "even").items():
                here = {**at, "estimator": estimator}
                error = subspace_error(inputs.basis, estimate)
                records.append({**here, "quantity": "subspace_error", "value": error})
                if (name, estimator) in THEORY:
                    predict = THEORY[name, estimator]
                    value = predict(link, indices, responses, noise, ratio)
                    records.append({**here, "quantity": "predicted_error", "value": value})
    return records


@dataclass(frozen=True)
class Inputs:
    """Rows ``x [n, p]`` of N(0, Σ), the ``precision`` Σ^-1, and the index space's ``basis``."""

    x: Floats
    precision: Floats
    basis: Floats


def _inputs(rng: np.random.Generator, rows: int, dim: int, indices: int, spike: float) -> Inputs:
    axes = np.linalg.qr(rng.standard_normal((dim, 2 * indices)))[0]
    basis, strong = axes[:, :indices], axes[:, indices:]
    white = rng.standard_normal((rows, dim))
    x = white + (np.sqrt(spike) - 1) * (white @ strong) @ strong.T
    return Inputs(x, np.eye(dim) + (1 / spike - 1) * strong @ strong.T, basis)


def estimates(inputs: Inputs, y: Floats, second: bool) -> dict[str, Floats]:
    """Return the basis ``[p, r]`` that each estimator finds from responses ``y [n, q]``.

    First order: left singular vectors of the mean of s(x) y^T, s(x) = Σ^-1 x (the paper's
    Algorithm 1). Second order, if ``second``: eigenvectors of largest absolute eigenvalue of the
    mean of w (s s^T - Σ^-1), w the mean response (Algorithm 2). Reduced rank: least squares,
    projected on the leading right singular vectors of its fit.
    """
    x, rank = inputs.x, inputs.basis.shape[1]
    gram, moments = x.T @ x, x.T @ y
    coefficients = np.asarray(np.linalg.solve(gram, moments), dtype=np.float64)  # [p, q]
    fitted = np.linalg.eigh(coefficients.T @ gram @ coefficients)[1][:, -rank:]
    found = {
        "first_order": _left_vectors(inputs.precision @ moments, rank),
        "plug_in": _left_vectors(coefficients, rank),
        "reduced_rank": _left_vectors(coefficients @ fitted, rank),
        "pca": np.linalg.eigh(gram)[1][:, -rank:],
    }
    if second:
        weights = y.mean(axis=1)
        weighted = (x * (weights / len(x))[:, None]).T @ x
        mean = inputs.precision @ weighted @ inputs.precision - weights.mean() * inputs.precision
        values, vectors = np.linalg.eigh((mean + mean.T) / 2)
        found["second_order"] = vectors[:, np.argsort(np.abs(values))[-rank:]]
    return found


def subspace_error(basis: Floats, estimate: Floats) -> float:
    """Return |(1 - B B^T) B̂|_F / √r for orthonormal B, B̂ ``[p, r]``: the sines of the angles."""
    outside = estimate - basis @ (basis.T @ estimate)
    return float(np.linalg.norm(outside) / np.sqrt(basis.shape[1]))


def _left_vectors(matrix: Floats, rank: int) -> Floats:
    return np.linalg.svd(matrix, full_matrices=False)[0][:, :rank]
