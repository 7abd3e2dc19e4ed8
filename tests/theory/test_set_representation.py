import itertools

import numpy as np
import pytest

from dimlaws.theory.set_representation import jacobian_rank, smallest_power_width


@pytest.mark.parametrize(("n", "d", "directions"), [(2, 2, 1), (3, 2, 2), (3, 2, 4), (4, 3, 2)])
def test_rank_of_power_sums_by_finite_differences(n, d, directions):
    """NumPy's rank of central differences of the power sums, without their derivative."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((n, d)), rng.standard_normal((directions, d))

    def sums(flat):
        z = flat.reshape(n, d) @ w.T
        return np.concatenate([(z**power).sum(0) for power in range(1, n + 1)])

    columns = [
        (sums(x.ravel() + step) - sums(x.ravel() - step)) / 2e-6 for step in 1e-6 * np.eye(n * d)
    ]
    found = np.linalg.matrix_rank(np.array(columns), tol=1e-5)
    assert found == jacobian_rank(n * directions, n, d)


def test_fewer_directions_than_the_bound_leave_pairings_open():
    """With D directions, sets of exchanged coordinates have equal sums; with D + 1 they do not."""
    n, d = 3, 2
    rng = np.random.default_rng(1)
    x = rng.standard_normal((n, d))
    sets = [
        np.column_stack([x[:, 0], x[list(order), 1]]) for order in itertools.permutations((0, 1, 2))
    ]
    powers = np.arange(1, n + 1)[:, None, None]
    bound = smallest_power_width(n, d) // n
    for directions, different in ((bound - 1, 1), (bound, len(sets))):
        w = np.vstack([np.eye(d), rng.standard_normal((1, d))])[:directions]
        embedded = {tuple(((s @ w.T) ** powers).sum(1).ravel().round(8)) for s in sets}
        assert len(embedded) == different
