"""One tidy table for an experiment from the records of its batches."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dimlaws.stages.records import read_records, write_records

FIRST = ["run", "batch", "seed", "measure", "quantity", "value"]


def collect(files: Sequence[Path], output: Path) -> None:
    """Join the records of all batches; content alone decides the order of rows and columns."""
    table = pd.concat([read_records(file)[0] for file in files], ignore_index=True)
    others = sorted(column for column in table.columns if column not in FIRST)
    table = table[FIRST + others]
    keys = [column for column in table.columns if column != "value"]
    table = table.sort_values(keys, kind="stable", ignore_index=True)
    write_records(output, table, {})
