import numpy as np
import pandas as pd
import pytest

from dimlaws.claims.quantities import parameter_scaling as p
from dimlaws.claims.records import Records, Undecidable

DIMS = (2, 4, 8)
WIDTHS = (8, 10, 13, 17, 22, 29)
SEED_FACTORS = np.array([0.5, 1.0, 2.0])
ARGUMENTS = {
    "measure": "loss",
    "quantity": "test",
    "abscissa": "parameters",
    "size": "width",
    "dim": "study.d",
    "numerator": 4,
}


def parameters(width):
    return width**2 + 20 * width


@pytest.fixture
def scaling(rows):
    """Losses ``c P^-a_d`` with one factor per seed, which cancels in differences of logarithms."""

    def write(exponents, spoil=lambda losses: losses):
        keys = [{"study.d": d, "width": w} for d in DIMS for w in WIDTHS]
        sizes = np.array([parameters(key["width"]) for key in keys], dtype=float)
        powers = np.repeat(exponents, len(WIDTHS))
        losses = spoil(np.outer(sizes**-powers, SEED_FACTORS))
        tables = [
            rows(keys, losses),
            rows(keys, np.outer(sizes, np.ones(3)), quantity="parameters"),
            rows(
                [{"study.d": d, "estimator": "two_nn"} for d in DIMS],
                np.outer([2 * d + 1 for d in DIMS], [0.9, 1.0, 1.1]),
                quantity="dimension",
            ),
        ]
        return Records(pd.concat(tables, ignore_index=True))

    return write


def test_slope_of_the_inverse_exponent(scaling):
    records = scaling([4 / (1.5 * d + 1) for d in DIMS])
    assert p.slope_of_inverse_exponent(records, **ARGUMENTS) == pytest.approx(1.5)
    # 4/a = 1.5 d + 1 and measured = 2 d + 1: slope 0.75.
    measured = {"measured_dim": {"estimator": "two_nn"}}
    assert p.slope_of_inverse_exponent(records, **ARGUMENTS, **measured) == pytest.approx(0.75)
    bent = scaling([4 / 7, 4 / 4, 4 / 8])
    assert p.slope_of_inverse_exponent(bent, **ARGUMENTS, min_dim=3) == pytest.approx(1)
    assert p.slope_of_inverse_exponent(bent, **ARGUMENTS, max_dim=4) == pytest.approx(-1.5)
    with pytest.raises(Undecidable, match=r"two values of study\.d; there are 1"):
        p.slope_of_inverse_exponent(bent, **ARGUMENTS, max_dim=2)


def test_share_of_dimensions_above_the_bound(scaling):
    records = scaling([2.01, 0.99, 0.51])  # against 2, 1, 1/2
    assert p.exponent_bound_fraction(records, **ARGUMENTS) == pytest.approx(2 / 3)


def test_sizes_behind_the_end_of_the_power_law_do_not_count(scaling):
    def flat(losses):
        """The last two widths of every dimension are no better than the fourth."""
        for d in range(len(DIMS)):
            block = losses[d * len(WIDTHS) : (d + 1) * len(WIDTHS)]
            block[4:] = block[3]
        return losses

    exact = [4 / d for d in DIMS]
    spoilt = scaling(exact, flat)
    assert p.slope_of_inverse_exponent(spoilt, **ARGUMENTS) == pytest.approx(1)
    # d = 2 falls to P^-2, 4e-7 at the fourth width: three remain above a floor of 1e-6.
    assert p.slope_of_inverse_exponent(scaling(exact), **ARGUMENTS) == pytest.approx(1)
    with pytest.raises(Undecidable, match=r"only \d sizes .* study\.d = 2"):
        p.slope_of_inverse_exponent(scaling(exact), **ARGUMENTS, floor=1e-5)
    # A dimension that is left out need not have an exponent.
    slope = p.slope_of_inverse_exponent(scaling(exact), **ARGUMENTS, floor=1e-5, min_dim=3)
    assert slope == pytest.approx(1)


def test_other_keys_must_be_fixed(rows):
    keys = [{"study.d": 2, "m.k": k, "width": w} for k in (1, 2) for w in WIDTHS]
    sizes = rows(keys, np.ones((12, 2)), quantity="parameters")
    records = Records(pd.concat([rows(keys, np.ones((12, 2))), sizes], ignore_index=True))
    with pytest.raises(Undecidable, match=r"need study\.d and no other key"):
        p.exponent_bound_fraction(records, **ARGUMENTS)
