"""Classifiers by distances, of few rows in many dimensions.

Class a ~ N(0, s_a² I) and class b ~ N(ν 1, s_b² I) in d dimensions. Squared distances over d
tend to 2 s_a² within class a and to s_a² + s_b² + ν² between the classes (Hall, Marron & Neeman
2005), so a row of class a is nearer to its own class, as d grows, if and only if
s_a² - s_b² < ν²: the scale gap must be below the location gap, whether it is the nearest row or
the average that counts.
"""

import math

from scipy.stats import norm


def average_distance_accuracy(
    dim: int, rows: int, own_variance: float, other_variance: float, gap: float
) -> float:
    """Return the share of a class that the average-distance classifier gets right.

    The class has variance ``own_variance`` and ``rows`` training rows, the other class
    ``other_variance`` and as many; ``gap`` is ν². The difference of the mean squared distances of
    z to both classes is, for each coordinate, t = Σ(y_j² - x_i²) / n - 2 z (ȳ - x̄), whose mean is
    s_b² + ν² - s_a² and whose variance is

        4 s_a² (ν² + (s_a² + s_b²) / n) + (2 s_a⁴ + 2 s_b⁴ + 4 ν² s_b²) / n.

    Coordinates are independent, so the sum over d is close to normal. Derived for this project.
    """
    mean = other_variance + gap - own_variance
    means = gap + (own_variance + other_variance) / rows
    squares = 2 * own_variance**2 + 2 * other_variance**2 + 4 * gap * other_variance
    variance = 4 * own_variance * means + squares / rows
    return float(norm.cdf(mean * math.sqrt(dim / variance)))
