import math

import numpy as np
import pytest

from dimlaws.theory.hyperbolic_trees import coordinate_bits, sufficient_scale


def span(turns, scale):
    """Return the length of a path's span, from the product of its steps in SL(2, R).

    A step along an edge is diag(e^(τ/2), e^(-τ/2)), a turn by φ a rotation by φ/2; a matrix M moves
    the point by d with 2 cosh d = |M|².
    """
    step = np.diag([math.exp(scale / 2), math.exp(-scale / 2)])
    moved = step
    for turn in turns:
        half = turn / 2
        rotation = np.array([[math.cos(half), -math.sin(half)], [math.sin(half), math.cos(half)]])
        moved = moved @ rotation @ step
    return math.acosh(np.square(moved).sum() / 2)


@pytest.mark.parametrize("angle", [0.1, 2 * math.pi / 5, 2 * math.pi / 3, math.pi / 2])
@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0])
def test_paths_that_turn_keep_their_length(angle, epsilon):
    """Whatever way they turn, edges that meet at the angle or a larger one."""
    scale = sufficient_scale(angle, epsilon)
    rng = np.random.default_rng(0)
    same_side, zigzag = np.ones(8), (-1.0) ** np.arange(8)
    for edges in (2, 3, 8):
        for way in (same_side, zigzag, *rng.choice([-1.0, 1.0], (5, 8))):
            turns = way[: edges - 1] * (math.pi - angle)
            assert edges * scale <= (1 + epsilon) * span(turns, scale) * (1 + 1e-9)


def test_form_of_the_paper():
    """2 ln(deg/(π/2)) (1 + ε)/ε for nodes of high degree in the plane."""
    scale = sufficient_scale(2 * math.pi / 200, 0.1)
    assert scale == pytest.approx(11 * 2 * math.log(200 / (math.pi / 2)), rel=1e-4)


def test_bits_are_those_of_the_distance_to_the_boundary():
    depth, scale = 3, 4.0
    gap = 1 - math.tanh(depth * scale / 2)
    assert coordinate_bits(depth, scale) == pytest.approx(-math.log2(gap / 2), abs=1e-4)
