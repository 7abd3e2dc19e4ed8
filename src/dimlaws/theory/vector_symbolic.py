"""Dimensions that tests of membership in a bundle of random sign vectors need."""

import math

import numpy as np
from scipy.stats import norm


def integer_bundle_dimension(items: int, error: float) -> float:
    """Return the d at which a bundle of integers (MAP-I) answers membership with ``error``.

    The bundle is the sum S of n random sign vectors. The score S·x / d has mean 1 for a member x
    and 0 for another vector, and variance close to n/d for both, so a threshold of 1/2 errs with
    probability δ where ½ sqrt(d/n) = z, the upper quantile of the normal distribution: d = 4 n z².
    Linear in n, and in ln 1/δ as δ falls: the form of Clarkson, Ubaru & Yang (2023); the constant
    is derived here.

    Parameters
    ----------
    items : number n of vectors in the bundle.
    error : probability δ of a wrong answer, below 1/2.
    """
    return float(4 * items * norm.isf(error) ** 2)


def sign_bundle_dimension(items: int, error: float) -> float:
    """Return the d at which a bundle of signs (MAP-B) answers membership with ``error``.

    The bundle is the sign of the sum, ties broken at random. A coordinate of a member then agrees
    with it by sqrt(2 / π n) on average, for many items, and the score has variance close to 1/d.
    A threshold at half that mean gives d = 2 π n z²: π/2 times that of integers (derived here).

    Parameters
    ----------
    items : number n of vectors in the bundle.
    error : probability δ of a wrong answer, below 1/2.
    """
    return float(2 * np.pi * items * norm.isf(error) ** 2)


def sign_agreement(items: int) -> float:
    """Return the mean product of a coordinate of a member with the sign of the sum.

    It is the chance that the other n - 1 signs cancel, so that this one decides: with ties broken
    at random, the central binomial coefficient C(n', n'/2) / 2^n' for n' = n - 1 or, if that is
    odd, n' = n (the two chances of a near tie add up to it). Close to sqrt(2 / π n).

    Parameters
    ----------
    items : number n of vectors in the bundle.
    """
    others = items - 1 if items % 2 else items
    return math.exp(
        math.lgamma(others + 1) - 2 * math.lgamma(others / 2 + 1) - others * math.log(2)
    )


def bloom_filter_bits(items: int, error: float) -> float:
    """Return the bits n ln(1/δ) / (ln 2)² of the Bloom filter with δ false positives.

    With (m/n) ln 2 hash functions half the bits are set (Bloom 1970), and 2^-hashes = δ.

    Parameters
    ----------
    items : number n of items in the set.
    error : probability δ of a false positive.
    """
    return float(items * np.log(1 / error) / np.log(2) ** 2)
