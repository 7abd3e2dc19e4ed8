"""Optimizers with one learning rate per run, on parameters laid out as ``[M, P]``."""

from typing import Protocol

import torch

from dimlaws.training.recipe import Recipe

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8
# Square roots of exact zeros (pruned weights, dead units) take 20 times as long as others on a CPU;
# this is far too small to change any sum with epsilon.
_TINY = 1e-36


class Optimizer(Protocol):
    """State of one optimizer for the runs of a pack."""

    def step(self, theta: torch.Tensor, gradient: torch.Tensor, rate: torch.Tensor) -> None:
        """Update ``theta [M, P]`` in place; ``rate`` is ``[M, 1]``; ``gradient`` is overwritten."""

    def drop_first(self, count: int) -> None:
        """Forget the first ``count`` runs."""


class SGD:
    """Stochastic gradient descent with heavy-ball momentum and an L2 penalty."""

    def __init__(
        self, theta: torch.Tensor, momentum: float, weight_decay: torch.Tensor | None
    ) -> None:
        self._momentum = momentum
        self._decay = weight_decay
        self._velocity = torch.zeros_like(theta) if momentum else None

    def step(self, theta: torch.Tensor, gradient: torch.Tensor, rate: torch.Tensor) -> None:
        """v <- momentum v + g + decay theta; theta <- theta - rate v (as torch.optim.SGD)."""
        if self._decay is not None:
            gradient.addcmul_(theta, self._decay)
        if self._velocity is not None:
            gradient = self._velocity.mul_(self._momentum).add_(gradient)
        theta.addcmul_(gradient, rate, value=-1.0)

    def drop_first(self, count: int) -> None:
        """Forget the first ``count`` runs."""
        if self._decay is not None:
            self._decay = self._decay[count:]
        if self._velocity is not None:
            self._velocity = self._velocity[count:]


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1) with the decoupled decay of Loshchilov & Hutter 2019."""

    def __init__(self, theta: torch.Tensor, weight_decay: torch.Tensor | None) -> None:
        self._decay = weight_decay
        self._mean = torch.zeros_like(theta)
        self._square = torch.zeros_like(theta)
        self._work = torch.empty_like(theta)
        self._count = 0

    def step(self, theta: torch.Tensor, gradient: torch.Tensor, rate: torch.Tensor) -> None:
        """One step; bias corrections are computed in float64."""
        self._count += 1
        if self._decay is not None:
            theta.mul_(1.0 - rate * self._decay)
        self._mean.lerp_(gradient, 1.0 - _BETA1)
        self._square.mul_(_BETA2).addcmul_(gradient, gradient, value=1.0 - _BETA2)
        correction = (1.0 - _BETA2**self._count) ** 0.5
        torch.add(self._square, _TINY, out=self._work).sqrt_().add_(_EPSILON * correction)
        torch.div(self._mean, self._work, out=self._work)
        theta.addcmul_(self._work, rate, value=-correction / (1.0 - _BETA1**self._count))

    def drop_first(self, count: int) -> None:
        """Forget the first ``count`` runs."""
        if self._decay is not None:
            self._decay = self._decay[count:]
        self._mean = self._mean[count:]
        self._square = self._square[count:]
        self._work = self._work[count:]


def make_optimizer(theta: torch.Tensor, recipes: list[Recipe]) -> Optimizer:
    """Return the optimizer of runs that agree in everything but rate, decay and steps."""
    decay = None
    if any(recipe.weight_decay for recipe in recipes):
        values = [[recipe.weight_decay] for recipe in recipes]
        decay = torch.tensor(values, dtype=theta.dtype, device=theta.device)
    if recipes[0].optimizer == "sgd":
        return SGD(theta, recipes[0].momentum, decay)
    return Adam(theta, decay)
