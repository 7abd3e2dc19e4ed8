"""Arrays as nobody should hand them over, and the forms in which anybody might."""

import copy
import warnings

import numpy as np
import pandas as pd
import torch
from scipy import sparse

from dimlaws.errors import EstimationError

RNG = np.random.default_rng(0)
TABLE = np.round(RNG.standard_normal((240, 6)) @ np.diag([90, 60, 40, 20, 10, 5]))
"""Whole numbers, which all types below hold exactly."""

VECTOR = np.arange(1.0, 241.0)


def _strided(x):
    whole = np.zeros([2 * size for size in x.shape])
    whole[(slice(None, None, 2),) * x.ndim] = x
    return whole[(slice(None, None, 2),) * x.ndim]


def _read_only(x):
    x = x.copy()
    x.setflags(write=False)
    return x


SAME = {
    **{
        name: lambda x, name=name: x.astype(name)
        for name in ("f4", "f2", ">f8", ">f4", "g", "i2", "i4", "i8", ">i2", ">i8", "O")
    },
    "Fortran": np.asfortranarray,
    "strided": _strided,
    "backwards": lambda x: x[::-1].copy()[::-1],
    "read-only": _read_only,
    "lists": lambda x: x.tolist(),
    "tensor": lambda x: torch.from_numpy(x.copy()),
    "tensor of float32": lambda x: torch.from_numpy(x).float(),
    "frame": pd.DataFrame,
    "frame of Int64": lambda x: pd.DataFrame(x).astype("Int64"),
    "unmasked": np.ma.masked_array,
}
"""The same numbers in another form."""


def _with(x, value):
    x = x.copy()
    x[17, 2] = value
    return x


NO_NUMBERS = {
    "none": None,
    "text": "hello",
    "number": 3.0,
    "mapping": {"a": [1, 2]},
    "set": {1, 2, 3},
    "generator": (row for row in [[1, 2]]),
    "unequal rows": [[1, 2], [3]],
    "complex": TABLE + 1j,
    "complex without imaginary part": TABLE + 0j,
    "texts": np.array([["a", "b"]] * 20),
    "texts of numbers": TABLE.astype(str),
    "bytes": TABLE.astype("S"),
    "objects": np.array([["a", 1]] * 20, dtype=object),
    "objects that are none": np.array([[None, 1.0]] * 20, dtype=object),
    "dates": TABLE.astype("i8").view("M8[s]"),
    "times": TABLE.astype("i8").view("m8[s]"),
    "records": np.zeros(20, dtype=[("a", "f8"), ("b", "f8")]),
    "masked": np.ma.masked_array(TABLE, mask=TABLE > 100),
    "sparse": sparse.csr_array(TABLE),
    "integers beyond float64": TABLE.astype("i8") + 2**62,
    "unsigned beyond float64": np.abs(TABLE).astype("u8") + np.uint64(2**63),
    "beyond float64": TABLE.astype("g") * np.longdouble("1e4000"),
    "with gradient": torch.from_numpy(TABLE.copy()).requires_grad_(),
    "bfloat16": torch.from_numpy(TABLE).bfloat16(),
    "elsewhere": torch.zeros(10, 3, device="meta"),
    "sparse tensor": torch.eye(20).to_sparse(),
    "NaN": _with(TABLE, np.nan),
    "infinity": _with(TABLE, np.inf),
    "minus infinity": _with(TABLE, -np.inf),
    "nothing but NaN": TABLE * np.nan,
    "no axis": np.float64(3),
    "one axis": TABLE[:, 0],
    "no rows": TABLE[:0],
    "no columns": TABLE[:, :0],
    "nothing": np.zeros((0, 0)),
}
"""What has no answer, whatever is asked."""

HARD = {
    "one value": np.ones((240, 6)),
    "zeros": np.zeros((240, 6)),
    **{f"{n} rows": TABLE[:n] for n in (1, 2, 3, 4, 5, 7, 9, 20)},
    "bool": TABLE > 0,
    "one column": TABLE[:, :1],
    "every row twice": np.repeat(TABLE[:120], 2, axis=0),
    "some rows twice": np.r_[TABLE, TABLE[:30]],
    "one row many times": np.r_[np.tile(TABLE[:1], (200, 1)), TABLE[:40]],
    "a grid": np.stack(np.meshgrid(*[np.arange(6)] * 3), -1).reshape(-1, 3).astype(float),
    "a line": np.outer(np.arange(240), [1.0, 2, 3]),
    "scales from 1e-300 to 1e300": TABLE * 10.0 ** np.array([300, 150, 0, -150, -300, 0]),
    "one value of 1e300": _with(TABLE, 1e300),
    "one value of 1e30": _with(TABLE, 1e30),
    "an offset of 1e16": TABLE / 64 + 1e16,
    "two far clusters": np.r_[TABLE[:120], TABLE[120:] + 1e12],
    "float32 near overflow": (TABLE / np.abs(TABLE).max() * 3e38).astype("f4"),
    "float32 below 1e-38": (TABLE * 1e-44).astype("f4"),
    "a column of one value": np.c_[TABLE, np.full(240, 5.0)],
    "three axes": TABLE.reshape(240, 2, 3),
}
"""What may have an answer: a finite one, or a sentence."""

SCALES = (1e-300, 1e-160, 1e160, 1e300, 4e305)


def answer(function, X):
    """Return the numbers that a function makes of ``X``, which it must leave as it was.

    A refusal comes back as its sentence.
    """
    before = copy.deepcopy(X) if isinstance(X, np.ndarray | torch.Tensor) else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # Duplicates and untypical data are told; no warning of numpy's own may get out.
            warnings.simplefilter("ignore", UserWarning)
            found = np.ravel(np.asarray(function(X), dtype=np.float64))
    except EstimationError as error:
        sentence = str(error)
        assert 20 < len(sentence) < 400, sentence
        assert "\n" not in sentence
        return sentence
    finally:
        if isinstance(X, np.ndarray):
            assert X.tobytes() == before.tobytes()
        elif isinstance(before, torch.Tensor) and not before.is_meta and not before.is_sparse:
            assert torch.equal(X, before)
    return found


def assert_same(function, X, form):
    """Require of a form of ``X`` what the plain array gives, to rounding."""
    expected, found = answer(function, X), answer(function, SAME[form](X))
    assert not isinstance(expected, str), expected
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-13, err_msg=form)


def assert_refused(function, X):
    assert isinstance(answer(function, X), str)


def assert_finite_or_refused(function, X):
    found = answer(function, X)
    assert isinstance(found, str) or np.isfinite(found).all(), found
