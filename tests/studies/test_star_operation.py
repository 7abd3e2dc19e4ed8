"""Ranks and accuracies of star layers."""

import numpy as np
import pandas as pd
import pytest

from dimlaws.models.demonet import DemoNet
from dimlaws.studies.star_operation_rank import rank_and_gap, star_operation_rank
from dimlaws.studies.star_vs_sum_width import star_vs_sum_width


def test_rank_of_a_known_spectrum():
    rng = np.random.default_rng(0)
    bases = [np.linalg.qr(rng.standard_normal((6, 6)))[0] for _ in range(2)]
    matrix = bases[0] @ np.diag([2.0, 1.0, 1e-3, 1e-6, 1e-13, 1e-14]) @ bases[1]
    assert rank_and_gap(matrix, 1e-10) == (4, pytest.approx(1e-6 / 1e-13, rel=0.1))
    assert rank_and_gap(matrix, 1e-4) == (3, pytest.approx(1e-3 / 1e-6, rel=1e-6))


def test_known_ranks():
    table = pd.DataFrame(star_operation_rank(0, one_layer=[4, 8, 16], two_layers=[4]))
    found = table[table["quantity"] == "rank"].set_index(["operation", "layers", "inputs"])["value"]
    found = found.sort_index()
    assert found["star", 1].tolist() == [15, 45, 153]
    assert found["star", 2, 4] == 70
    assert found["sum", 1].tolist() == [5, 9, 17]
    assert found["sum", 2, 4] == 5
    assert (table[table["quantity"] == "spectral_gap"]["value"] > 1e6).all()


def test_records_of_training():
    options = {"networks": 2, "depth": 1, "steps": 60, "learning_rate": 0.01}
    table = pd.DataFrame(star_vs_sum_width(0, widths=[3, 8], **options))
    found = table.set_index(["quantity", "width", "activation", "operation"])["value"].to_dict()
    for width, activation in ((3, "relu"), (8, "relu"), (8, "linear")):
        of = {op: found["accuracy", width, activation, op] for op in ("star", "sum")}
        assert min(of.values()) > 0.2  # a tenth is chance
        (gap,) = (
            value
            for (name, *at), value in found.items()
            if (name, at[:2]) == ("gap", [width, activation])
        )
        assert gap == pytest.approx(of["star"] - of["sum"])
    for operation in ("star", "sum"):
        (loss,) = (
            value
            for (name, *at), value in found.items()
            if name == "activation_loss" and at[2] == operation
        )
        kept = found["accuracy", 8, "linear", operation]
        assert loss == pytest.approx(found["accuracy", 8, "relu", operation] - kept)


def test_both_kinds_have_the_same_parameters():
    draws = [
        DemoNet(width=4, depth=2, operation=operation).init(np.random.default_rng(0), (5,), 3)
        for operation in ("star", "sum")
    ]
    assert draws[0].keys() == draws[1].keys()
    assert all((draws[0][name] == draws[1][name]).all() for name in draws[0])
