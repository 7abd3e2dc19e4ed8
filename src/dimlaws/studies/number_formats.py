"""How well vectors of few-bit numbers keep directions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dimlaws.seeds import stream
from dimlaws.studies import Record
from dimlaws.theory.quantization import (
    lloyd_max_levels,
    mean_square_error,
    quantized_cosine,
    rate_distortion_error,
)
from dimlaws.types import PerRun, PositiveInt

Floats = npt.NDArray[np.float64]

CHUNK = 1 << 19
"""Numbers that are sorted at a time."""

BITS = (1, 2, 3, 4)


@dataclass(frozen=True)
class Alphabet:
    """Magnitudes that the numbers of a vector can take beside 0, ascending, by sign."""

    positive: Floats
    negative: Floats

    @classmethod
    def of(cls, positive: list[float], negative: list[float] | None = None) -> "Alphabet":
        """Return the alphabet, symmetric without ``negative``.

        The shorter side repeats its last level, which changes nothing.
        """
        sides = [positive, positive if negative is None else negative]
        length = max(len(side) for side in sides)
        padded = np.array(
            [[*side, *side[-1:] * (length - len(side))] for side in sides], dtype=float
        )
        return cls(*padded)


FORMATS = {
    "int4": Alphabet.of([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7, 8]),
    "e2m1": Alphabet.of([0.5, 1, 1.5, 2, 3, 4, 6]),
    "e3m0": Alphabet.of([1, 2, 4, 8, 16, 32, 64]),
}
"""Two's complement, and floating point with 2 or 3 bits of exponent (NVFP4 and MXFP4: E2M1)."""

OPTIMIZED = {
    4: Alphabet.of([1, 2.2121, 3.6240, 5.2321, 7.2528, 9.5026, 11.7082]),
    8: Alphabet.of([1, 2.2589, 3.6560, 5.4272, 7.5370, 10.5404, 12.9878]),
    16: Alphabet.of([1, 2.1206, 3.4016, 5.0364, 7.2473, 10.4646, 13.1779]),
    32: Alphabet.of([1, 2.4140, 3.8646, 5.5667, 7.7813, 10.6908, 15.5685]),
    64: Alphabet.of([1, 1.9383, 3.2493, 4.8247, 6.9011, 9.8598, 14.9386]),
}
"""By block dimension: what Zadeh & Constantinides (2026) found to have the least worst-case error
(github.com/bardia01/Direction-Preserving-Number-Representations, final_optimized_code_details)."""


def number_formats(
    seed: int, *, dim: PerRun[PositiveInt], directions: PositiveInt = 2000
) -> list[Record]:
    """Angles between random directions and their nearest neighbours among vectors of few bits.

    Index columns ``alphabet``, of four bits, and ``scaling``: ``nearest`` takes the scale of a
    vector that gives the least angle (Zadeh & Constantinides 2026), ``block_maximum`` takes its
    largest magnitude to the largest level, as in practice. Quantities: ``worst_angle`` and
    ``mean_angle`` over the directions, in degrees.

    Index columns ``code`` and ``bits``: ``mean_cosine`` of the code ``lloyd_max``, whose levels are
    the best for single normal numbers, at the scale where numbers have mean square 1, with
    ``predicted_cosine`` for long vectors; ``mean_cosine`` of ``rate_distortion`` is what no code
    of long vectors exceeds.

    Parameters
    ----------
    dim : dimension d of a block that shares its scale: 4, 8, 16, 32 or 64.
    directions : number of random directions.
    """
    rng = np.random.default_rng(stream(seed, "directions", dim))
    vectors = rng.standard_normal((directions, dim))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    records: list[Record] = []
    for name, alphabet in {**FORMATS, "optimized": OPTIMIZED[dim]}.items():
        for scaling, cosines in (
            ("nearest", nearest_cosines(vectors, alphabet)),
            ("block_maximum", block_maximum_cosines(vectors, alphabet)),
        ):
            angles = np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))
            found = {"worst_angle": angles.max(), "mean_angle": angles.mean()}
            records += [
                {"alphabet": name, "scaling": scaling, "quantity": key, "value": float(value)}
                for key, value in found.items()
            ]
    for bits in BITS:
        levels = lloyd_max_levels(2**bits)
        cosine = float(rounded_cosines(vectors * np.sqrt(dim), levels).mean())
        predicted = quantized_cosine(mean_square_error(levels))
        bound = quantized_cosine(rate_distortion_error(bits))
        records += [
            {"code": "lloyd_max", "bits": bits, "quantity": "mean_cosine", "value": cosine},
            {"code": "lloyd_max", "bits": bits, "quantity": "predicted_cosine", "value": predicted},
            {"code": "rate_distortion", "bits": bits, "quantity": "mean_cosine", "value": bound},
        ]
    return records


def nearest_cosines(vectors: Floats, alphabet: Alphabet) -> Floats:
    """Return the largest cosine of each vector [N, d] with a vector of letters.

    The nearest such vector is a rounding of x / s to the nearest letters for some scale s > 0. As
    s falls, one number after the other moves up a level, at s = |x_i| / midpoint. So all roundings
    are met by sorting these, and products and squared norms follow by cumulated sums.
    """
    cosines = np.empty(len(vectors))
    step = max(1, CHUNK // (vectors.shape[1] * len(alphabet.positive)))
    sides = np.stack([alphabet.negative, alphabet.positive])
    below = np.concatenate([np.zeros((2, 1)), sides[:, :-1]], axis=1)
    for start in range(0, len(vectors), step):
        rows = vectors[start : start + step]
        sign = (rows > 0).astype(np.int64)
        magnitudes = np.abs(rows)[:, :, None]  # [N, d, 1], against levels [N, d, levels]
        moves = ((sides + below) / 2)[sign] / magnitudes
        order = np.argsort(moves.reshape(len(rows), -1), axis=1)
        product = (magnitudes * (sides - below)[sign]).reshape(len(rows), -1)
        square = (sides**2 - below**2)[sign].reshape(len(rows), -1)
        products = np.cumsum(np.take_along_axis(product, order, axis=1), axis=1)
        squares = np.cumsum(np.take_along_axis(square, order, axis=1), axis=1)
        best = np.max(products / np.sqrt(squares), axis=1)
        cosines[start : start + step] = best / np.linalg.norm(rows, axis=1)
    return cosines


def block_maximum_cosines(vectors: Floats, alphabet: Alphabet) -> Floats:
    """Return the cosine of each vector with its rounding, its largest number at the top level.

    The top level is that of the positive side, so that no number of either sign is cut off.
    """
    letters = np.concatenate([-alphabet.negative[::-1], [0.0], alphabet.positive])
    scaled = vectors * (alphabet.positive[-1] / np.abs(vectors).max(axis=1, keepdims=True))
    return rounded_cosines(scaled, letters)


def rounded_cosines(vectors: Floats, levels: Floats) -> Floats:
    """Return the cosine of each vector with its rounding to the nearest of ascending ``levels``."""
    rounded = levels[np.searchsorted((levels[1:] + levels[:-1]) / 2, vectors)]
    norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(rounded, axis=1)
    cosines: Floats = np.sum(vectors * rounded, axis=1) / norms
    return cosines
