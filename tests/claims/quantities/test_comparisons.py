import numpy as np
import pandas as pd
import pytest

from dimlaws.claims.quantities import comparisons, means
from dimlaws.claims.records import Records, Undecidable
from dimlaws.errors import ConfigError

ERROR = {"measure": "loss", "quantity": "test"}


def test_mean_gap_and_ratio_by_hand(rows):
    keys = [{"m.w": w, "k": k} for w in (1, 2) for k in (3, 20)]
    records = Records(rows(keys, [[1, 3], [4, 4], [5, 15], [6, 14]]))  # means 2, 4, 10, 10
    assert means.mean_value(records, **ERROR) == pytest.approx(6.5)
    assert means.mean_value(records, **ERROR, where={"k": 3}) == pytest.approx(6)
    assert means.largest_gap(records, **ERROR) == pytest.approx(8)
    ends = {"numerator": {"k": 20}, "denominator": {"k": 3}}
    assert comparisons.ratio_of_values(records, **ERROR, **ends) == pytest.approx((2 * 1) ** 0.5)
    assert comparisons.ratio_of_values(records, **ERROR, **ends, where={"m.w": 1}) == pytest.approx(
        2
    )
    with pytest.raises(ConfigError, match="same keys"):
        comparisons.ratio_of_values(records, **ERROR, numerator={"k": 20}, denominator={"m.w": 1})


def test_a_ratio_needs_positive_means_and_partners(rows):
    ends = {"numerator": {"k": 20}, "denominator": {"k": 3}}
    records = Records(rows([{"k": 3}, {"k": 20}], [[-1.0], [1.0]]))
    with pytest.raises(Undecidable, match="zero or negative"):
        comparisons.ratio_of_values(records, **ERROR, **ends)
    keys = [{"m.w": 1, "k": 3}, {"m.w": 2, "k": 3}, {"m.w": 1, "k": 20}]
    with pytest.raises(Undecidable, match="have no partner"):
        comparisons.ratio_of_values(Records(rows(keys, np.ones((3, 1)))), **ERROR, **ends)


def test_fraction_of_cells_where_one_mean_is_below_another(rows):
    nets = [
        {"data.d": d, "subject": "representation", "layer": layer}
        for d in (2, 4)
        for layer in (0, 1)
    ]
    data = [{"data.d": d, "subject": "data"} for d in (2, 4)]
    records = Records(
        pd.concat(
            [
                rows(nets, [[2.5, 3.1], [2.9, 3.3], [4.0, 4.2], [4.9, 5.2]]),
                rows(data, [[2.0, 2.0], [4.0, 4.2]]),
            ],
            ignore_index=True,
        )
    )
    sides = {**ERROR, "left": {"subject": "representation"}, "right": {"subject": "data"}}
    # means 2.8, 3.1, 4.1, 5.05 against 2, 2, 4.1, 4.1
    assert comparisons.fraction_where_below(records, **sides) == 0.25
    assert comparisons.fraction_where_below(records, **sides, slack=1.0) == 0.75
    last = {**sides, "left": {"subject": "representation", "layer": 1}}
    assert comparisons.fraction_where_below(records, **last, slack=1.0) == 0.5
    first = {**sides, "right": {"subject": "data", "data.d": 2}, "left": {"data.d": 4, "layer": 0}}
    assert comparisons.fraction_where_below(records, **first, slack=2.0) == 0.0
    assert comparisons.fraction_where_below(records, **first, slack=2.2) == 1.0


def test_a_cell_without_a_value_is_neither_below_nor_above(rows):
    keys = [{"m.w": 1, "side": "a"}, {"m.w": 1, "side": "b"}]
    records = Records(rows(keys, [[np.nan, np.nan], [1.0, 1.0]]))
    with pytest.raises(Undecidable, match="every run of a cell diverged"):
        comparisons.fraction_where_below(records, **ERROR, left={"side": "a"}, right={"side": "b"})


def test_extremes_of_cell_means(rows):
    keys = [{"data.d": d} for d in (1, 2, 3)]
    records = Records(rows(keys, [[1, 3], [-5, 1], [9, -9]]))
    assert means.largest_value(records, **ERROR) == 2
    assert means.smallest_value(records, **ERROR) == -2
    assert means.smallest_value(records, **ERROR, where={"data.d": [1, 3]}) == 0


def test_largest_magnitude_ratio(rows):
    keys = [{"data.d": d, "estimator": e} for e in ("a", "b") for d in (1, 2)]
    # means: a -> 1, -3; b -> -4, 4
    records = Records(rows(keys, [[0, 2], [-2, -4], [-4, -4], [3, 5]]))
    sides = {"numerator": {"estimator": "a"}, "denominator": {"estimator": "b"}}
    assert comparisons.largest_magnitude_ratio(records, **ERROR, **sides) == pytest.approx(3 / 4)
    found = comparisons.largest_magnitude_ratio(records, **ERROR, **sides, where={"data.d": 1})
    assert found == pytest.approx(1 / 4)
    with pytest.raises(ConfigError, match="same keys"):
        comparisons.largest_magnitude_ratio(
            records, **ERROR, numerator={"estimator": "a"}, denominator={"data.d": 1}
        )
    flat = Records(rows(keys, [[1, 1], [1, 1], [0, 0], [1, 1]]))
    with pytest.raises(Undecidable, match="zero"):
        comparisons.largest_magnitude_ratio(flat, **ERROR, **sides)


