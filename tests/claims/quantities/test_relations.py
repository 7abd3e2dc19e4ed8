import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dimlaws.claims.quantities import crossings, means, relations
from dimlaws.claims.records import Records, Undecidable
from dimlaws.errors import EstimationError

FIRST = {"measure": "loss", "quantity": "test"}
SECOND = {"with_measure": "dimension", "with_quantity": "estimate"}
THEORY = {**FIRST, "theory": "predicted"}


@pytest.fixture
def two(rows):
    """Return records of two quantities over ``m.d`` (and ``m.k``), one value for each seed."""

    def write(y, x, keys=None, quantity="estimate", measure="dimension"):
        keys = keys or [{"m.d": d} for d in range(len(y))]
        values = [np.stack([np.asarray(v, float)] * 3, axis=1) for v in (y, x)]
        spread = np.array([-0.01, 0.0, 0.01])
        tables = [
            rows(keys, values[0] + spread),
            rows(keys, values[1], measure=measure, quantity=quantity),
        ]
        return Records(pd.concat(tables, ignore_index=True))

    return write


Y, X = [3.0, 1.0, 7.0, 4.0, 2.0], [1.0, 2.0, 6.0, 5.0, 4.0]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("pearson", stats.pearsonr(X, Y).statistic),
        ("log-pearson", stats.pearsonr(np.log(X), np.log(Y)).statistic),
        ("spearman", stats.spearmanr(X, Y).statistic),
    ],
)
def test_correlations_are_those_of_scipy(two, kind, expected):
    found = relations.correlation_of_quantities(two(Y, X), **FIRST, **SECOND, kind=kind)
    assert found == pytest.approx(expected, rel=1e-9)


def test_within_averages_over_the_values_of_a_key(two):
    keys = [{"m.k": k, "m.d": d} for k in (1, 2) for d in range(3)]
    table = two([1, 2, 3, 3, 2, 1], [1, 2, 4, 1, 2, 4], keys)
    one = stats.pearsonr([1, 2, 3], [1, 2, 4]).statistic
    found = relations.correlation_of_quantities(table, **FIRST, **SECOND, within="m.k")
    assert found == pytest.approx((one - one) / 2, abs=1e-12)
    chosen = {"where": {"m.k": 1}, "with_where": {"m.k": 1}}
    found = relations.correlation_of_quantities(table, **FIRST, **SECOND, **chosen)
    assert found == pytest.approx(one, rel=1e-9)


def test_a_key_of_one_side_only_is_matched(rows):
    keys = [{"m.d": d, "epsilon": e} for d in (1, 2, 3) for e in (0.1, 0.2)]
    left = rows(keys, [[1, 1], [9, 9], [2, 2], [5, 5], [3, 3], [7, 7]])
    right = rows(
        [{"m.d": d} for d in (1, 2, 3)],
        [[2, 2], [4, 4], [6, 6]],
        measure="dimension",
        quantity="estimate",
    )
    table = Records(pd.concat([left, right], ignore_index=True))
    found = relations.correlation_of_quantities(table, **FIRST, **SECOND, where={"epsilon": 0.1})
    assert found == pytest.approx(1.0)


def test_rank_correlation_is_averaged_over_other_keys(rows):
    keys = [{"m.k": k, "m.d": d} for k in (1, 2) for d in (1, 2, 3, 4)]
    values = np.array([1, 2, 3, 4, 1, 3, 2, 4], float)[:, None] + [[-0.1, 0.1]]
    found = relations.rank_correlation(Records(rows(keys, values)), **FIRST, x="m.d")
    assert found == pytest.approx((1 + stats.spearmanr([1, 2, 3, 4], [1, 3, 2, 4]).statistic) / 2)


@given(st.lists(st.floats(0.5, 2.0), min_size=2, max_size=5))
def test_relative_errors(factors):
    predicted = np.arange(1.0, len(factors) + 1)
    keys = [{"m.d": d} for d in range(len(factors))]
    table = pd.concat(
        [
            pd.DataFrame(
                [
                    {"run": f"{key}{s}", "batch": "b", "seed": s, **key, "measure": "loss",
                     "quantity": name, "value": value}
                    for key, value in zip(keys, values, strict=True)
                    for s in (0, 1)
                ]
            )
            for name, values in (("test", predicted * factors), ("predicted", predicted))
        ],
        ignore_index=True,
    )  # fmt: skip
    errors = np.abs(np.array(factors) - 1)
    mean = relations.mean_relative_error(Records(table), **THEORY)
    largest = relations.largest_relative_error(Records(table), **THEORY)
    assert mean == pytest.approx(errors.mean(), abs=1e-12)
    assert largest == pytest.approx(errors.max(), abs=1e-12)


