from pathlib import Path

import numpy as np
import pytest

from dimlaws.errors import ConfigError
from dimlaws.stages.fetch import fetch_set
from dimlaws.storage import read_arrays

CONFIG = Path(__file__).parents[2] / "config"


def test_a_bundled_set_is_fetched(tmp_path):
    fetch_set(CONFIG, "digits", tmp_path / "digits.safetensors")
    arrays, _ = read_arrays(tmp_path / "digits.safetensors")
    from sklearn.datasets import load_digits

    assert any(array.shape[0] == len(load_digits().target) for array in arrays.values())
    assert all(np.isfinite(array).all() for array in arrays.values())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digit", "no data set 'digit'; did you mean 'digits'"),
        ("manifold", "manifold is made, not fetched"),
        ("../papers", r"no data set '\.\./papers'"),
    ],
)
def test_what_cannot_be_fetched_is_named(tmp_path, name, message):
    with pytest.raises(ConfigError, match=message):
        fetch_set(CONFIG, name, tmp_path / "out")
    assert not list(tmp_path.iterdir())
