"""Sarkar's embedding of trees in the Poincaré ball, with as many digits as it needs.

Points near the boundary need hundreds of bits, so coordinates are Python's decimal numbers, and
rounded coordinates are integers over a power of two, from which distances are exact.
"""

import math
from decimal import Decimal, localcontext
from functools import cache

import numpy as np
import numpy.typing as npt

from dimlaws.studies.trees import Parents

Floats = npt.NDArray[np.float64]
Vector = list[Decimal]

SPARE_DIGITS = 40


@cache
def directions(count: int, dim: int) -> tuple[Floats, float]:
    """Return unit vectors [count, dim] that lie far apart, and their smallest angle.

    In the plane at equal angles; else by descent on the energy Σ exp(-p |x_i - x_j|^2) of points
    from a fixed start, p growing, so that at last only close pairs count.
    """
    if dim == 2:
        angles = 2 * np.pi * np.arange(count) / count
        return np.stack([np.cos(angles), np.sin(angles)], axis=1), 2 * np.pi / count
    points = np.random.default_rng(0).standard_normal((count, dim))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    for power in np.geomspace(2, 400, 400):
        offsets = points[:, None] - points[None]
        squares = np.square(offsets).sum(axis=2)
        np.fill_diagonal(squares, np.inf)
        forces = np.exp(power * (squares.min() - squares))
        push = np.einsum("ij,ijk->ik", forces, offsets)
        largest = np.linalg.norm(push, axis=1).max()
        points += 0.3 / power**0.5 / largest * push
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    cosines = points @ points.T
    np.fill_diagonal(cosines, -1.0)
    return points, float(np.arccos(cosines.max()))


def embed(parents: Parents, dim: int, degree: int, scale: float) -> list[Vector]:
    """Return the nodes' points in the Poincaré ball, every edge of hyperbolic length ``scale``.

    At each node the edges take directions of ``directions(degree, dim)``, the parent's among them,
    as seen after the inversion that moves the node to the centre (Sarkar 2011; in more than two
    dimensions De Sa et al. 2018).
    """
    code = directions(degree, dim)[0]
    children: list[list[int]] = [[] for _ in parents]
    depths = [0] * len(parents)
    for node in range(1, len(parents)):
        children[parents[node]].append(node)
        depths[node] = depths[parents[node]] + 1
    with localcontext() as context:
        context.prec = int(2 * max(depths) * scale / math.log(10)) + SPARE_DIGITS
        grown = Decimal(scale).exp()
        radius = (grown - 1) / (grown + 1)  # tanh(scale / 2)
        axes = [_unit([Decimal(float(x)) for x in row]) for row in code]
        points: list[Vector] = [[Decimal(0)] * dim] * len(parents)
        for node, below in enumerate(children):
            free = axes
            if node:
                seen = _inverted(points[node], points[parents[node]])
                free = _turned(axes, _unit(seen))[1:]
            for child, axis in zip(below, free, strict=False):
                near = [radius * x for x in axis]
                points[child] = _inverted(points[node], near) if node else near
    return points


def _inverted(centre: Vector, point: Vector) -> Vector:
    """Return ``point`` after the inversion that exchanges ``centre`` and the ball's centre."""
    square = _dot(centre, centre)
    pole = [x / square for x in centre]
    offset = [x - a for x, a in zip(point, pole, strict=True)]
    factor = (1 / square - 1) / _dot(offset, offset)
    return [a + factor * x for a, x in zip(pole, offset, strict=True)]


def _turned(axes: list[Vector], target: Vector) -> list[Vector]:
    """Return ``axes`` after the reflection that takes the first to ``target``."""
    mirror = [x - y for x, y in zip(axes[0], target, strict=True)]
    square = _dot(mirror, mirror)
    if square == 0:
        return axes
    shares = [2 * _dot(axis, mirror) / square for axis in axes]
    return [
        [x - share * m for x, m in zip(axis, mirror, strict=True)]
        for axis, share in zip(axes, shares, strict=True)
    ]


def _dot(a: Vector, b: Vector) -> Decimal:
    return sum((x * y for x, y in zip(a, b, strict=True)), Decimal(0))


def _unit(vector: Vector) -> Vector:
    length = _dot(vector, vector).sqrt()
    return [x / length for x in vector]


def rounded(points: list[Vector], bits: int) -> npt.NDArray[np.object_]:
    """Return the coordinates [n, dim] times 2^``bits``, rounded to Python's integers."""
    with localcontext() as context:
        context.prec = bits + SPARE_DIGITS
        unit = Decimal(2**bits)
        whole = [[int((x * unit).to_integral_value()) for x in point] for point in points]
    return np.array(whole, dtype=object)


def distances(coordinates: npt.NDArray[np.object_], bits: int) -> Floats | None:
    """Return the hyperbolic distances [n, n] of ``rounded`` points; None if one left the ball.

    arcosh(1 + q) with q = 2 |x - y|^2 / ((1 - |x|^2)(1 - |y|^2)), q a ratio of exact integers.
    """
    one = 1 << (2 * bits)
    inside = one - (coordinates * coordinates).sum(axis=1)
    if min(inside) <= 0:
        return None
    offsets = coordinates[:, None] - coordinates[None]
    squares = (offsets * offsets).sum(axis=2)
    q = (2 * one * squares / np.multiply.outer(inside, inside)).astype(np.float64)
    large = q > 1e8
    safe = np.where(large, 0.0, q)
    near = np.log1p(safe + np.sqrt(safe * (safe + 2)))
    return np.asarray(np.where(large, np.log(2.0) + np.log(q + 1), near))
