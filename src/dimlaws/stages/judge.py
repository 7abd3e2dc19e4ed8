"""Verdicts on the claims of one experiment."""

from pathlib import Path

from dimlaws.claims.judging import judge
from dimlaws.claims.table import write_verdicts
from dimlaws.instantiate import instantiate
from dimlaws.stages.records import read_records
from dimlaws.storage import read_json


def judge_experiment(runs: Path, claims: Path, experiment: str, output: Path) -> None:
    """Judge every claim of ``plan/claims.json`` against ``runs.parquet``; write one row each."""
    table, _ = read_records(runs)
    nodes = read_json(claims)
    verdicts = [
        judge(instantiate(node), name, table, experiment) for name, node in sorted(nodes.items())
    ]
    write_verdicts(output, verdicts)
