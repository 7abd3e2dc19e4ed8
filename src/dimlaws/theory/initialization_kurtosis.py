"""Fluctuations of random fully connected networks over their weights, at any width and depth.

A layer of n units with weights from N(0, C / fan_in) maps h to a(z), where the z_i are independent
and Gaussian of variance C q with q = |h|^2 / fan_in, whatever the direction of h. For activations a
with a(c z) = c a(z), c > 0, its new mean square is q' = q (Y_1 + ... + Y_n) / n with independent
Y_i = C a(g)^2, g standard normal, so that ratios q' / q of layers are independent. With E[Y] = 1
(C = 2 for ReLU, 1 for a linear network), E[q_L] = q_0 for every depth L and, for one width n,

    E[q_L^2] / E[q_L]^2 = (1 + Var[Y] / n)^L,

where Var[Y] = 2^2 · 3 / 2 - 1 = 5 for ReLU and 3 - 1 = 2 for a linear network. An output is
Gaussian given q_L, so its fourth moment over its squared second is three times that. The ratio
L / n that decides it, to leading order by exp(5 L / n), is that of Roberts, Yaida & Hanin (2021,
The Principles of Deep Learning Theory) and of Hanin & Nica (2020, Products of many large random
matrices and gradients in deep neural networks).
"""

from typing import Literal

Activation = Literal["relu", "linear"]

MOMENTS: dict[Activation, tuple[float, float, float, float]] = {
    "relu": (1.0, 6.0, 60.0, 840.0),
    "linear": (1.0, 3.0, 15.0, 105.0),
}
"""E[Y], E[Y^2], E[Y^3], E[Y^4]: those of the square of a normal variable g, times 2^k / 2 for ReLU,
which lets half of all g pass."""


def moment_ratio(activation: Activation, width: int, depth: int) -> float:
    """Return E[q_L^2] / E[q_L]^2 after ``depth`` hidden layers L of ``width`` units n."""
    _, second, _, _ = MOMENTS[activation]
    return (1.0 + (second - 1.0) / width) ** depth


def layer_variance(activation: Activation, width: int) -> float:
    """Return the variance of (q' / q)^2 over one layer, relative to its squared mean.

    It needs E[(q' / q)^4], the fourth moment of a mean of n independent Y: with the central moments
    m_k of Y, 1 + 6 m_2 / n + 4 m_3 / n^2 + (m_4 + 3 (n - 1) m_2^2) / n^3.
    """
    _, second, third, fourth = MOMENTS[activation]
    m2 = second - 1.0
    m3 = third - 3.0 * second + 2.0
    m4 = fourth - 4.0 * third + 6.0 * second - 3.0
    n = float(width)
    mean_fourth = 1.0 + 6.0 * m2 / n + 4.0 * m3 / n**2 + (m4 + 3.0 * (n - 1.0) * m2**2) / n**3
    return mean_fourth / moment_ratio(activation, width, 1) ** 2 - 1.0
