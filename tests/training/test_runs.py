import numpy as np
import pytest
import torch

from dimlaws.data.realization import Realization
from dimlaws.errors import ConfigError
from dimlaws.training.runs import EnsembleData


def realization(x, y, train=(0, 1, 2), test=(3,)):
    return Realization(x, y, np.array(train, dtype=np.int64), np.array(test, dtype=np.int64))


def floats(rng, n=6, features=(2, 3)):
    return rng.standard_normal((n, *features)).astype(np.float32)


def test_distinct_pools_are_held_once_and_rows_find_their_run():
    rng = np.random.default_rng(0)
    shared, other = floats(rng), floats(rng, n=4)
    y, noisy, y_other = (rng.integers(0, 5, n) for n in (6, 6, 4))
    # Two runs share inputs but not labels; the third has inputs of its own.
    parts = [realization(shared, y), realization(shared, noisy), realization(other, y_other)]
    data = EnsembleData.of([*parts, parts[0]], outputs=5)
    assert data.x.shape == (10, 2, 3)
    assert data.y.shape == (16,)
    rows = np.array([[0, 5], [4, 2], [3, 0], [1, 1]])
    x, labels = data.gather(torch.from_numpy(rows))
    for m, (px, py) in enumerate([(shared, y), (shared, noisy), (other, y_other), (shared, y)]):
        np.testing.assert_array_equal(x[m].numpy(), px[rows[m]])
        np.testing.assert_array_equal(labels[m].numpy(), py[rows[m]])
    x, labels = data.select([2, 1]).gather(torch.from_numpy(rows[[2, 1]]))
    np.testing.assert_array_equal(x[0].numpy(), other[rows[2]])
    np.testing.assert_array_equal(labels[1].numpy(), noisy[rows[1]])


def test_a_single_pool_is_not_copied():
    x = floats(np.random.default_rng(0))
    data = EnsembleData.of([realization(x, np.zeros(6, dtype=np.int64))] * 3, outputs=1)
    assert data.x.data_ptr() == x.ctypes.data


def test_uint8_stays_small_and_is_scaled_after_the_gather():
    x = np.arange(256, dtype=np.uint8)[:, None]
    data = EnsembleData.of([realization(x, np.zeros((256, 2), dtype=np.float32))], outputs=2)
    assert data.x.dtype == torch.uint8
    gathered, y = data.gather(torch.arange(256)[None])
    np.testing.assert_array_equal(gathered[0].numpy(), x.astype(np.float32) / np.float32(255))
    assert y.shape == (1, 256, 2)


def test_read_only_pools_are_accepted_without_warning(recwarn):
    x = floats(np.random.default_rng(0))
    x.flags.writeable = False
    EnsembleData.of([realization(x, np.zeros(6, dtype=np.int64))], outputs=1)
    assert not recwarn.list


@pytest.mark.parametrize("size", [1, 3, 100])
def test_chunks_show_every_row_once(size):
    x = floats(np.random.default_rng(0), n=20)
    y = np.zeros(20, dtype=np.int64)
    tests = [[3], [5, 4, 9, 8, 7], list(range(10, 20))]
    data = EnsembleData.of([realization(x, y, test=test) for test in tests], outputs=1)
    seen: list[list[int]] = [[], [], []]
    for rows, valid in data.chunks("test", size):
        assert rows.shape == valid.shape
        assert rows.shape[1] <= size
        for m in range(3):
            seen[m] += rows[m][valid[m]].tolist()
    assert seen == tests


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((6, 3), np.float32)}, "differ in the shape"),
        ({"x": np.zeros((6, 2))}, "float32 or uint8"),
        ({"y": np.full(6, 2)}, r"one label per row in \[0, 1\]"),
        ({"y": np.full(6, -1)}, r"one label per row in \[0, 1\]"),
        ({"y": np.zeros((6, 2), np.float32)}, "differ in the shape"),
        ({"test": ()}, "at least one of each"),
    ],
)
def test_bad_data_are_refused(change, message):
    good = {"x": np.zeros((6, 2), np.float32), "y": np.zeros(6, np.int64)}
    with pytest.raises(ConfigError, match=message):
        EnsembleData.of([realization(**good), realization(**{**good, **change})], outputs=2)


def test_targets_must_match_the_outputs():
    with pytest.raises(ConfigError, match=r"3 outputs need \[rows, 3\]"):
        EnsembleData.of(
            [realization(np.zeros((6, 2), np.float32), np.zeros((6, 2), np.float32))], outputs=3
        )
