import itertools

import pytest

from dimlaws.theory.star_operation import estimated_star_dimension, star_dimension, sum_dimension


def products(inputs, layers):
    """Count monomials: multiply all pairs that the layer before can make, 1 among them."""
    known = {(0,) * inputs} | {tuple(int(i == j) for i in range(inputs)) for j in range(inputs)}
    for _ in range(layers):
        pairs = itertools.product(known, repeat=2)
        known = {tuple(map(sum, zip(a, b, strict=True))) for a, b in pairs}
    return len(known)


@pytest.mark.parametrize(("inputs", "layers"), [(1, 1), (4, 1), (8, 1), (4, 2), (2, 3)])
def test_dimension_counts_monomials(inputs, layers):
    assert star_dimension(inputs, layers) == products(inputs, layers)


def test_known_dimensions():
    """(d + 1)(d + 2) / 2 for one layer (Ma et al. 2024)."""
    assert [star_dimension(d, 1) for d in (4, 8, 16)] == [15, 45, 153]
    assert star_dimension(4, 2) == 70
    assert sum_dimension(4) == products(4, 0) == 5


def test_estimate_counts_each_product_of_two_layers_six_times():
    many = 10**6
    assert estimated_star_dimension(many, 1) == pytest.approx(many**2 / 2)
    assert estimated_star_dimension(many, 1) / star_dimension(many, 1) == pytest.approx(1, rel=1e-5)
    assert estimated_star_dimension(many, 2) / star_dimension(many, 2) == pytest.approx(6, rel=1e-4)
