"""How many dimensions a test of membership in a bundle needs, and two other memories."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dimlaws.errors import ConfigError
from dimlaws.laws.crossing import crossing_point
from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.theory.vector_symbolic import (
    bloom_filter_bits,
    integer_bundle_dimension,
    sign_agreement,
    sign_bundle_dimension,
)
from dimlaws.types import Fraction, PositiveFloat, PositiveInt

BUNDLES = ("MAP-I", "MAP-B")
BLOCKS = 10
"""Dimensions are tried in steps of a tenth of what theory says that MAP-I needs."""

QUERIES = 500
"""Queries per Bloom filter, and half of the vectors tested per bundle at most."""

MARGINS = np.linspace(0.7, 1.3, 13)
"""Sizes of Bloom filters that are tried, over the size that theory says."""

PROBES, UPDATES, RETRIEVED = 20, 50, 0.9

Floats = npt.NDArray[np.float64]


def vector_symbolic_capacity(
    seed: int,
    *,
    items: list[PositiveInt],
    loads: list[PositiveFloat],
    error: Fraction = 0.01,
    tests: PositiveInt = 10000,
    neurons: PositiveInt = 1000,
) -> list[Record]:
    """Smallest memories that answer "is this one of the n?" with a given error.

    Index columns: ``architecture`` and ``items`` n. Quantities: ``min_dim``, the smallest dimension
    (of ``MAP-I`` and ``MAP-B`` bundles) or number of bits (``Bloom``) with that error, and
    ``predicted_dim`` (see ``theory.vector_symbolic``). Bundles are tested with as many members as
    other vectors, against the level midway between the two mean scores; of a Bloom filter the
    error is that of other items, since members are never missed.

    For comparison a Hopfield network: ``lost`` per ``load``, the share of stored patterns that its
    dynamics leaves by more than an overlap of 0.9; and ``hopfield_capacity``, the load (patterns
    per neuron) at which half of them are lost.

    Parameters
    ----------
    items : numbers n of items in the set.
    loads : patterns per neuron of the Hopfield network, ascending; the first must lose less than
        half of its patterns and the last more.
    error : probability of a wrong answer that is allowed, above 0 and below 1/2.
    tests : number of answers that an error is estimated from.
    neurons : number of neurons of the Hopfield network.
    """
    if not 0 < error < 0.5 or min(items) < 3 or sorted(set(loads)) != loads:
        raise ConfigError(
            f"vector_symbolic_capacity: error {error}, items {items}, loads {loads}; valid: an "
            "error between 0 and 1/2, 3 items or more, and ascending loads"
        )
    records: list[Record] = []
    for n in items:
        rng = np.random.default_rng(stream(seed, "bundles", [n, error]))
        found = {
            **_bundles(rng, n, error, tests),
            "Bloom": (_bloom(rng, n, error, tests), bloom_filter_bits(n, error)),
        }
        for architecture, (measured, predicted) in found.items():
            index = {"architecture": architecture, "items": n}
            records.append({**index, "quantity": "min_dim", "value": measured})
            records.append({**index, "quantity": "predicted_dim", "value": predicted})
    rng = np.random.default_rng(stream(seed, "hopfield", neurons))
    lost = [_lost(rng, neurons, load) for load in loads]
    records += [
        {"load": load, "quantity": "lost", "value": share}
        for load, share in zip(loads, lost, strict=True)
    ]
    capacity = crossing_point(np.array(loads), np.array(lost), 0.5, "load")
    return [*records, {"quantity": "hopfield_capacity", "value": capacity}]


def bundle_errors(
    rng: np.random.Generator, items: int, dims: Sequence[int], tests: int
) -> dict[str, Floats]:
    """Return the share of wrong answers of MAP-I and MAP-B bundles at each of ``dims``.

    Coordinates are independent, so the first d of the longest vectors are vectors of length d.
    ``dims`` must be the multiples of the first of them.
    """
    step = dims[0]
    levels = np.outer(dims, [0.5, 0.5 * sign_agreement(items)])[:, None]
    bundles = math.ceil(tests / (2 * items))
    wrong = np.zeros((len(dims), len(BUNDLES)))
    for _ in range(bundles):
        atoms = rng.integers(0, 2, (2 * items, dims[-1]), dtype=np.int8) * 2 - 1
        total = atoms[:items].sum(axis=0, dtype=np.int64)
        signs = np.where(total, np.sign(total), 2 * rng.integers(0, 2, dims[-1]) - 1)
        memory = np.stack([total, signs], axis=-1).astype(np.float32)
        # [dims, vectors, bundles]: scores of each block of coordinates, then of all up to it.
        blocks = atoms.astype(np.float32).reshape(2 * items, len(dims), step).swapaxes(0, 1)
        scores = np.cumsum(blocks @ memory.reshape(len(dims), step, 2), axis=0, dtype=np.float64)
        above = np.sign(scores - levels)
        wrong += (1 - above[:, :items]).sum(axis=1) / 2 + (1 + above[:, items:]).sum(axis=1) / 2
    return dict(zip(BUNDLES, wrong.T / (2 * items * bundles), strict=True))


def _bundles(
    rng: np.random.Generator, items: int, error: float, tests: int
) -> dict[str, tuple[float, float]]:
    predicted = {
        "MAP-I": integer_bundle_dimension(items, error),
        "MAP-B": sign_bundle_dimension(items, error),
    }
    step = max(1, round(predicted["MAP-I"] / BLOCKS))
    dims = range(step, int(1.4 * predicted["MAP-B"]) + step, step)
    x = np.array(dims, dtype=np.float64)
    errors = bundle_errors(rng, items, dims, tests)
    return {
        name: (crossing_point(x, 1 - errors[name], 1 - error, "dimension"), predicted[name])
        for name in BUNDLES
    }


def _bloom(rng: np.random.Generator, items: int, error: float, tests: int) -> float:
    """Return the smallest number of bits with ``error`` false positives."""
    hashes = max(1, round(math.log2(1 / error)))
    filters = math.ceil(tests / QUERIES)
    # Hash values in [0, 1), scaled to the number of bits, so that all sizes share them.
    stored = rng.random((filters, items * hashes))
    asked = rng.random((filters, QUERIES, hashes))
    sizes = np.unique(np.rint(MARGINS * bloom_filter_bits(items, error)))
    rejected = []
    for bits in sizes.astype(np.int64):
        table = np.zeros((filters, bits), dtype=np.bool_)
        rows = np.arange(filters)[:, None]
        table[rows, (stored * bits).astype(np.int64)] = True
        positive = table[rows[:, :, None], (asked * bits).astype(np.int64)].all(axis=2)
        rejected.append(1 - positive.mean())
    return crossing_point(sizes, np.array(rejected), 1 - error, "number of bits")


def _lost(rng: np.random.Generator, neurons: int, load: float) -> float:
    """Return the share of patterns that a Hopfield network, started on them, leaves."""
    patterns = rng.choice(np.array([-1, 1], np.float32), (round(load * neurons), neurons))
    start = patterns[:PROBES]
    state = before = start
    for _ in range(UPDATES):
        field = (state @ patterns.T) @ patterns - np.float32(len(patterns)) * state
        updated = np.where(field == 0, state, np.sign(field))
        # Updates of all neurons at once end in a fixed point or a cycle of two.
        if np.array_equal(updated, before):
            break
        before, state = state, updated
    overlap = np.einsum("pn,pn->p", start, state) / neurons
    return float(np.mean(overlap < RETRIEVED))
