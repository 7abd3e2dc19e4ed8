import numpy as np
import pandas as pd
import pytest
from scipy.linalg import sqrtm

from dimlaws.errors import ConfigError
from dimlaws.studies.representation_game import least_regret, regret, representation_game
from dimlaws.theory.representation_game import mixed_regret, pure_regret


def matrices(dim, seed):
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((2, 2 * dim, dim))
    covariance, shape = (f.T @ f / dim for f in factors)
    return rng, covariance, shape


def test_regret_is_that_of_least_squares():
    """The loss of the best predictors from R^T x and from x, for the worst of many tasks."""
    rng, covariance, shape = matrices(4, 0)
    root = np.real(sqrtm(shape))
    atoms = rng.standard_normal((3, 4, 2))
    features = rng.standard_normal((40, 4))
    # Whitened, so that sample moments are exact.
    features = np.linalg.qr(features)[0] @ np.linalg.cholesky(covariance).T
    directions = rng.standard_normal((4000, 4))
    tasks = directions / np.linalg.norm(directions, axis=1, keepdims=True) @ root
    assert np.einsum("ti,ij,tj->t", tasks, np.linalg.inv(shape), tasks) == pytest.approx(1.0)
    answers = features @ tasks.T
    losses = np.zeros(len(tasks))
    for atom in atoms:
        kept = features @ atom
        fitted = kept @ np.linalg.lstsq(kept, answers, rcond=None)[0]
        losses += np.sum((answers - fitted) ** 2, axis=0) / len(atoms)
    found = regret(covariance, root, atoms)
    assert losses.max() <= found * (1 + 1e-9)
    assert losses.max() == pytest.approx(found, rel=0.02)


@pytest.mark.parametrize("rank", [1, 2, 4])
def test_descent_ends_at_the_closed_forms(rank):
    rng, covariance, shape = matrices(5, rank)
    root = np.real(sqrtm(shape))
    eigenvalues = np.linalg.eigvalsh(root @ covariance @ root)
    pure = least_regret(rng, covariance, root, rank, atoms=1)
    mixed = least_regret(rng, covariance, root, rank, atoms=5)
    assert pure == pytest.approx(pure_regret(eigenvalues, rank), rel=1e-4)
    assert mixed == pytest.approx(mixed_regret(eigenvalues, rank), rel=5e-3)
    assert mixed >= mixed_regret(eigenvalues, rank) * (1 - 1e-9)


def test_records():
    rows = pd.DataFrame(representation_game(3, rank=1, dim=4, games=2))
    regrets = rows[rows["quantity"] == "regret"].set_index("strategy")["value"]
    assert (
        regrets["mixed"] < regrets["pure"] < min(regrets["random"], regrets["principal_components"])
    )
    shares = rows[rows["strategy"].isna()].set_index("quantity")["value"]
    assert shares.to_dict() == {"mixed_at_most_pure": 1.0, "mixed_below_pure": 1.0}
    again = pd.DataFrame(representation_game(3, rank=1, dim=4, games=2))
    pd.testing.assert_frame_equal(rows, again)
    with pytest.raises(ConfigError, match="rank < dim"):
        representation_game(0, rank=4, dim=4)
