"""Verdicts on the claims of one experiment."""

from pathlib import Path

from dimlaws.claims.judging import judge
from dimlaws.claims.table import write_verdicts
from dimlaws.instantiate import instantiate
from dimlaws.plan.checked import read_plan_file
from dimlaws.stages.records import read_records


def judge_experiment(runs: Path, claims: Path, experiment: str, output: Path) -> None:
    """Judge every claim of ``plan/claims.json`` against ``runs.parquet``; write one row each.

    Raises ``CorruptFileError`` if either file is damaged.
    """
    table, _ = read_records(runs)
    nodes = read_plan_file(claims)
    verdicts = [
        judge(instantiate(node), name, table, experiment) for name, node in sorted(nodes.items())
    ]
    write_verdicts(output, verdicts)
