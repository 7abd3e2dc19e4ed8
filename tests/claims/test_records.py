import numpy as np
import pandas as pd
import pytest

from dimlaws.claims.records import Records, Undecidable, matched, varying
from dimlaws.errors import ConfigError, CorruptFileError

KEYS = [{"data.d": d, "data.n": n} for d in (2, 4) for n in (100, 10, 1000)]
VALUES = np.arange(18.0).reshape(6, 3) + 1


def test_cells_are_the_table_pivoted_in_any_row_order(rows):
    table = rows(KEYS, VALUES).sample(frac=1, random_state=0)
    cells = Records(table).cells("loss", "test")
    assert [(k["data.d"], k["data.n"]) for k in cells.keys] == [
        (d, n) for d in (2, 4) for n in (10, 100, 1000)
    ]
    assert cells.values == pytest.approx(VALUES[[1, 0, 2, 4, 3, 5]])
    pivot = table.pivot_table(index=["data.d", "data.n"], columns="seed", values="value")
    assert cells.values == pytest.approx(pivot.to_numpy())


def test_a_resample_of_seeds_is_a_choice_of_columns(rows):
    records = Records(rows(KEYS, VALUES))
    whole = records.cells("loss", "test").values
    again = records.drawn(np.array([2, 0, 2])).cells("loss", "test")
    assert again.values == pytest.approx(whole[:, [2, 0, 2]])
    assert again.measured == pytest.approx(whole)
    assert records.cells("loss", "test").values == pytest.approx(whole)


def test_where_selects_by_value_list_or_absence(rows):
    layers = rows([{"data.d": 2, "layer": layer} for layer in (0, 1)], [[1.0], [2.0]])
    whole = rows([{"data.d": 2}], [[3.0]])
    records = Records(pd.concat([layers, whole], ignore_index=True))
    assert records.cells("loss", "test", {"layer": 1}).values == pytest.approx(np.array([[2.0]]))
    assert len(records.cells("loss", "test", {"layer": [0, 1]}).keys) == 2
    absent = records.cells("loss", "test", {"layer": None})
    assert absent.values == pytest.approx(np.array([[3.0]]))
    assert absent.keys == [{"data.d": 2}]
    with pytest.raises(ConfigError, match=r"where\.layer"):
        records.cells("loss", "test", {"layer": {"from": 1}})


def test_what_is_not_there_is_undecidable_and_named(rows):
    records = Records(rows(KEYS, VALUES))
    with pytest.raises(Undecidable, match="no records of loss/tset; did you mean 'loss/test'"):
        records.cells("loss", "tset")
    with pytest.raises(Undecidable, match=r"no column data\.dd; did you mean 'data\.d'"):
        records.cells("loss", "test", {"data.dd": 2})
    with pytest.raises(Undecidable, match=r"no records of loss/test with data\.d = 3"):
        records.cells("loss", "test", {"data.d": 3})
    with pytest.raises(Undecidable, match=r"data\.width is not a number in every cell"):
        records.cells("loss", "test").along("data.width")
    with pytest.raises(Undecidable, match=r"also vary in data\.d;"):
        records.cells("loss", "test").only_line("data.n")


def test_two_values_for_one_seed_are_never_averaged_in_silence(rows):
    table = rows(KEYS, VALUES)
    with pytest.raises(Undecidable, match="two values for one seed"):
        Records(pd.concat([table, table.iloc[[0]]])).cells("loss", "test")


def test_a_table_without_its_columns_is_refused(rows):
    with pytest.raises(CorruptFileError, match="lacks the columns seed"):
        Records(rows(KEYS, VALUES).drop(columns="seed"))
    with pytest.raises(CorruptFileError, match="rows without a seed"):
        Records(rows(KEYS, VALUES).replace({"seed": {2: np.nan}}))


def test_means_leave_out_diverged_runs(rows):
    values = [[1.0, np.nan, 4.0], [np.inf, np.nan, -np.inf]]
    records = Records(rows([{"m.w": 1}, {"m.w": 2}], values))
    cells = records.cells("loss", "test")
    assert cells.means() == pytest.approx([2.5, np.nan], nan_ok=True)
    assert cells.geometric_means() == pytest.approx([2.0, np.nan], nan_ok=True)
    assert records.diverged() == (4, 6)
    with pytest.raises(Undecidable, match="no logarithm"):
        Records(rows([{}], [[1.0, 0.0]])).cells("loss", "test").geometric_means()


def test_a_run_counts_once_however_many_of_its_values_are_read(rows):
    keys = [{"m.w": w, "layer": layer} for w in (1, 2) for layer in (0, 1)]
    values = np.ones((4, 3))
    values[0:2, 0] = np.nan
    records = Records(rows(keys, values))
    records.cells("loss", "test")
    assert records.diverged() == (1, 6)


def test_shared_seeds_are_those_of_every_cell_that_was_read(rows):
    table = rows(KEYS, VALUES)
    records = Records(table.drop(index=4))  # cell 1, seed 1
    assert records.shared_seeds().tolist() == [0, 1, 2]
    records.cells("loss", "test", {"data.d": 4})
    assert records.shared_seeds().tolist() == [0, 1, 2]
    records.cells("loss", "test")
    assert records.shared_seeds().tolist() == [0, 2]


def test_lines_run_along_one_key_in_its_order(rows):
    lines = Records(rows(KEYS, VALUES)).cells("loss", "test").along("data.n")
    assert [line.held for line in lines] == [{"data.d": 2}, {"data.d": 4}]
    assert [line.x.tolist() for line in lines] == [[10, 100, 1000]] * 2
    assert [line.positions.tolist() for line in lines] == [[0, 1, 2], [3, 4, 5]]


def test_cells_of_two_quantities_are_matched_by_the_keys_that_both_have(rows):
    left_keys = [{"m.w": w, "layer": layer} for w in (1, 2) for layer in (0, 1)]
    left = rows(left_keys, np.ones((4, 1)), quantity="a")
    right = rows([{"m.w": 2}, {"m.w": 1}], np.ones((2, 1)), quantity="b")
    records = Records(pd.concat([left, right], ignore_index=True))
    a, b = records.cells("loss", "a"), records.cells("loss", "b")
    assert matched(a, b, set()).tolist() == [[0, 0], [1, 0], [2, 1], [3, 1]]
    with pytest.raises(Undecidable, match="right side also varies in layer"):
        matched(b, a, set())
    one = records.cells("loss", "b", {"m.w": 1})
    with pytest.raises(Undecidable, match=r"nothing to compare with at m\.w = 2"):
        matched(a, one, set())
    assert matched(a, one, {"m.w"}).tolist() == [[i, 0] for i in range(4)]


def test_varying_counts_absence_as_a_value():
    assert varying([{"a": 1, "b": 2}, {"a": 1, "b": 3}]) == ["b"]
    assert varying([{"a": 1, "b": 2}, {"a": 1}]) == ["b"]
    assert varying([]) == []
