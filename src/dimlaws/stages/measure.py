"""Measuring the runs of one batch, reusing the records that were computed before."""

import hashlib
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from dimlaws.dependencies import fingerprint
from dimlaws.errors import CorruptFileError
from dimlaws.instantiate import configured
from dimlaws.measures.batch import TrainedBatch
from dimlaws.stages.batchplan import BatchPlan
from dimlaws.stages.progress import progress_bar
from dimlaws.stages.records import read_records, write_records
from dimlaws.stages.train import ensemble
from dimlaws.storage import canonical_json, link_or_copy, read_json
from dimlaws.training.checkpoint import load_runs
from dimlaws.validation import Node

logger = logging.getLogger("dimlaws.measure")


def measure_batch(
    plan_file: Path,
    measures_file: Path,
    checkpoint: Path | None,
    output: Path,
    store: Path | None,
) -> None:
    """Apply every measure of ``plan/measures.json`` to the runs of a batch; write tidy records.

    Records in ``store`` that stem from the same run, measure and code are taken as they are.
    """
    plan = BatchPlan.read(plan_file)
    measures: dict[str, Node] = read_json(measures_file)
    states = {name: _state(plan, node) for name, node in measures.items()}
    known = _known(store, states)
    batches: dict[tuple[str, ...], TrainedBatch] = {}
    tables = []
    for name, node in measures.items():
        done = known.get(name, {})
        missing = tuple(run for run in plan.ids if run not in done)
        logger.info("%s: %d runs to measure, %d known", name, len(missing), len(done))
        tables += [done[run] for run in plan.ids if run in done]
        if missing:
            if missing not in batches:
                batches[missing] = _batch(plan.only(list(missing)), checkpoint)
            with progress_bar(f"{name} {plan.batch}") as progress:
                batch = replace(batches[missing], progress=progress)
                tables.append(measured(name, node, batch))
    table = _with_swept_keys(pd.concat(tables, ignore_index=True), plan)
    swept = sorted({key for run in plan.runs for key in run["swept"]})
    metadata = {"states": json.dumps(states), "swept": json.dumps(swept)}
    write_records(output, table, metadata)
    if store is not None:
        link_or_copy(output, store)


def measured(name: str, node: Node, batch: TrainedBatch) -> pd.DataFrame:
    """Return the records of one configured measure, under the name that it goes by."""
    return pd.DataFrame(configured(node)(batch)).assign(measure=name)


def _state(plan: BatchPlan, node: Node) -> str:
    """Return a digest of all that a measure's records depend on, but for the run itself."""
    module = node["_target_"].rpartition(".")[0]
    content = canonical_json([node, plan.code(__name__), fingerprint([module])])
    return hashlib.sha256(content.encode()).hexdigest()


def _known(store: Path | None, states: dict[str, str]) -> dict[str, dict[str, pd.DataFrame]]:
    if store is None or not store.is_file():
        return {}
    try:
        table, metadata = read_records(store)
    except CorruptFileError as error:
        logger.warning("%s", error)
        return {}
    earlier = json.loads(metadata.get("states", "{}"))
    # What was swept then need not be swept now, and other measures' columns are empty.
    table = table.drop(columns=json.loads(metadata.get("swept", "[]")), errors="ignore")
    found: dict[str, dict[str, pd.DataFrame]] = {}
    for name, rows in table.groupby("measure"):
        if states.get(str(name)) == earlier.get(name):
            used = [column for column in rows if column == "value" or rows[column].notna().any()]
            found[str(name)] = {str(run): of_run for run, of_run in rows[used].groupby("run")}
    return found


def _batch(plan: BatchPlan, checkpoint: Path | None) -> TrainedBatch:
    runs, data = ensemble(plan)
    if checkpoint is None:
        return TrainedBatch(runs, data)
    loaded = load_runs(checkpoint, plan.code("dimlaws.stages.train"), plan.ids)
    if loaded is None or loaded[0] != plan.ids:
        raise CorruptFileError(
            f"{checkpoint} does not hold every run as this code trains it; delete it and rerun"
        )
    return TrainedBatch(runs, data, plan.build("model")[0], loaded[1])


def _with_swept_keys(table: pd.DataFrame, plan: BatchPlan) -> pd.DataFrame:
    swept = pd.DataFrame(
        [{**run["swept"], "run": run["id"], "seed": run["seed"]} for run in plan.runs]
    )
    old: list[Any] = [name for name in swept.columns if name != "run" and name in table.columns]
    return table.drop(columns=old).merge(swept, on="run").assign(batch=plan.batch)
