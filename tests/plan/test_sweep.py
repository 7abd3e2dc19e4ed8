import pytest

from dimlaws.errors import ConfigError
from dimlaws.plan.sweep import MOST_RUNS, axes, points, split_axes


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("2,4,8", [2, 4, 8]),
        ("choice(a, b)", ["a", "b"]),
        ("range(0,5)", [0, 1, 2, 3, 4]),
        ("range(0,1,0.25)", [0.0, 0.25, 0.5, 0.75]),
        ("'a,b',c", ["a,b", "c"]),
        ("1e-3,null,true", [1e-3, None, True]),
        ("[1,2],[3]", [[1, 2], [3]]),
        ("sort(3,1,2)", [1, 2, 3]),
        ("7", [7]),
        (7, [7]),
        ("one", ["one"]),
        ("null", [None]),
        ("true,1", [True, 1]),
    ],
)
def test_values_are_those_of_hydras_grammar(text, values):
    found = axes({"data.x": text})["data.x"]
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,1", "1 is given twice"),
        ("1,1.0", "1.0 is given twice"),
        ("a,b,'a'", "'a' is given twice"),
        ("[1],[1]", r"\[1\] is given twice"),
        ("", "empty sweep"),
        (None, "empty sweep"),
        ("range(2,2)", "empty sweep"),
        ("choice()", "is not a sweep"),
        ("1,", "is not a sweep"),
        ("range(0,100001)", "too many values"),
        ("range(0,1000000000000)", "too many values"),
    ],
)
def test_what_is_no_sweep_is_refused(text, message):
    with pytest.raises(ConfigError, match=rf"hydra\.sweeper\.params\.data\.x: .*{message}"):
        axes({"data.x": text})


def test_too_many_points_are_refused():
    assert len(list(points(axes({"a": f"range(0,{MOST_RUNS // 10})", "b": "range(0,10)"})))) == 1e5
    with pytest.raises(ConfigError, match="1000000 runs; at most 100000"):
        axes({"a": "range(0,1000)", "b": "range(0,1000)"})


def test_points_are_the_grid():
    assert list(points({"a": [1, 2], "b": ["x", "y"]})) == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    ]
    assert list(points({})) == [{}]


def test_options_of_groups_are_told_from_keys():
    swept = {"data": ["mnist"], "data.train_size": [1], "seed": [0], "model": ["mlp"]}
    assert split_axes(swept) == (
        {"data": ["mnist"], "model": ["mlp"]},
        {"data.train_size": [1], "seed": [0]},
    )
