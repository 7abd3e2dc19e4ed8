import numpy as np
import pytest
from scipy.optimize import linprog

from dimlaws.theory.representation_game import mixed_regret, pure_regret

SPECTRA = [[3.0, 2.0, 1.0], [5.0, 1.0, 0.9, 0.8, 0.1], [2.0] * 4, list(np.geomspace(1e-3, 4, 7))]


def games():
    return [(np.array(values), r) for values in SPECTRA for r in range(1, len(values))]


@pytest.mark.parametrize(("values", "rank"), games())
def test_mixed_regret_solves_the_linear_program(values, rank):
    """Least t with 0 <= q <= 1, λ_i q_i <= t and Σ q = d - r: diagonals of 1 - Π are enough."""
    d = len(values)
    solved = linprog(
        [*np.zeros(d), 1.0],
        A_ub=np.column_stack([np.diag(values), -np.ones(d)]),
        b_ub=np.zeros(d),
        A_eq=[[*np.ones(d), 0.0]],
        b_eq=[d - rank],
        bounds=[(0, 1)] * d + [(0, None)],
    )
    assert mixed_regret(values, rank) == pytest.approx(solved.fun, rel=1e-9)


@pytest.mark.parametrize(("values", "rank"), games())
def test_no_representation_does_better_against_the_task_player(values, rank):
    """Tasks along the first l axes, with probabilities ~ 1 / λ_i, lose at least the value.

    A lower bound by other means: the least mean regret against a matrix of tasks is the sum of its
    d - r smallest eigenvalues (Ky Fan).
    """
    falling = np.sort(values)[::-1]
    bounds = []
    for used in range(rank + 1, len(values) + 1):
        tasks = 1.0 / falling[:used] / np.sum(1.0 / falling[:used])
        losses = np.zeros(len(values))
        losses[:used] = tasks * falling[:used]
        bounds.append(np.sum(np.sort(losses)[: len(values) - rank]))
    assert mixed_regret(values, rank) == pytest.approx(max(bounds), rel=1e-12)
    assert mixed_regret(values, rank) < pure_regret(values, rank)


def test_small_cases():
    assert pure_regret(np.array([1.0, 3.0, 2.0]), 1) == 2.0
    # Parallel resistors: two axes and one feature.
    assert mixed_regret(np.array([3.0, 6.0]), 1) == pytest.approx(2.0)
    # Equal axes are left out equally often.
    assert mixed_regret(np.full(8, 5.0), 2) == pytest.approx(5.0 * 6 / 8)
    # An axis that hardly matters is never kept.
    assert mixed_regret(np.array([4.0, 4.0, 0.1]), 1) == pytest.approx(2.0)
