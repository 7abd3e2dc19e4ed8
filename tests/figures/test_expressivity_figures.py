"""The figures of star operations, set representations and activation codes."""

import itertools
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from dimlaws.figures import (
    activation_codes,
    set_representation_width,
    star_operation_rank,
    star_vs_sum_width,
)
from dimlaws.figures.style import STYLE


@pytest.fixture(autouse=True)
def clean():
    with plt.style.context(STYLE):
        yield
    plt.close("all")


def table(measure, quantities, **grid):
    """Random shares of every quantity at every point of the grid, for four seeds."""
    rng = np.random.default_rng(0)
    keys = {name.replace("__", "."): values for name, values in grid.items()}
    points = itertools.product(quantities, range(4), *keys.values())
    names = ["quantity", "seed", *keys]
    rows = [{**dict(zip(names, point, strict=True)), "value": rng.random()} for point in points]
    return pd.DataFrame(rows).assign(measure=measure)


def drawn(draw, records, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure, numbers = draw({"a": records}, **options)
        figure.canvas.draw()
    return numbers


def mean(records, **where):
    for name, value in where.items():
        records = records[records[name.replace("__", ".")] == value]
    return records["value"].mean()


def test_star_operation_rank():
    records = table(
        "star_operation_rank", ["rank"], operation=("star", "sum"), layers=(1, 2), inputs=(4, 8)
    )
    numbers = drawn(star_operation_rank.draw, records)
    curve = numbers[(numbers["quantity"] == "dimension") & (numbers["inputs"] == 8)]
    assert sorted(curve["mean"]) == [9, 45, 495]
    assert (numbers["quantity"] == "rank").sum() == 8


def test_star_vs_sum_width():
    measure, grid = "star_vs_sum_width", {"width": (4, 8), "operation": ("star", "sum")}
    parts = [
        table(measure, ["accuracy"], activation=("relu",), **grid),
        table(measure, ["accuracy"], activation=("linear",), **{**grid, "width": (8,)}),
        table(measure, ["gap"], activation=("relu",), width=(4, 8)),
        table(measure, ["gap"], activation=("linear",), width=(8,)),
    ]
    numbers = drawn(star_vs_sum_width.draw, pd.concat(parts, ignore_index=True))
    (cell,) = numbers[
        (numbers["operation"] == "sum")
        & (numbers["activation"] == "relu")
        & (numbers["width"] == 4)
    ].itertuples()
    assert cell.mean == pytest.approx(1 - mean(parts[0], operation="sum", width=4))
    (gap,) = numbers[
        (numbers["quantity"] == "gap") & (numbers["activation"] == "linear")
    ].itertuples()
    assert gap.mean == pytest.approx(100 * mean(parts[3]))


def test_set_representation_width():
    records = table(
        "set_representation_width",
        ["failure"],
        embedding=("power", "exponential"),
        study__set_size=(3,),
        study__features=(2,),
        width=(3, 6, 18),
    )
    numbers = drawn(set_representation_width.draw, records)
    assert sorted(set(numbers["width_over_coordinates"])) == [0.5, 1.0, 3.0]
    assert len(numbers) == 6


def test_activation_codes():
    grid = {
        "training__learning_rate": (0.01, 0.001),
        "data__train_size": (50, 200),
        "model__width": (3, 10, 100),
    }
    accuracies = table("activation_codes", list(activation_codes.CLASSIFIERS), **grid)
    codes = table("activation_codes", ["redundancy"], moment=("start", "end"), **grid)
    numbers = drawn(
        activation_codes.draw, pd.concat([codes, accuracies], ignore_index=True), rows=200
    )
    assert (numbers["quantity"] == "redundancy").sum() == 2 * 2 * 2 * 3
    (cell,) = numbers[
        (numbers["quantity"] == "network_accuracy")
        & (numbers["training.learning_rate"] == 0.01)
        & (numbers["model.width"] == 10)
    ].itertuples()
    chosen = mean(
        accuracies,
        quantity="network_accuracy",
        training__learning_rate=0.01,
        data__train_size=200,
        model__width=10,
    )
    assert cell.mean == pytest.approx(chosen)
