import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def rows():
    """Return a function that writes ``values [cells, seeds]`` as tidy records.

    A run is one setting of the swept keys (those with a dot) with one seed.
    """

    def write(keys, values, measure="loss", quantity="test"):
        values = np.asarray(values, dtype=float)
        return pd.DataFrame(
            [
                {
                    "run": f"{[(k, v) for k, v in key.items() if '.' in k]}-{seed}",
                    "batch": "b",
                    "seed": seed,
                    **key,
                    "measure": measure,
                    "quantity": quantity,
                    "value": values[cell, seed],
                }
                for cell, key in enumerate(keys)
                for seed in range(values.shape[1])
            ]
        )

    return write
