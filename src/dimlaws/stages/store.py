"""The records of a batch, which outlive a rerun: what was computed before is taken as it is.

A *state* is a digest of all that the records of one name in the column ``measure`` depend on, but
for the run itself, whose id says what it is.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dimlaws.errors import CorruptFileError
from dimlaws.stages.batchplan import BatchPlan
from dimlaws.stages.records import in_order, read_records, write_records

logger = logging.getLogger("dimlaws.store")


def write_batch(
    path: Path, tables: Sequence[pd.DataFrame], plan: BatchPlan, states: Mapping[str, str]
) -> None:
    """Write tables of records as one, with the swept keys, the seed and the batch of each run.

    Rows come by run in the order of the plan, whether they were known or not: the same bytes.
    """
    table = _with_swept_keys(pd.concat(tables, ignore_index=True), plan)
    places = {run: place for place, run in enumerate(plan.ids)}
    table = table.sort_values("run", key=lambda run: run.map(places), kind="stable")
    swept = sorted({key for run in plan.runs for key in run["swept"]})
    metadata = {"states": json.dumps(states), "swept": json.dumps(swept)}
    write_records(path, in_order(table), metadata)


def known_records(
    store: Path | None, states: Mapping[str, str]
) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the records in ``store`` of equal state by ``measure`` and run id, no swept keys.

    A store that is absent holds none; nor does one that is damaged, which is logged.
    """
    if store is None or not store.is_file():
        return {}
    try:
        table, metadata = read_records(store)
    except CorruptFileError as error:
        logger.warning("%s", error)
        return {}
    earlier = json.loads(metadata.get("states", "{}"))
    # What was swept then need not be swept now.
    table = table.drop(columns=json.loads(metadata.get("swept", "[]")), errors="ignore")
    found: dict[str, dict[str, pd.DataFrame]] = {}
    for name, rows in table.groupby("measure"):
        if states.get(str(name)) == earlier.get(name):
            found[str(name)] = {str(run): _own(of_run) for run, of_run in rows.groupby("run")}
    return found


def _own(rows: pd.DataFrame) -> pd.DataFrame:
    """Drop the columns of other measures and runs, which are empty here."""
    return rows[[name for name in rows if name == "value" or rows[name].notna().any()]]


def _with_swept_keys(table: pd.DataFrame, plan: BatchPlan) -> pd.DataFrame:
    swept = pd.DataFrame(
        [{**run["swept"], "run": run["id"], "seed": run["seed"]} for run in plan.runs]
    )
    old: list[Any] = [name for name in swept.columns if name != "run" and name in table.columns]
    return table.drop(columns=old).merge(swept, on="run").assign(batch=plan.batch)
