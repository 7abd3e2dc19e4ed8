import math

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.special import ive

from dimlaws.errors import ConfigError
from dimlaws.theory.linear_grokking import (
    FOREVER,
    Task,
    accuracy,
    asymptotic_grokking_time,
    expected_loss,
    grokking_time,
    loss_at_accuracy,
    time_of_fall,
)
from dimlaws.theory.marchenko_pastur import expectation

ERF_ROOT_TWO = math.erf(math.sqrt(2))
RATE = 0.01


def training_loss(ratio, time):
    """Equation 9, where 0F1(2; z) = I1(2 sqrt(z)) / sqrt(z), with the growth of I1 taken out."""
    z = 4 * RATE * time * math.sqrt(ratio)
    if z == 0:
        return 1.0
    return 2 * ive(1, 2 * z) / (2 * z) * math.exp(2 * z - 4 * RATE * (1 + ratio) * time)


def delay(task, threshold, ratio, level=ERF_ROOT_TWO):
    return grokking_time(task, threshold, level, lambda f: float(expectation(f, ratio)))


@pytest.mark.parametrize("ratio", [0.1, 0.9, 1.5])
def test_losses_are_those_of_the_closed_form(ratio):
    """Equation 9, and its integral, since the loss of new rows falls at 4 eta times it (eq. 21)."""
    for time in (0.0, 3.0, 100.0, 3000.0):
        found = expected_loss(Task(), ratio, "training", time)
        assert found == pytest.approx(training_loss(ratio, time), rel=1e-8, abs=1e-14)
        fallen = 4 * RATE * quad(lambda t: training_loss(ratio, t), 0, time, limit=200)[0]
        found = expected_loss(Task(), ratio, "generalization", time)
        assert found == pytest.approx(1 - fallen, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("outputs", [1, 3])
def test_memory_solves_the_differential_equation(outputs):
    """Equation 3 in continuous time, for one mode, by SciPy's integrator."""
    task = Task(outputs=outputs, weight_decay=0.3, initial_scale=2.0, learning_rate=0.1)
    nu, start, teacher, end = 0.7, 1.3, -0.4, 9.0
    solved = solve_ivp(
        lambda _, d: -0.1 / outputs * (2 * nu * d + 0.3 * (d + teacher)),
        (0, end),
        [start - teacher],
        rtol=1e-10,
        atol=1e-12,
    ).y[0, -1]
    a, b = task.memory(np.array([nu]), end)
    assert a[0] * start - b[0] * teacher == pytest.approx(solved, rel=1e-7)


@pytest.mark.parametrize("outputs", [1, 2, 30])
def test_accuracy_is_the_share_of_small_errors(outputs):
    loss, threshold, draws = 0.04, 0.05, 20_000
    errors = np.random.default_rng(0).normal(scale=math.sqrt(loss), size=(draws, outputs))
    share = np.mean(np.mean(errors**2, axis=1) <= threshold)
    found = float(accuracy(loss, threshold, outputs))
    assert found == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / draws))
    assert loss_at_accuracy(found, threshold, outputs) == pytest.approx(loss, rel=1e-9)


def test_accuracy_of_one_output():
    assert float(accuracy(0.3, 0.2)) == pytest.approx(math.erf(math.sqrt(0.2 / 0.6)), rel=1e-12)
    assert loss_at_accuracy(ERF_ROOT_TWO, 1e-3) == pytest.approx(1e-3 / 4, rel=1e-9)


def test_delay_approaches_its_limit_from_below():
    """Equation 12 is the limit of small thresholds."""
    limit = asymptotic_grokking_time(0.5)
    shares = [delay(Task(), threshold, 0.5) / limit for threshold in (1e-3, 1e-9, 1e-150)]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1, abs=0.01)
    assert shares[-1] < 1


def test_initial_scale_acts_as_a_threshold():
    """A scale a multiplies both losses by (1 + a^2) / 2 (section 3.1.3)."""
    scaled = delay(Task(initial_scale=3.0), 1e-4, 0.3)
    assert scaled == pytest.approx(delay(Task(), 1e-4 / 5, 0.3), rel=1e-6)


def test_outputs_slow_training_down():
    """With the error per output so small that the chi-square law matters little, k times slower."""
    one, two = (expected_loss(Task(outputs=k), 0.5, "training", 50.0 * k) for k in (1, 2))
    assert two == pytest.approx(one / 2, rel=1e-12)


def test_new_rows_are_never_learnt_with_fewer_rows_than_inputs():
    assert delay(Task(), 1e-3, 1.5) == math.inf
    assert expected_loss(Task(), 1.5, "generalization", FOREVER) == pytest.approx(1 / 3, rel=1e-9)
    # With little decay the student forgets its start, and the teacher's half of the error is left.
    decayed = expected_loss(Task(weight_decay=1e-9), 1.5, "generalization", FOREVER)
    assert decayed == pytest.approx(1 / 6, rel=1e-5)


@pytest.mark.parametrize("ratio", [0.2, 0.5])
def test_final_loss_with_small_decay(ratio):
    """E[1/nu^2] = (1 - c)^-3 gives gamma^2 / 8 (1 - c)^3: half of what equation 16 says."""
    found = expected_loss(Task(weight_decay=1e-5), ratio, "generalization", FOREVER)
    assert found == pytest.approx(1e-10 / (8 * (1 - ratio) ** 3), rel=1e-3)


def test_time_of_fall():
    def curve(time):
        return math.exp(-time) + 0.1

    assert time_of_fall(curve, 0.6, 1e-6) == pytest.approx(math.log(2), rel=1e-9)
    assert time_of_fall(curve, 0.6, 1e6) == pytest.approx(math.log(2), rel=1e-9)
    assert time_of_fall(curve, 1.1, 1.0) == 0
    assert time_of_fall(curve, 0.05, 1.0) == math.inf
    with pytest.raises(ConfigError, match="below 1"):
        asymptotic_grokking_time(1.0)
