"""What it takes to embed a tree in hyperbolic space with small distortion."""

import math


def sufficient_scale(angle: float, epsilon: float) -> float:
    """Return an edge length τ at which trees embed with distortion at most 1 + ε; ε at most 1.

    Edges are geodesics that meet at angles of ``angle`` α or more (radians). By the hyperbolic law
    of cosines legs a, b at an angle γ span c with cosh c >= sin²(γ/2) cosh(a + b) + cos²(γ/2), so
    c >= a + b - 2 ln(1/sin(γ/2)). Along a path the leg so far ends at a small angle θ off its last
    edge, sin θ <= sinh(c)/sinh(c') for its lengths before and after that edge, so γ >= α - θ. With
    ν = 2 ln(1/tan(α/4)), larger than the loss at γ = α, θ is small enough if τ >= 2 ν, and
    every turn costs at most ν: L edges span at least L (τ - ν), and τ = (1 + ε)/ε ν is enough.

    In the plane α = 2 π/deg and ν is about 2 ln(deg/(π/2)), as in De Sa, Gu, Ré & Sala (2018,
    arXiv:1804.03329), after Sarkar (2011); their code uses ν at α/1.2.
    """
    return (1 + epsilon) / epsilon * 2 * math.log(1 / math.tan(angle / 4))


def coordinate_bits(depth: int, scale: float) -> float:
    """Return about how many bits a coordinate in the unit ball needs: ρ / ln 2.

    A node ``depth`` edges from the centre has ρ = depth · ``scale`` and lies about 2 exp(-ρ) from
    the boundary, which numbers must resolve.
    """
    return depth * scale / math.log(2)