def test_rising_fraction(rows):
    keys = [{"data.d": d, "data.n": n} for n in (1, 2) for d in (1, 2, 4, 8)]
    values = [0.1, 0.5, 0.995, 0.99, 0.1, 0.05, 0.5, 0.4]
    records = Records(rows(keys, np.outer(values, [1, 1])))
    found = comparisons.rising_fraction(records, **ERROR, x="data.d", ceiling=0.99)
    assert found == pytest.approx(3 / 5)  # up, up, [saturated]; down, up, down
    first = {"data.n": 1}
    assert comparisons.rising_fraction(records, **ERROR, x="data.d", ceiling=0.99, where=first) == 1
    with pytest.raises(Undecidable, match="starts below"):
        comparisons.rising_fraction(records, **ERROR, x="data.d", ceiling=0.0)


def test_a_cell_where_all_diverged_is_undecidable(rows):
    records = Records(rows([{"data.d": 1}, {"data.d": 2}], [[1, 2], [np.nan, np.nan]]))
    for quantity in (means.largest_value, means.smallest_value):
        with pytest.raises(Undecidable, match="diverged"):
            quantity(records, **ERROR)


def moments(rows, values):
    """Return records of cells noise 0 and 1, start and end each."""
    keys = [{"data.noise": n, "moment": m} for n in (0, 1) for m in ("start", "end")]
    return Records(rows(keys, values))


MOMENTS = {"minuend": {"moment": "end"}, "subtrahend": {"moment": "start"}}


def test_mean_difference(rows):
    # means: 2 -> 5, and 1 -> 0.5
    records = moments(rows, [[1, 3], [4, 6], [0, 2], [0, 1]])
    first = {"data.noise": 0}
    assert comparisons.mean_difference(records, **ERROR, **MOMENTS, where=first) == pytest.approx(3)
    assert comparisons.mean_difference(records, **ERROR, **MOMENTS) == pytest.approx((3 - 0.5) / 2)
    swapped = {"minuend": {"moment": "start"}, "subtrahend": {"moment": "end"}}
    assert comparisons.mean_difference(records, **ERROR, **swapped, where=first) == pytest.approx(
        -3
    )
    with pytest.raises(ConfigError, match="same keys"):
        comparisons.mean_difference(
            records, **ERROR, minuend={"moment": "end"}, subtrahend={"data.noise": 0}
        )


def test_ratio_of_differences(rows):
    records = moments(rows, [[1, 3], [4, 6], [0, 2], [0, 1]])
    sides = {"numerator": {"data.noise": 1}, "denominator": {"data.noise": 0}}
    found = comparisons.ratio_of_differences(records, **ERROR, **MOMENTS, **sides)
    assert found == pytest.approx(-0.5 / 3)
    # Of the second seed alone: (1 - 2) / (6 - 3).
    one = comparisons.ratio_of_differences(
        records.drawn(np.array([1, 1])), **ERROR, **MOMENTS, **sides
    )
    assert one == pytest.approx(-1 / 3)
    with pytest.raises(Undecidable, match="not positive"):
        comparisons.ratio_of_differences(
            records,
            **ERROR,
            **MOMENTS,
            numerator={"data.noise": 0},
            denominator={"data.noise": 1},
        )
    diverged = moments(rows, [[1, 3], [np.nan, np.nan], [0, 2], [0, 1]])
    with pytest.raises(Undecidable, match="diverged"):
        comparisons.ratio_of_differences(diverged, **ERROR, **MOMENTS, **sides)


def sided(rows):
    columns = ["seed", "side", "dim", "value"]
    table = pd.DataFrame(rows, columns=columns)
    return Records(table.assign(measure="m", quantity="q", run=range(len(table)), batch="b"))


def test_largest_difference_of_means_whatever_its_sign():
    rows = [
        *[(0, "in", 2, 0.5), (1, "in", 2, 0.7), (0, "out", 2, 0.5), (1, "out", 2, 0.3)],
        *[(0, "in", 9, 0.1), (1, "in", 9, 0.1), (0, "out", 9, 0.8), (1, "out", 9, 0.4)],
    ]
    sides = {"minuend": {"side": "in"}, "subtrahend": {"side": "out"}}
    found = comparisons.largest_difference(sided(rows), measure="m", quantity="q", **sides)
    assert found == pytest.approx(0.5)  # 0.1 against 0.6; seeds are averaged first
    here = comparisons.largest_difference(
        sided(rows), measure="m", quantity="q", where={"dim": 2}, **sides
    )
    assert here == pytest.approx(0.2)
    with pytest.raises(Undecidable):
        comparisons.largest_difference(sided(rows[:-2]), measure="m", quantity="q", **sides)
