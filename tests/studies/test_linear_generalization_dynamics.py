import numpy as np
import pandas as pd
import pytest

from dimlaws.errors import ConfigError
from dimlaws.studies.linear_descent import frozen_changes, share_outside
from dimlaws.studies.linear_generalization_dynamics import Flow, linear_generalization_dynamics

SMALL = {
    "alphas": [0.5, 1.0, 2.0],
    "times": [1.0, 100.0],
    "snrs": [1.0, 4.0],
    "inrs": [0.0, 1.0],
    "weights": 24,
    "draws": 2,
}


def drawn(rows, weights, seed=0):
    """Draw what ``Flow.draw`` draws, in the same order, but in plain coordinates."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, weights)) / np.sqrt(weights)
    teacher, initial = rng.standard_normal((2, weights))
    return x, teacher, initial, rng.standard_normal(rows)


@pytest.mark.parametrize(("rows", "weights"), [(6, 15), (15, 15), (30, 15)])
def test_flow_is_that_of_gradient_descent(rows, weights):
    """Errors by eigenvalues are those of small steps down the same loss, row by row."""
    snr, inr, step = 2.0, 0.7, 5e-4
    x, teacher, initial, noise = drawn(rows, weights)
    y = x @ teacher + noise / np.sqrt(snr)
    w = np.sqrt(inr) * initial
    known, known_on_rows = [], []
    for i in range(1, 10_001):
        w += step * x.T @ (y - x @ w)
        if i in (1_000, 10_000):
            known.append(np.mean((w - teacher) ** 2) + 1 / snr)
            known_on_rows.append(np.mean((y - x @ w) ** 2))
    flow = Flow.draw(np.random.default_rng(0), rows, weights)
    times = np.array([0.5, 5.0])
    np.testing.assert_allclose(flow.error(times, snr, inr), known, rtol=2e-3)
    np.testing.assert_allclose(flow.training_error(times, snr, inr), known_on_rows, rtol=2e-3)


@pytest.mark.parametrize(("rows", "weights"), [(6, 15), (30, 15)])
def test_flow_ends_at_least_squares(rows, weights):
    """At t = inf: the solution closest to the start, by the pseudoinverse."""
    snr, inr = 2.0, 0.7
    x, teacher, initial, noise = drawn(rows, weights)
    start = np.sqrt(inr) * initial
    w = start + np.linalg.pinv(x) @ (x @ teacher + noise / np.sqrt(snr) - x @ start)
    flow = Flow.draw(np.random.default_rng(0), rows, weights)
    found = flow.error(np.array([np.inf]), snr, inr)
    assert found == pytest.approx(np.mean((w - teacher) ** 2) + 1 / snr, rel=1e-8)
    residual = np.mean((x @ (teacher - w) + noise / np.sqrt(snr)) ** 2)
    found = flow.training_error(np.array([np.inf]), snr, inr)
    assert found == pytest.approx(residual, rel=1e-8, abs=1e-12)


def test_simulation_follows_theory():
    """Within five standard errors at alpha = 1/2 and 2, plus O(1/N)."""
    options = {**SMALL, "alphas": [0.5, 2.0], "times": [1.0, 5.0], "weights": 100, "draws": 3}
    tables = [pd.DataFrame(linear_generalization_dynamics(s, **options)) for s in range(100, 108)]
    keys = ["alpha", "snr", "inr", "time"]
    rows = pd.concat(tables, keys=range(8), names=["seed"]).reset_index("seed")
    for quantity in ("error", "training_error", "final_error", "stopped_error"):
        both = rows[rows["quantity"].isin([quantity, f"predicted_{quantity}"])]
        cells = both.groupby(["quantity", *keys], dropna=False)["value"].agg(["mean", "std"])
        found, known = cells.loc[quantity], cells.loc[f"predicted_{quantity}", "mean"]
        assert len(found) == len(known) > 0
        bound = 5 * found["std"] / np.sqrt(8) + known * 3 / 100
        assert ((found["mean"] - known).abs() < bound).all(), quantity
    times = rows[rows["quantity"].isin(["stopping_time", "predicted_stopping_time"])]
    means = times.groupby(["alpha", "snr", "quantity"])["value"].mean().unstack()
    np.testing.assert_allclose(means["stopping_time"], means["predicted_stopping_time"], rtol=0.2)


def test_records_are_deterministic_and_complete():
    records = linear_generalization_dynamics(1, **SMALL)
    assert records == linear_generalization_dynamics(1, **SMALL)
    assert records != linear_generalization_dynamics(2, **SMALL)
    table = pd.DataFrame(records)
    assert np.isfinite(table["value"]).all()
    counts = table["quantity"].value_counts()
    assert counts["error"] == counts["predicted_training_error"] == 3 * 2 * 2 * 2
    assert counts["final_error"] == counts["predicted_final_error"] == 2 * 2 * 2
    assert counts["stopping_time"] == counts["predicted_stopped_error"] == 3 * 2
    frozen = table[table["quantity"] == "frozen_change"]
    assert sorted(frozen["optimizer"]) == ["adam", "sgd"]
    assert set(frozen["alpha"]) == {0.5}


def test_no_students_with_fewer_rows_than_weights():
    table = pd.DataFrame(linear_generalization_dynamics(1, **{**SMALL, "alphas": [2.0]}))
    assert "frozen_change" not in set(table["quantity"])
    with pytest.raises(ConfigError, match="leave no row"):
        linear_generalization_dynamics(1, **{**SMALL, "alphas": [0.01]})


def test_only_gradient_descent_stays_in_the_span_of_the_rows():
    still = frozen_changes(0, [10, 20], 40, "sgd")
    moved = frozen_changes(0, [10, 20], 40, "adam")
    assert max(still) < 1e-12
    assert min(moved) > 0.01


def test_share_outside_a_span():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((3, 8))
    inside = rng.standard_normal(3) @ rows
    outside = np.linalg.svd(rows)[2][-1]
    assert share_outside(inside, rows) == pytest.approx(0, abs=1e-12)
    assert share_outside(outside, rows) == pytest.approx(1)
    mixed = 3 * inside / np.linalg.norm(inside) + 4 * outside
    assert share_outside(mixed, rows) == pytest.approx(0.8)
