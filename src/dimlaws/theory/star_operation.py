"""How many dimensions the functions span that a network of element-wise products can compute."""

import math


def star_dimension(inputs: int, layers: int) -> int:
    """Return the dimension of the span of all outputs of ``layers`` star layers on d ``inputs``.

    A star layer multiplies two affine functions of its input, so that each layer doubles the
    degree, and l layers give polynomials of degree at most 2^l. Products of affine functions span
    all polynomials of degree 2 (polarization: ab = ((a + b)² - (a - b)²) / 4), products of those
    all of degree 4, and so on: the dimension is C(d + 2^l, 2^l), which is (d + 1)(d + 2) / 2 for
    one layer (Ma et al. 2024, arXiv:2403.19967, section 3.1).
    """
    degree = 2**layers
    return math.comb(inputs + degree, degree)


def sum_dimension(inputs: int) -> int:
    """Return the dimension d + 1 of affine functions of d ``inputs``, which sums never leave."""
    return inputs + 1


def estimated_star_dimension(inputs: int, layers: int) -> float:
    """Return the estimate (d / √2)^(2^l) of Ma et al. (2024, section 3.2) for l ``layers``.

    It takes the d²/2 products of one layer for the inputs of the next. Products of degree 4 that
    differ in the order of their factors are then counted apart, so that for many inputs it is
    2^l! / 2^(2^(l - 1)) times the dimension: 1 for one layer, 6 for two.
    """
    return float((inputs / math.sqrt(2)) ** (2**layers))
