"""Making the calibration's table: random manifolds of known dimension and their statistics."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dimlaws.measures.intrinsic_dimension.calibration_table import calibration_row
from dimlaws.stages.progress import progress_bar
from dimlaws.storage import read_sealed, write_arrays, write_sealed


def draw_part(first: int, count: int, output: Path) -> None:
    """Draw manifolds ``first`` to ``first + count - 1``; write their rows."""
    rows = []
    with progress_bar(f"calibrate {first}", count) as progress, warnings.catch_warnings():
        # Copies up to rounding among the random points are left out, as they are from data.
        warnings.filterwarnings("ignore", message=".*duplicate.*", category=UserWarning)
        for number in range(first, first + count):
            rows.append(calibration_row(number))
            progress(1)
    write_sealed(output, {"rows": np.array(rows)}, {})


def join_parts(parts: Sequence[Path], output: Path) -> None:
    """Write the rows of all parts, in the order given, as one table of float32.

    Raises ``CorruptFileError`` if a part is not what ``draw_part`` wrote.
    """
    rows = np.concatenate([read_sealed(part)[0]["rows"] for part in parts])
    write_arrays(output, {"rows": rows.astype(np.float32)}, {})
