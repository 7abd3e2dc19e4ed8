"""The game between a representation and a class of linear tasks, played by descent."""

import numpy as np
import numpy.typing as npt
from scipy.linalg import sqrtm
from scipy.optimize import minimize

from dimlaws.errors import ConfigError
from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.theory.representation_game import mixed_regret, pure_regret
from dimlaws.types import PerRun, PositiveInt

Floats = npt.NDArray[np.float64]

POWERS = (8.0, 64.0, 512.0)
"""Powers p of the Schatten norms that stand for the largest eigenvalue, which they exceed by a
factor d^(1/p) at most: 0.5 % at the last for 16 dimensions."""

MARGIN = 0.01
"""A regret is strictly below another if it is so by more than this share of it."""


def representation_game(
    seed: int, *, rank: PerRun[PositiveInt], dim: PositiveInt = 8, games: PositiveInt = 4
) -> list[Record]:
    """Regret of the worst task for the best and for other representations, on random games.

    The covariance Σ of the features and the shape S of the class of tasks are Wishart matrices of
    2 d degrees of freedom. See ``theory.representation_game`` for the regret.

    Index column ``strategy``, means over the games: ``regret`` of ``pure`` and ``mixed``, found by
    descent over one representation and over d equally probable ones, of ``random``, a Gaussian
    representation, and of ``principal_components``, those of Σ, which do not know S;
    ``predicted_regret`` of ``pure`` and ``mixed``, and ``largest_error``, the largest relative
    error over the games. Also, as shares of the games: ``mixed_at_most_pure`` and
    ``mixed_below_pure`` by 1 % or more, by descent.

    Parameters
    ----------
    rank : number r of features that a representation keeps, less than ``dim``.
    dim : number d of features.
    games : number of games.
    """
    if rank >= dim:
        raise ConfigError(f"representation_game: rank {rank} with dim {dim}; valid: rank < dim")
    rng = np.random.default_rng(stream(seed, "representation game", [dim, rank]))
    played = [_play(rng, dim, rank) for _ in range(games)]
    regrets = {name: np.array([game[name] for game in played]) for name in played[0]}
    pure, mixed = regrets["pure"], regrets["mixed"]
    records: list[Record] = [
        {"strategy": name, "quantity": "regret", "value": float(regrets[name].mean())}
        for name in ("pure", "mixed", "random", "principal_components")
    ]
    for name in ("pure", "mixed"):
        predicted = regrets[f"predicted_{name}"]
        error = float(np.abs(regrets[name] / predicted - 1.0).max())
        value = float(predicted.mean())
        records.append({"strategy": name, "quantity": "predicted_regret", "value": value})
        records.append({"strategy": name, "quantity": "largest_error", "value": error})
    below = {"mixed_at_most_pure": pure, "mixed_below_pure": (1.0 - MARGIN) * pure}
    records += [
        {"quantity": name, "value": float(np.mean(mixed <= bound))} for name, bound in below.items()
    ]
    return records


def _play(rng: np.random.Generator, dim: int, rank: int) -> dict[str, float]:
    """Return the regret of every strategy in one random game, and both predictions."""
    covariance, shape = (_wishart(rng, dim) for _ in range(2))
    root: Floats = np.real(sqrtm(shape))
    eigenvalues = np.linalg.eigvalsh(root @ covariance @ root).astype(np.float64)
    principal = np.linalg.eigh(covariance)[1][:, -rank:]
    gaussian = rng.standard_normal((dim, rank))
    return {
        "pure": least_regret(rng, covariance, root, rank, atoms=1),
        "mixed": least_regret(rng, covariance, root, rank, atoms=dim),
        "random": regret(covariance, root, gaussian[None]),
        "principal_components": regret(covariance, root, principal[None]),
        "predicted_pure": pure_regret(eigenvalues, rank),
        "predicted_mixed": mixed_regret(eigenvalues, rank),
    }


def _wishart(rng: np.random.Generator, dim: int) -> Floats:
    factor = rng.standard_normal((2 * dim, dim))
    return factor.T @ factor / (2 * dim)


def regret(covariance: Floats, root: Floats, atoms: Floats) -> float:
    """Return the largest mean regret of a task over representations ``atoms`` [K, d, r].

    ``root`` is S^½ [d, d].
    """
    matrices = _regret_matrices(covariance, root, atoms)
    return float(np.linalg.eigvalsh(matrices.mean(axis=0))[-1])


def least_regret(
    rng: np.random.Generator, covariance: Floats, root: Floats, rank: int, *, atoms: int
) -> float:
    """Return the regret found by descent over ``atoms`` equally probable representations.

    One atom is a pure strategy. (Free probabilities end at 0 for most atoms, for good.) The
    largest eigenvalue is approached through Schatten norms of rising power, each by quasi-Newton
    descent from where the last one ended.
    """
    size = (atoms, len(covariance), rank)
    point = rng.standard_normal(size).ravel()

    def objective(point: Floats, power: float) -> tuple[float, Floats]:
        representations = point.reshape(size)
        matrices = _regret_matrices(covariance, root, representations)
        values, vectors = np.linalg.eigh(matrices.mean(axis=0))
        relative = np.clip(values / values[-1], 0.0, None)
        total = float(np.sum(relative**power))
        # Gradient of the norm in the mean regret matrix, then in what that is made of.
        slope = (vectors * (relative ** (power - 1.0) * total ** (1.0 / power - 1.0))) @ vectors.T
        task = covariance @ root @ slope @ root @ covariance
        image = covariance @ representations
        inverse = np.linalg.inv(representations.transpose(0, 2, 1) @ image)
        pulled = task @ representations
        fitted = image @ (inverse @ (representations.transpose(0, 2, 1) @ pulled))
        in_atoms = -2.0 / atoms * ((pulled - fitted) @ inverse)
        return float(values[-1]) * total ** (1.0 / power), in_atoms.ravel()

    for power in POWERS:
        point = minimize(
            objective, point, args=(power,), jac=True, method="L-BFGS-B", options={"maxiter": 500}
        ).x
    return regret(covariance, root, point.reshape(size))


def _regret_matrices(covariance: Floats, root: Floats, atoms: Floats) -> Floats:
    """Return S^½ (Σ - Σ R (R^T Σ R)^-1 R^T Σ) S^½ [K, d, d] of every atom R."""
    image = covariance @ atoms
    explained = image @ np.linalg.solve(atoms.transpose(0, 2, 1) @ image, image.transpose(0, 2, 1))
    matrices: Floats = root @ (covariance - explained) @ root
    return matrices
