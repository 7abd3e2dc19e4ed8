"""Images of known linear dimension: projection on the first principal components."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_BLOCK_ROWS = 8192


@dataclass(frozen=True)
class PrincipalAxes:
    """Mean ``[d]``, orthonormal axes ``[d, d]`` (columns) and variances ``[d]``, largest first."""

    mean: npt.NDArray[np.float64]
    axes: npt.NDArray[np.float64]
    variances: npt.NDArray[np.float64]


def principal_axes(x: npt.NDArray[Any]) -> PrincipalAxes:
    """Return the principal axes of the rows ``x [n, d]`` from their covariance, in float64.

    ``uint8`` rows stand for ``x / 255``. Variances divide by ``n``.
    """
    n, d = x.shape
    mean = np.zeros(d)
    for block in _blocks(x):
        mean += block.sum(axis=0)
    mean /= n
    covariance = np.zeros((d, d))
    for block in _blocks(x):
        centred = block - mean
        covariance += centred.T @ centred
    variances, axes = np.linalg.eigh(covariance / n)
    return PrincipalAxes(mean, axes[:, ::-1].copy(), np.maximum(variances[::-1], 0.0))


def projected(x: npt.NDArray[Any], axes: PrincipalAxes, q: int) -> npt.NDArray[np.float32]:
    """Return ``s_q (mean + P_q (x - mean))``, float32 and of the shape of ``x``.

    ``P_q`` projects on the first ``q`` axes; the ambient dimension stays. ``s_q`` undoes the loss
    of power: the mean square per pixel over the rows the axes come from is, for every ``q``, that
    of the unprojected rows, ``(|mean|^2 + sum_i variance_i) / d``. So
    ``s_q^2 = (|mean|^2 + sum of all variances) / (|mean|^2 + sum of the first q)``.
    """
    power = axes.mean @ axes.mean
    kept = power + axes.variances[:q].sum()
    scale = np.sqrt((power + axes.variances.sum()) / kept) if kept > 0 else 1.0
    basis = axes.axes[:, :q]
    result = np.empty((len(x), len(axes.mean)), np.float32)
    start = 0
    for block in _blocks(x.reshape(len(x), -1)):
        coordinates = (block - axes.mean) @ basis
        result[start : start + len(block)] = scale * (axes.mean + coordinates @ basis.T)
        start += len(block)
    return result.reshape(x.shape)


def _blocks(x: npt.NDArray[Any]) -> Iterator[npt.NDArray[np.float64]]:
    scale = 1 / 255 if x.dtype == np.uint8 else 1.0
    for start in range(0, len(x), _BLOCK_ROWS):
        yield x[start : start + _BLOCK_ROWS].astype(np.float64) * scale
