"""How well unit vectors of dimension d can tell apart the subsets of k of n documents."""

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def fitted_critical_documents(dim: int) -> float:
    """Return the number of documents up to which training realizes all pairs in R^dim.

    It is the polynomial that Weller et al. (2025, arXiv:2508.21038, sec. 4) fitted to their runs.
    """
    return -10.5322 + 4.0309 * dim + 0.0520 * dim**2 + 0.0037 * dim**3


def least_dimension(documents: int, relevant: int, margin: float) -> float:
    """Return a dimension that unit vectors need at least to tell all subsets apart.

    Each subset S has a query u_S in R^d, |u_S| = 1, that scores its k documents above all others,
    by 2 γ or more, γ = ``margin``. For two subsets take documents i in S only and j in S' only:
    <u_S - u_S', v_i - v_j> >= 4 γ and |v_i - v_j| <= 2, so queries lie 2 γ apart. Their balls of
    radius γ are disjoint inside the ball of radius 1 + γ, so C(n, k) γ^d <= (1 + γ)^d and
    d >= ln C(n, k) / ln(1 + 1/γ): the bound of Weller et al. (2025).
    """
    return math.log(math.comb(documents, relevant)) / math.log1p(1 / margin)


def largest_margin(documents: int, relevant: int) -> float:
    """Return the largest m with scores >= m on all k-subsets' documents, <= -m on all others.

    Dimension is free. By averaging over permutations of the documents, the vectors may be taken as
    v_i = (a, b w_i), with w_i the unit vectors of the centred simplex, and u_S = (-c, s Σ w_i),
    the sum over S normalized. That sum has scores (n - k)/R in S and -k/R outside, where
    R = sqrt(k (n - k)(n - 1)), so 2 m = b s n/R, and scores are centred if a c = b s r with
    r = (n - 2 k)/2 R. As a c + b s <= 1, the best is a = c, b s = 1/(1 + r):

    m = n / (2 R + |n - 2 k|), about 1/(2 sqrt(k) + 1) for many documents.
    """
    n, k = documents, relevant
    return n / (2 * math.sqrt(k * (n - k) * (n - 1)) + abs(n - 2 * k))


def shared_component(documents: int, relevant: int) -> float:
    """Return a, the component that all documents share in ``largest_margin``; k is at most n/2."""
    n, k = documents, relevant
    r = (n - 2 * k) / (2 * math.sqrt(k * (n - k) * (n - 1)))
    return math.sqrt(r / (1 + r))


def moment_curve(documents: int) -> Floats:
    """Return n unit vectors in R^4 of which every pair is the top 2 of some query [n, 4].

    v(θ) = (cos θ, sin θ, cos 2θ, sin 2θ)/sqrt(2) at equal angles, the moment curve on the sphere
    (Carathéodory 1911).
    """
    angles = 2 * np.pi * np.arange(documents) / documents
    waves = [np.cos(angles), np.sin(angles), np.cos(2 * angles), np.sin(2 * angles)]
    return np.stack(waves, axis=1) / math.sqrt(2)


def pair_queries(documents: int, first: int, second: npt.ArrayLike) -> Floats:
    """Return unit queries [pairs, 4] whose two best of ``moment_curve(documents)`` are the pair.

    With a, b the pair's angles, -(1 - cos(θ - a))(1 - cos(θ - b)) is zero at both and negative at
    all others, and it is a constant plus <u, v(θ)>: its constant is 1 + cos(a - b)/2 below zero
    and changes no order. Next to a pair of neighbours it is about -δ^4, δ = 2 π/n: the gap.
    """
    a = 2 * np.pi * first / documents
    b = 2 * np.pi * np.asarray(second, dtype=np.float64) / documents
    waves = [np.cos(a) + np.cos(b), np.sin(a) + np.sin(b), -np.cos(a + b) / 2, -np.sin(a + b) / 2]
    queries = np.stack(waves, axis=1)
    return np.asarray(queries / np.linalg.norm(queries, axis=1, keepdims=True))
