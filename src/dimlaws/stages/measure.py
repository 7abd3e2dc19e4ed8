"""Measuring the runs of one batch, reusing the records that were computed before."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from dimlaws.dependencies import fingerprint
from dimlaws.errors import CorruptFileError
from dimlaws.instantiate import configured
from dimlaws.measures.batch import TrainedBatch
from dimlaws.plan.runs import digest
from dimlaws.stages.batchplan import BatchPlan
from dimlaws.stages.records import read_records, write_records
from dimlaws.stages.train import ensemble
from dimlaws.storage import link_or_copy, read_json
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
    code = plan.code("dimlaws.stages.train")
    states = {name: _state(plan, node) for name, node in measures.items()}
    known = _known(store, states)
    tables = []
    for name, node in measures.items():
        done = known.get(name, {})
        missing = [run for run in plan.ids if run not in done]
        logger.info("%s: %d runs to measure, %d known", name, len(missing), len(done))
        tables += [done[run] for run in plan.ids if run in done]
        if missing:
            with tqdm(desc=f"{name} {plan.batch}", unit="step", disable=None) as bar:
                batch = _batch(plan.only(missing), checkpoint, code, bar.update)
                records = configured(node)(batch)
            tables.append(pd.DataFrame(records).assign(measure=name))
    table = pd.concat(tables, ignore_index=True)
    table = _with_swept_keys(table, plan)
    write_records(output, table, {"states": json.dumps(states)})
    if store is not None:
        link_or_copy(output, store)


def _state(plan: BatchPlan, node: Node) -> str:
    """Return a digest of all that a measure's records depend on, but for the run itself."""
    module = node["_target_"].rpartition(".")[0]
    return digest([node, plan.code(__name__), fingerprint([module])])


def _known(store: Path | None, states: dict[str, str]) -> dict[str, dict[str, pd.DataFrame]]:
    if store is None or not store.is_file():
        return {}
    try:
        table, metadata = read_records(store)
    except CorruptFileError as error:
        logger.warning("%s", error)
        return {}
    earlier = json.loads(metadata["states"])
    return {
        name: {str(run): rows for run, rows in of_measure.groupby("run")}
        for name, of_measure in table.groupby("measure")
        if states.get(str(name)) == earlier.get(name)
    }


def _batch(
    plan: BatchPlan, checkpoint: Path | None, code: str, progress: Callable[[int], Any]
) -> TrainedBatch:
    runs, data = ensemble(plan)
    if checkpoint is None:
        return TrainedBatch(runs, data, progress=progress)
    loaded = load_runs(checkpoint, code, plan.ids)
    if loaded is None or loaded[0] != plan.ids:
        raise CorruptFileError(
            f"{checkpoint} does not hold every run as this code trains it; delete it and rerun"
        )
    return TrainedBatch(runs, data, plan.build("model")[0], loaded[1], progress)


def _with_swept_keys(table: pd.DataFrame, plan: BatchPlan) -> pd.DataFrame:
    swept = pd.DataFrame(
        [{**run["swept"], "run": run["id"], "seed": run["seed"]} for run in plan.runs]
    )
    old: list[Any] = [name for name in swept.columns if name != "run" and name in table.columns]
    return table.drop(columns=old).merge(swept, on="run").assign(batch=plan.batch)
