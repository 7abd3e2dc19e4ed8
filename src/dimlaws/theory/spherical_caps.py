"""How often random unit vectors come near each other, and how few can stay apart."""

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaincinv

Values = npt.NDArray[np.float64]


def cap_probability(cosine: npt.ArrayLike, dim: npt.ArrayLike) -> Values:
    """Return P(x·u >= c) for a fixed unit vector u and x uniform on the sphere of R^d.

    The square of the cosine follows Beta(1/2, (d - 1)/2), so for 0 <= c <= 1 it is
    ½ I_{1-c²}((d - 1)/2, ½), with I the regularized incomplete beta function.

    Parameters
    ----------
    cosine : c, from 0 to 1.
    dim : d, at least 2.
    """
    c, d = np.asarray(cosine, dtype=np.float64), np.asarray(dim, dtype=np.float64)
    return np.asarray(0.5 * betainc((d - 1) / 2, 0.5, 1 - c * c))


def false_positive_probability(
    cosine: npt.ArrayLike, dim: npt.ArrayLike, size: npt.ArrayLike
) -> Values:
    """Return the probability that one of n uniform documents has cosine >= c with the query.

    It is 1 - (1 - p)^n with p of ``cap_probability``: documents are independent given the query
    (derived here for the setting of Reimers & Gurevych 2021).

    Parameters
    ----------
    cosine : c, the cosine of the relevant document, from 0 to 1.
    dim : d, at least 2.
    size : number n of irrelevant documents.
    """
    n = np.asarray(size, dtype=np.float64)
    return np.asarray(-np.expm1(n * np.log1p(-cap_probability(cosine, dim))))


def median_index_size(cosine: npt.ArrayLike, dim: npt.ArrayLike) -> Values:
    """Return the number n of documents at which a false positive is as likely as not.

    n = ln 2 / -ln(1 - p). For large d, p falls as (1 - c²)^((d-1)/2) / (c sqrt(2 π d)), so ln n
    grows by -½ ln(1 - c²) with every dimension, plus half the growth of ln d.

    Parameters
    ----------
    cosine : c, the cosine of the relevant document, from 0 to 1.
    dim : d, at least 2.
    """
    return np.asarray(np.log(2) / -np.log1p(-cap_probability(cosine, dim)))


def mean_reciprocal_rank(cosine: npt.ArrayLike, dim: npt.ArrayLike, size: npt.ArrayLike) -> Values:
    """Return the mean of 1/(1 + K), where K of n uniform documents have cosine >= c.

    K is binomial, and E[1/(1 + K)] = (1 - (1 - p)^(n+1)) / ((n + 1) p).

    Parameters
    ----------
    cosine : c, the cosine of the relevant document, from 0 to 1.
    dim : d, at least 2.
    size : number n of irrelevant documents.
    """
    n = np.asarray(size, dtype=np.float64) + 1
    p = cap_probability(cosine, dim)
    return np.asarray(-np.expm1(n * np.log1p(-p)) / (n * p))


def median_random_coherence(vectors: npt.ArrayLike, dim: npt.ArrayLike) -> Values:
    """Return the level that the largest |cosine| of k random unit vectors exceeds half the time.

    The number of the k (k - 1)/2 pairs beyond a high level is close to Poisson, so the level is
    where its mean, 2 p per pair, is ln 2.

    Parameters
    ----------
    vectors : number k of vectors, at least 3.
    dim : d, at least 2.
    """
    k, d = np.asarray(vectors, dtype=np.float64), np.asarray(dim, dtype=np.float64)
    beyond = np.log(2) / (k * (k - 1) / 2)
    return np.asarray(np.sqrt(1 - betaincinv((d - 1) / 2, 0.5, beyond)))


def welch_bound(vectors: npt.ArrayLike, dim: npt.ArrayLike) -> Values:
    """Return sqrt((k - d) / (d (k - 1))), a floor to the largest |cosine| of k >= d unit vectors.

    Welch (1974): the squared cosines of k vectors in R^d sum to at least k²/d.

    Parameters
    ----------
    vectors : number k of vectors, at least d.
    dim : d.
    """
    k, d = np.asarray(vectors, dtype=np.float64), np.asarray(dim, dtype=np.float64)
    return np.asarray(np.sqrt((k - d) / (d * (k - 1))))
