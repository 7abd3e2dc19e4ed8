"""The order in which a run sees its training rows."""

import numpy as np
import numpy.typing as npt

from dimlaws.seeds import stream

_BLOCK_ROWS = 4096


class MinibatchOrder:
    """Random permutations of a run's own rows, one after the other, cut into minibatches.

    The order depends on the seed, the number of rows and the batch size alone: not on how it
    is asked for, nor on other runs. Permutations are drawn in blocks, each from its own child
    of the run's stream, so any step can be reached without drawing the steps before it.
    """

    def __init__(self, rows: npt.NDArray[np.int64], batch_size: int, seed: int) -> None:
        self._rows = rows
        self._batch_size = batch_size
        self._entropy = stream(seed, "order").entropy
        self._epochs = max(1, -(-_BLOCK_ROWS // len(rows)))
        self._last = (-1, np.empty(0, dtype=np.int64))

    def batches(self, first: int, last: int) -> npt.NDArray[np.int64]:
        """Return the rows of steps ``first`` (included) to ``last`` (excluded), ``[steps, B]``."""
        begin, end = first * self._batch_size, last * self._batch_size
        span = self._epochs * len(self._rows)
        low, high = begin // span, -(-end // span)
        blocks = [self._block(number) for number in range(low, high)]
        flat = np.concatenate(blocks)[begin - low * span : end - low * span]
        return flat.reshape(last - first, self._batch_size)

    def _block(self, number: int) -> npt.NDArray[np.int64]:
        if self._last[0] != number:
            child = np.random.SeedSequence(self._entropy, spawn_key=(number,))
            table = np.tile(self._rows, (self._epochs, 1))
            np.random.default_rng(child).permuted(table, axis=1, out=table)
            self._last = (number, table.ravel())
        return self._last[1]
