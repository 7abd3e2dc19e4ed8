"""Vectors of documents and queries optimized directly, for many settings side by side."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import torch

from dimlaws.seeds import stream

Subset = tuple[int, ...]


@dataclass(frozen=True)
class Setting:
    """Every query must score its own k of n documents above all others, with vectors in R^dim.

    ``queries`` lists the k documents of each query.
    """

    documents: int
    dim: int
    queries: tuple[Subset, ...]


def subsets(
    documents: int, relevant: int, seed: int, limit: int | None = None
) -> tuple[Subset, ...]:
    """Return all subsets of ``relevant`` documents, or ``limit`` random ones where there are more.

    They do not depend on anything but the arguments.
    """
    if limit is None or math.comb(documents, relevant) <= limit:
        return tuple(combinations(range(documents), relevant))
    rng = np.random.default_rng(stream(seed, "subsets", [documents, relevant]))
    drawn: set[Subset] = set()
    while len(drawn) < limit:
        drawn.add(tuple(sorted(rng.choice(documents, relevant, replace=False).tolist())))
    return tuple(sorted(drawn))


class FreeEmbeddings:
    """Unit vectors of several settings, padded to one shape, and their training by Adam.

    ``infonce`` is the mean over relevant pairs of the cross-entropy of the softmax of score / T
    over all documents; ``sigmoid`` the sum over all pairs of the logistic loss of ± score / T.
    After each step the vectors are normalized again, as in the code of Weller et al. (2025) and of
    Bangachev et al. (2026). With ``learn_temperature`` Adam also moves log T, or 1/T for the
    sigmoid, as the latter do. Padding has no gradient and Adam treats each number by itself, so a
    setting is trained as if it were alone.
    """

    def __init__(
        self,
        settings: Sequence[Setting],
        seed: int,
        *,
        loss: Literal["infonce", "sigmoid"] = "infonce",
        temperature: float = 0.1,
        learn_temperature: bool = False,
    ) -> None:
        rows = max(len(s.queries) for s in settings)
        columns, dim = max(s.documents for s in settings), max(s.dim for s in settings)
        self._relevant = torch.zeros(len(settings), rows, columns, dtype=torch.bool)
        self._valid = torch.zeros_like(self._relevant)
        queries = torch.zeros(len(settings), rows, dim)
        documents = torch.zeros(len(settings), columns, dim)
        for m, s in enumerate(settings):
            index = torch.tensor(s.queries)
            self._relevant[m, torch.arange(len(index))[:, None], index] = True
            self._valid[m, : len(index), : s.documents] = True
            content = [s.documents, s.dim, index.shape[1]]
            rng = np.random.default_rng(stream(seed, "embeddings", content))
            for vectors, count in ((queries, len(index)), (documents, s.documents)):
                vectors[m, :count, : s.dim] = torch.from_numpy(rng.standard_normal((count, s.dim)))
        self._learn_temperature = learn_temperature
        self._sigmoid = loss == "sigmoid"
        start = 1 / temperature if self._sigmoid else -math.log(temperature)
        self._scaling = torch.full((len(settings), 1, 1), start)
        self._vectors = [queries, documents]
        self._normalize()
        parameters = [*self._vectors, *([self._scaling] if learn_temperature else [])]
        self._adam = torch.optim.Adam(parameters, foreach=True)
        per_query = self._relevant.sum(2, keepdim=True)
        total = per_query.sum(1, keepdim=True)
        # Of padding nothing counts: neither a whole row nor a column of a real one.
        self._weight = self._valid / (1 if self._sigmoid else total)
        self._target = self._relevant / per_query.clamp_min(1)
        self._row_weight = per_query / total
        self._mask = torch.where(self._valid, 0.0, -torch.inf)
        self._mask[~self._valid.any(2)] = 0.0

    def step(self, learning_rate: float) -> None:
        """Make one step of Adam on all pairs."""
        queries, documents = self._vectors
        scale = self._scale()
        logits = scale * self._scores()
        if self._sigmoid:
            slope = (torch.sigmoid(logits) - self._relevant.float()) * self._weight
        else:
            slope = (torch.softmax(logits + self._mask, 2) - self._target) * self._row_weight
        if self._learn_temperature:
            moved = (slope * logits).sum((1, 2), keepdim=True)
            self._scaling.grad = moved / scale if self._sigmoid else moved
        slope = scale * slope
        queries.grad, documents.grad = slope @ documents, slope.mT @ queries
        self._adam.param_groups[0]["lr"] = learning_rate
        self._adam.step()
        self._normalize()

    def losses(self) -> torch.Tensor:
        """Return the loss [settings]."""
        logits = self._scale() * self._scores()
        if self._sigmoid:
            signed = torch.where(self._relevant, -logits, logits)
            pairs = torch.nn.functional.softplus(signed) * self._weight
        else:
            logs = torch.log_softmax(logits + self._mask, 2)
            pairs = torch.where(self._relevant, -logs, 0.0) * self._weight
        return pairs.sum((1, 2))

    def gaps(self) -> torch.Tensor:
        """Return the least over queries of lowest relevant - highest other score [settings].

        Where it is positive, every query ranks its own documents first.
        """
        lowest, highest = self._extremes()
        return (lowest - highest).amin(1)

    def margins(self) -> torch.Tensor:
        """Return half of the lowest relevant - the highest other score of all queries [settings].

        With one threshold for all queries, it is the distance of every score from that threshold.
        """
        lowest, highest = self._extremes()
        return (lowest.amin(1) - highest.amax(1)) / 2

    def _scale(self) -> torch.Tensor:
        """Return 1/T [settings, 1, 1]."""
        return self._scaling if self._sigmoid else self._scaling.exp()

    def _scores(self) -> torch.Tensor:
        return self._vectors[0] @ self._vectors[1].mT

    def _extremes(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the lowest relevant and the highest other score per query; padding is no limit."""
        scores = self._scores()
        others = self._valid & ~self._relevant
        lowest = torch.where(self._relevant, scores, torch.inf).amin(2)
        return lowest, torch.where(others, scores, -torch.inf).amax(2)

    def _normalize(self) -> None:
        for vectors in self._vectors:
            vectors.div_(vectors.norm(dim=2, keepdim=True).clamp_min(1e-12))
