import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.linalg import expm

from dimlaws.errors import ConfigError
from dimlaws.figures.linear_grokking import draw
from dimlaws.studies.linear_grokking import Student, linear_grokking, wishart_eigenvalues
from dimlaws.theory.linear_grokking import Task

D, N, K = 12, 18, 2
TASK = Task(outputs=K, weight_decay=0.2, initial_scale=1.5, learning_rate=0.1)
TIME, THRESHOLD = 12.0, 0.02


@pytest.mark.parametrize(("inputs", "samples"), [(8, 13), (13, 8)])
def test_eigenvalues_have_the_law_of_those_of_gaussian_rows(inputs, samples):
    rng, draws = np.random.default_rng(0), 400
    ours = np.array([wishart_eigenvalues(rng, inputs, samples) for _ in range(draws)])
    rows = rng.standard_normal((draws, samples, inputs))
    theirs = np.linalg.eigvalsh(rows.transpose(0, 2, 1) @ rows / samples)
    assert ours.shape == theirs.shape
    zeros = max(0, inputs - samples)
    assert np.count_nonzero(ours == 0) == draws * zeros
    for place in (zeros, (zeros + inputs) // 2, -1):
        assert stats.ks_2samp(ours[:, place], theirs[:, place]).pvalue > 0.001
    # E tr S^2 / d = 1 + (d + 1) / N for Gaussian rows.
    squares = np.mean(ours**2, axis=1)
    error = squares.std() / np.sqrt(draws)
    assert squares.mean() == pytest.approx(1 + (inputs + 1) / samples, abs=4 * error)


def explicit(rng):
    """Rows, teacher and student as matrices, and the flow by a matrix exponential."""
    rows = rng.standard_normal((N, D))
    teacher, start = rng.standard_normal((2, D, K)) / np.sqrt(2 * D * K)
    start = 1.5 * start
    sigma = rows.T @ rows / N
    drift = sigma + 0.1 * np.eye(D)  # half the decay
    rest = -0.1 * np.linalg.solve(drift, teacher)
    difference = expm(-2 * 0.1 / K * drift * TIME) @ (start - teacher - rest) + rest
    known, new = rows @ difference, rng.standard_normal((N, D)) @ difference
    return [
        np.mean(known**2),
        np.sum(difference**2) / K,
        np.mean(np.mean(known**2, axis=1) <= THRESHOLD),
        np.mean(np.mean(new**2, axis=1) <= THRESHOLD),
    ]


def test_losses_and_accuracies_have_the_means_of_training_on_rows():
    rng, draws = np.random.default_rng(0), 250
    theirs = np.array([explicit(rng) for _ in range(draws)])
    ours = []
    for seed in range(draws):
        student = Student.draw(seed, TASK, D / N, D, N)
        splits = ("training", "generalization")
        losses = [student.loss(split, TIME) for split in splits]
        ours.append([*losses, *(student.accuracy(split, TIME, THRESHOLD) for split in splits)])
        assert np.mean(student.errors("training", TIME)) == pytest.approx(losses[0], rel=1e-9)
    ours = np.array(ours)
    errors = np.hypot(ours.std(axis=0), theirs.std(axis=0)) / np.sqrt(draws)
    assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < 4 * errors).all()
    assert 0.05 < theirs[:, 3].mean() < theirs[:, 2].mean() < 0.95


OPTIONS = {
    "aspect_ratios": [0.5, 0.7, 1.5],
    "thresholds": [1e-3, 1e-6],
    "outputs": [1, 4],
    "weight_decays": [0.0, 1e-3],
    "initial_scales": [1.0, 5.0],
    "inputs": 150,
    "new_rows": 1000,
    "curve_points": 5,
}


@pytest.fixture(scope="module")
def table():
    tables = [
        pd.DataFrame(linear_grokking(seed, varied=varied, **OPTIONS)).assign(
            seed=seed, measure="linear_grokking", **{"study.varied": varied}
        )
        for seed in range(2)
        for varied in ("samples", "outputs", "decay", "scale")
    ]
    return pd.concat(tables, ignore_index=True)


def test_delays_follow_theory(table):
    rows = table[table["study.varied"] != "outputs"]
    index = ["aspect_ratio", "threshold", "weight_decay", "initial_scale"]
    means = rows.pivot_table(index=index, columns="quantity", values="value")
    found = means.dropna(subset="grokking_time")
    assert (found.index.get_level_values("aspect_ratio") < 1).all()
    np.testing.assert_allclose(found["grokking_time"], found["predicted_grokking_time"], rtol=0.35)
    differences = found["generalization_time"] - found["training_time"]
    np.testing.assert_allclose(found["grokking_time"], differences, rtol=1e-9)
    assert (means["largest_loss_step"].dropna() > 1).all()


def test_times_are_when_accuracy_reaches_the_level(table):
    student = Student.draw(0, Task(), 0.5, 150, 1000)
    rows = table[(table["seed"] == 0) & (table["study.varied"] == "samples")]
    rows = rows[(rows["aspect_ratio"] == 0.5) & (rows["threshold"] == 1e-3)]
    for split in ("training", "generalization"):
        time = rows.loc[rows["quantity"] == f"{split}_time", "value"].item()
        assert student.accuracy(split, 0.99 * time, 1e-3) < 0.95
        assert student.accuracy(split, 1.01 * time, 1e-3) > 0.95


def test_figure(table):
    figure, drawn = draw({"linear_grokking": table})
    assert len(figure.axes) == 6
    assert {"grokking_time", "predicted_grokking_time"} <= set(drawn["quantity"])


def test_more_outputs_than_rows_are_refused():
    with pytest.raises(ConfigError, match="no more than either"):
        linear_grokking(0, varied="outputs", **{**OPTIONS, "outputs": [300]})
