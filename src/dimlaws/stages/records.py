"""Tidy records as Parquet files, with metadata that says what they were computed from."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.parquet

from dimlaws.errors import CorruptFileError
from dimlaws.storage import replacing


def write_records(path: Path, table: pd.DataFrame, metadata: Mapping[str, str]) -> None:
    """Write a table atomically; equal content gives equal bytes."""
    content = pyarrow.Table.from_pandas(table, preserve_index=False)
    content = content.replace_schema_metadata({**(content.schema.metadata or {}), **metadata})
    with replacing(path) as temporary:
        pyarrow.parquet.write_table(content, temporary, write_page_checksum=True)


def read_records(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read a table and its metadata; raise ``CorruptFileError`` if the file is damaged."""
    try:
        content = pyarrow.parquet.read_table(path, page_checksum_verification=True)
    except (pyarrow.ArrowException, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise CorruptFileError(f"{path} is damaged ({error}); delete it and rerun") from error
    found = content.schema.metadata or {}
    metadata = {key.decode(): value.decode() for key, value in found.items() if key != b"pandas"}
    return content.to_pandas(), metadata
