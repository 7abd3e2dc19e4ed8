"""Values of the game between a representation and a class of linear tasks.

Features x of covariance Σ are represented by r numbers R^T x, and a task f with f^T S^-1 f <= 1
asks for f^T x. What the best linear predictor from R^T x loses against that from x is the regret
f^T (Σ - Σ R (R^T Σ R)^-1 R^T Σ) f. With Π the projection on the range of Σ^½ R, the regret of the
worst task is the largest eigenvalue of M^½ (1 - Π) M^½ with M = Σ^½ S Σ^½, whose eigenvalues
λ_1 >= λ_2 >= ... are those of S^½ Σ S^½ (Uzan & Weinberger 2024, arXiv:2403.06971).
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def pure_regret(eigenvalues: Floats, rank: int) -> float:
    """Return the least regret of one representation: λ_(r + 1) (theorem 2 of the paper).

    M^½ Π M^½ has rank r, so by Eckart and Young no choice of it leaves a smaller operator norm.
    """
    return float(np.sort(eigenvalues)[::-1][rank])


def mixed_regret(eigenvalues: Floats, rank: int) -> float:
    """Return the least regret of a random representation, drawn after the task is chosen.

    Means of projections of rank r are all the matrices Π with 0 <= Π <= 1 and trace r. A regret t
    asks for 1 - Π <= t M^-1, so with 1 - Π <= 1 each diagonal element of 1 - Π in the eigenbasis
    of M is at most min(1, t / λ_i), and the diagonal Π meets that. The trace d - r is thus reached
    if and only if Σ_i min(1, t / λ_i) >= d - r; the smallest such t is (l - r) / Σ_(i <= l) 1 / λ_i
    at the l > r where it is largest.
    """
    inverse = np.cumsum(1.0 / np.sort(eigenvalues)[::-1])
    used = np.arange(rank + 1, len(inverse) + 1)
    return float(np.max((used - rank) / inverse[used - 1]))