def test_largest_ratio_is_of_geometric_means(rows):
    table = Records(rows([{"m.d": 1}, {"m.d": 2}], [[1.0, 4.0], [9.0, 16.0]]))
    assert means.largest_ratio(table, **FIRST) == pytest.approx(12 / 2)


CURVE = {**FIRST, "x": "d", "level": 0.5}


def test_crossings_and_their_ratio(rows):
    keys = [{"m.s": s, "d": d} for s in (1, 4) for d in (1, 2, 4, 8, 16, 32)]
    values = [
        [0.5 + 0.1 * np.log2(k["d"] / (3 * k["m.s"])) + e for e in (-0.01, 0.01)] for k in keys
    ]
    table = Records(rows(keys, values))
    assert crossings.crossing(table, **CURVE, where={"m.s": 1}) == pytest.approx(3)
    sides = {"numerator": {"m.s": 4}, "denominator": {"m.s": 1}}
    assert crossings.ratio_of_crossings(table, **CURVE, **sides) == pytest.approx(4)
    with pytest.raises(Undecidable, match=r"also vary in m\.s"):
        crossings.crossing(table, **CURVE)
    with pytest.raises(EstimationError, match="not reached"):
        crossings.crossing(table, **{**CURVE, "level": 2}, where={"m.s": 1})


@pytest.mark.parametrize(
    ("y", "x", "kind", "message"),
    [
        ([1.0, 2.0], [1.0, 2.0], "pearson", "three values; there are 2"),
        ([1.0, 2.0, 3.0], [2.0, 2.0, 2.0], "spearman", "all values are equal"),
        ([-1.0, 2.0, 3.0], [1.0, 2.0, 3.0], "log-pearson", "no logarithm"),
    ],
)
def test_what_has_no_correlation_is_refused(two, y, x, kind, message):
    with pytest.raises(Undecidable, match=message):
        relations.correlation_of_quantities(two(y, x), **FIRST, **SECOND, kind=kind)


def test_a_prediction_of_zero_has_no_relative_error(two):
    table = two([1.0, 2.0], [0.0, 1.0], quantity="predicted", measure="loss")
    for quantity in (relations.mean_relative_error, relations.largest_relative_error):
        with pytest.raises(Undecidable, match="a prediction is zero"):
            quantity(table, **THEORY)


def test_magnitude_rank_correlation(rows):
    keys = [{"data.d": d} for d in range(5)]
    values, sizes = np.array([1.0, -2, 4, -3, 5]), np.array([10.0, 20, 30, 40, 50])
    table = pd.concat(
        [
            rows(keys, np.outer(values, [1, 1.5])),
            rows(keys, np.outer(sizes, [1, 1]), quantity="size"),
        ]
    )
    found = relations.magnitude_rank_correlation(Records(table), **FIRST, abscissa="size")
    assert found == pytest.approx(stats.spearmanr(np.abs(values), sizes).statistic)
    assert found == pytest.approx(0.9)
    with pytest.raises(Undecidable, match="there are 2"):
        relations.magnitude_rank_correlation(
            Records(table), **FIRST, abscissa="size", where={"data.d": [1, 2]}
        )
    flat = pd.concat(
        [rows(keys, np.ones((5, 2))), rows(keys, np.outer(sizes, [1, 1]), quantity="size")]
    )
    with pytest.raises(Undecidable, match="all values are equal"):
        relations.magnitude_rank_correlation(Records(flat), **FIRST, abscissa="size")


def test_largest_deviation(rows):
    """By hand: means 1, 4, 2 against 1.5, 1, 2.5 lie 0.5, 3 and 0.5 apart, whatever the sign."""
    keys = [{"m.d": d} for d in (1, 2, 3)]
    found = np.stack([np.array([1.0, 4.0, 2.0]) + e for e in (-0.1, 0.0, 0.1)], axis=1)
    theory = np.repeat([[1.5], [1.0], [2.5]], 3, axis=1)
    tables = [rows(keys, found), rows(keys, theory, quantity="predicted")]
    records = Records(pd.concat(tables, ignore_index=True))
    assert relations.largest_deviation(records, **THEORY) == pytest.approx(3)
    assert relations.largest_deviation(records, **THEORY, where={"m.d": [1, 3]}) == pytest.approx(
        0.5
    )
    with pytest.raises(Undecidable, match="no records of loss/prediction"):
        relations.largest_deviation(records, **{**THEORY, "theory": "prediction"})
