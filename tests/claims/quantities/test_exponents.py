import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dimlaws.claims.quantities import exponents
from dimlaws.claims.records import Records, Undecidable

SIZES = (100, 200, 400, 800)
DIMS = (2, 4, 8, 16)
LOSS = {"measure": "loss", "quantity": "test"}


@pytest.fixture
def scaling(rows):
    """Losses ``c N^-a_d`` with seed factors whose geometric mean is 1."""

    def write(exponents, dims=DIMS):
        keys = [{"data.d": d, "data.n": n} for d in dims for n in SIZES]
        mean = [3 * n ** -exponents[i] for i, _ in enumerate(dims) for n in SIZES]
        return Records(rows(keys, np.outer(mean, [0.5, 1.0, 2.0])))

    return write


def test_scaling_exponent_of_geometric_means(scaling):
    records = scaling([0.7, 0.4, 0.2, 0.1])
    for d, exponent in zip(DIMS, (0.7, 0.4, 0.2, 0.1), strict=True):
        found = exponents.scaling_exponent(records, **LOSS, x="data.n", where={"data.d": d})
        assert found == pytest.approx(exponent, abs=1e-12)
    with pytest.raises(Undecidable, match=r"also vary in data\.d"):
        exponents.scaling_exponent(records, **LOSS, x="data.n")


def test_offset_exponent_of_means(rows):
    mean = [0.2 + 5 / n**0.75 for n in SIZES]
    records = Records(rows([{"data.n": n} for n in SIZES], np.outer(mean, [0.5, 1.0, 1.5])))
    assert exponents.offset_exponent(records, **LOSS, x="data.n") == pytest.approx(0.75, rel=1e-4)


def test_exponents_against_a_numerator_over_the_dimension(scaling):
    arguments = {**LOSS, "size": "data.n", "dim": "data.d"}
    ratio = exponents.exponent_against_inverse_dimension
    four = scaling([4 / d for d in DIMS])
    assert ratio(four, **arguments, numerator=4) == pytest.approx(1, rel=1e-9)
    assert ratio(four, **arguments, numerator=1) == pytest.approx(4, rel=1e-9)
    bent = scaling([1 / 2, 1 / 4, 4 / 8, 16 / 16])  # ratios 1, 1, 4, 16
    assert ratio(bent, **arguments, numerator=1) == pytest.approx(64 ** (1 / 4), rel=1e-9)
    assert ratio(bent, **arguments, numerator=1, max_dim=4) == pytest.approx(1, rel=1e-9)
    with pytest.raises(Undecidable, match="does not fall"):
        ratio(scaling([0.5, 0.2, 0.1, -0.1]), **arguments, numerator=1)
    with pytest.raises(Undecidable, match=r"no data\.d is at most 1"):
        ratio(four, **arguments, numerator=1, max_dim=1)


def test_rank_correlation_of_exponents(scaling):
    arguments = {**LOSS, "size": "data.n", "dim": "data.d"}
    correlation = exponents.exponent_dimension_rank_correlation
    assert correlation(scaling([0.4, 0.3, 0.2, 0.1]), **arguments) == pytest.approx(1)
    assert correlation(scaling([0.1, 0.2, 0.3, 0.4]), **arguments) == pytest.approx(-1)
    mixed = [0.3, 0.4, 0.1, 0.2]
    expected = stats.spearmanr(1 / np.array(DIMS), mixed).statistic
    assert correlation(scaling(mixed), **arguments) == pytest.approx(expected)
    with pytest.raises(Undecidable, match="needs three values"):
        correlation(scaling([0.2, 0.1], dims=(2, 4)), **arguments)


def test_share_of_dimensions_that_obey_a_bound(scaling):
    records = scaling([0.51, 0.24, 0.13, 0.05])  # against 1/2, 1/4, 1/8, 1/16
    arguments = {**LOSS, "size": "data.n", "dim": "data.d"}
    assert exponents.bound_holds_fraction(records, **arguments) == 0.5
    assert exponents.bound_holds_fraction(records, **arguments, numerator=0.5) == 1.0


def test_other_keys_must_be_fixed_and_the_dimension_must_exist(rows):
    keys = [{"data.d": 2, "m.w": w, "data.n": n} for w in (1, 2) for n in SIZES]
    records = Records(rows(keys, np.ones((8, 2))))
    with pytest.raises(Undecidable, match=r"also vary in m\.w"):
        exponents.bound_holds_fraction(records, **LOSS, size="data.n", dim="data.d")
    with pytest.raises(Undecidable, match=r"no data\.dim; did you mean 'data\.d'"):
        exponents.bound_holds_fraction(
            records, **LOSS, size="data.n", dim="data.dim", where={"m.w": 1}
        )


def prunability(rows, flags):
    """Remaining weights ``m^0.3`` for D = 64 and ``2 m^0.5`` for D = 256."""
    keys = [{"data.m": m, "data.D": D} for D in (64, 256) for m in (2, 4, 8)]
    mean = [m**0.3 for m in (2, 4, 8)] + [2 * m**0.5 for m in (2, 4, 8)]
    weights = rows(keys, np.outer(mean, np.ones(5)), "prunability", "remaining")
    censored = rows(keys, flags, "prunability", "censored")
    return Records(pd.concat([weights, censored], ignore_index=True))


def test_log_slope_is_the_mean_over_the_other_keys(rows):
    records = prunability(rows, np.zeros((6, 5)))
    found = exponents.log_slope(records, measure="prunability", quantity="remaining", x="data.m")
    assert found == pytest.approx((0.3 + 0.5) / 2, abs=1e-12)
    along_ambient = exponents.log_slope(
        records, measure="prunability", quantity="remaining", x="data.D"
    )
    # ln(2 m^0.5 / m^0.3) / ln 4 at m = 2, 4, 8
    expected = np.mean([np.log(2 * m**0.2) / np.log(4) for m in (2, 4, 8)])
    assert along_ambient == pytest.approx(expected, abs=1e-12)
    with pytest.raises(Undecidable, match="one value only"):
        exponents.log_slope(
            records,
            measure="prunability",
            quantity="remaining",
            x="data.m",
            where={"data.m": 2},
        )


def test_censored_values_make_a_slope_undecidable_beyond_a_fifth_of_a_cell(rows):
    arguments = {"measure": "prunability", "quantity": "remaining", "x": "data.m"}
    flags = np.zeros((6, 5))
    flags[2, 0] = 1
    records = prunability(rows, flags)
    exponents.log_slope(records, **arguments)
    assert records.notes == ["1 of 30 values are censored and taken at their bound"]
    # The rule is about what was measured: a resample that repeats the censored seed may go on.
    exponents.log_slope(records.drawn(np.zeros(5, dtype=int)), **arguments)
    assert len(records.notes) == 1
    flags[2, 1] = 1
    records = prunability(rows, flags)
    with pytest.raises(Undecidable, match="censored: 40% of the values of one cell"):
        exponents.log_slope(records, **arguments)
    assert exponents.log_slope(records, **arguments, censored=None) == pytest.approx(0.4)
    assert exponents.log_slope(records, **arguments, where={"data.D": 256}) == pytest.approx(0.5)
