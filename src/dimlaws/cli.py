"""The command ``dimlaws <stage>``: what each Snakemake rule runs, and what a person can paste.

Each stage is imported only when it is asked for: planning must not wait for torch.
"""

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from dimlaws.errors import ConfigError, DimlawsError, nearest
from dimlaws.failure import sentence
from dimlaws.stopwatch import STOPWATCH

CONFIG = Path("config")
RESULTS = Path("results")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one stage; return 0 only if what was asked for was done."""
    parser = _parser()
    options = parser.parse_args(arguments)
    use_one_thread()
    log = getattr(options, "log", None)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        _start_log(log)
        status = run(options)
        if log is not None:  # for the provenance; includes start-up
            log.with_suffix(".cpu").write_text(f"{STOPWATCH}\n", encoding="utf-8")
        return status
    except BaseException as error:
        message = sentence(error, getattr(options, "output", None))
        # Where the disk is full or read-only, so is the log.
        if log is not None:
            with suppress(OSError), log.open("a", encoding="utf-8") as stream:
                stream.write(f"{message or traceback.format_exc()}\n")
        if message is None:
            raise
    print(f"dimlaws {options.stage}: {message}", file=sys.stderr)
    return 1


def use_one_thread() -> None:
    """Let numerical libraries, not imported yet, run on one thread unless the user says otherwise.

    Speed comes from batching runs, and results stay bitwise equal from run to run.
    """
    # Where a user asks for more threads, idle ones must not spin: jobs share the processors.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")


def _start_log(log: Path | None) -> None:
    # A line that finds no room on the disk is lost; it must not come as a traceback instead.
    logging.raiseExceptions = False
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(log, mode="w", encoding="utf-8"))
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s", handlers=handlers
    )
    logging.getLogger("dimlaws").setLevel(logging.INFO)


def _file(text: str) -> Path:
    if not text or os.path.isdir(text):  # noqa: PTH112  # unlike Path, takes names of any length
        raise argparse.ArgumentTypeError(f"{text!r} is a folder; name a file")
    return Path(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dimlaws", description="What dimension decides: data sets to judged claims."
    )
    stages = parser.add_subparsers(dest="stage", required=True, metavar="stage")

    def stage(
        name: str, run: Callable[[argparse.Namespace], int], description: str
    ) -> argparse.ArgumentParser:
        added = stages.add_parser(name, help=description, description=description)
        added.set_defaults(run=run)
        return added

    def job(
        name: str, run: Callable[[argparse.Namespace], int], description: str
    ) -> argparse.ArgumentParser:
        added = stage(name, run, description)
        added.add_argument("--output", type=_file, required=True, help="file to write")
        added.add_argument("--log", type=_file, help="file for the log")
        return added

    added = stage("plan", _plan, "plan every experiment and say what it holds")
    _add_scale(added)

    added = job("fetch", _fetch, "fetch one real data set and check it")
    added.add_argument("set", help="name of a file in config/data")

    added = job("train", _train, "train the runs of one batch")
    added.add_argument("plan", type=_file, help="results/<scale>/<experiment>/plan/<batch>.json")
    added.add_argument("--store", type=Path, help="trained runs to reuse and to keep")
    _add_resources(added)

    added = job("simulate", _simulate, "simulate the runs of one batch of a study")
    added.add_argument("plan", type=_file, help="results/<scale>/<experiment>/plan/<batch>.json")
    added.add_argument("--store", type=Path, help="records to reuse and to keep")

    added = job("calibrate", _calibrate, "make the table of the calibrated estimators")
    added.add_argument("parts", type=_file, nargs="*", help="parts to join")
    added.add_argument("--first", type=int, default=-1, help="first manifold of a part")
    added.add_argument("--count", type=int, default=0, help="manifolds in the part")

    added = job("measure", _measure, "measure the runs of one batch")
    added.add_argument("plan", type=_file)
    added.add_argument("measures", type=_file, help="plan/measures.json")
    added.add_argument("--trained", type=_file, help="checkpoint of the batch")
    added.add_argument("--store", type=Path, help="records to reuse and to keep")
    _add_resources(added)

    added = job("collect", _collect, "join the records of an experiment's batches")
    added.add_argument("records", type=_file, nargs="+")

    added = job("judge", _judge, "judge the claims of one experiment")
    added.add_argument("runs", type=_file, help="runs.parquet")
    added.add_argument("claims", type=_file, help="plan/claims.json")
    added.add_argument("--experiment", required=True)

    added = job("figure", _figure, "draw one figure")
    added.add_argument("plan", type=_file, help="plan/figures/<name>.json")
    added.add_argument("runs", type=_file, nargs="+", help="runs.parquet of each experiment")

    added = job("provenance", _provenance, "write what was run, on what")
    added.add_argument("scale")

    added = job("report", _report, "write the HTML pages")
    added.add_argument("scale")

    added = stage("verdicts", _verdicts, "print the scoreboard, or join verdict tables")
    _add_scale(added)
    added.add_argument("tables", type=_file, nargs="*", help="tables to join into --output")
    added.add_argument("--output", type=_file)
    added.add_argument("--log", type=_file)

    added = stage("claims", _claims, "list every claim with its region and where that comes from")
    _add_scale(added)

    stage("doctor", _doctor, "say what this machine can run")
    return parser


def _add_scale(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scale", default="quick", help="smoke, quick (default) or paper")


def _add_resources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--memory", type=float, metavar="MB", help="most that the job may hold")
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where networks are trained; auto (default) is a GPU where there is one",
    )


def _plan(options: argparse.Namespace) -> int:
    from dimlaws.plan.files import plan_all

    for index in plan_all(CONFIG, RESULTS, options.scale, write=True):
        runs = sum(batch["runs"] for batch in index.batches.values())
        print(
            f"{index.name}: {runs} runs in {len(index.batches)} batches, "
            f"{len(index.figures)} figures{', simulated' if index.simulates else ''}"
        )
    return 0


def _fetch(options: argparse.Namespace) -> int:
    from dimlaws.stages.fetch import fetch_set

    fetch_set(CONFIG, options.set, options.output)
    return 0


def _train(options: argparse.Namespace) -> int:
    from dimlaws.stages.inputs import check_batch
    from dimlaws.stages.resources import Resources
    from dimlaws.stages.train import train_batch

    STOPWATCH.started()
    check_batch(options.plan)
    resources = Resources(options.memory, options.device)
    train_batch(options.plan, options.output, options.store, resources)
    return 0


def _simulate(options: argparse.Namespace) -> int:
    from dimlaws.stages.inputs import check_batch
    from dimlaws.stages.simulate import simulate_batch

    STOPWATCH.started()
    check_batch(options.plan)
    simulate_batch(options.plan, options.output, options.store)
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    from dimlaws.stages.calibrate import draw_part, join_parts

    if options.parts:
        join_parts(options.parts, options.output)
        return 0
    if options.first < 0 or options.count < 1:
        raise ConfigError(
            "give --first (0 or more) and --count (1 or more) of a part to draw, "
            "or the parts to join"
        )
    draw_part(options.first, options.count, options.output)
    return 0


def _measure(options: argparse.Namespace) -> int:
    from dimlaws.stages.inputs import check_batch
    from dimlaws.stages.measure import measure_batch
    from dimlaws.stages.resources import Resources

    STOPWATCH.started()
    check_batch(options.plan, options.measures)
    measure_batch(
        options.plan,
        options.measures,
        options.trained,
        options.output,
        options.store,
        Resources(options.memory, options.device),
    )
    return 0


def _collect(options: argparse.Namespace) -> int:
    from dimlaws.stages.collect import collect

    collect(options.records, options.output)
    return 0


def _judge(options: argparse.Namespace) -> int:
    from dimlaws.stages.judge import judge_experiment

    judge_experiment(options.runs, options.claims, options.experiment, options.output)
    return 0


def _figure(options: argparse.Namespace) -> int:
    from dimlaws.stages.figure import draw_figure

    draw_figure(options.plan, options.runs, options.output)
    return 0


def _provenance(options: argparse.Namespace) -> int:
    from dimlaws.stages.provenance import write_provenance

    write_provenance(options.scale, RESULTS, options.output)
    return 0


def _report(options: argparse.Namespace) -> int:
    from dimlaws.report.site import build_site

    build_site(options.scale, RESULTS, CONFIG, options.output)
    return 0


def _verdicts(options: argparse.Namespace) -> int:
    from dimlaws.claims.table import join_verdicts, read_verdicts, scoreboard
    from dimlaws.plan.files import scale_names

    if options.output is not None:
        join_verdicts(options.tables, options.output)
        return 0
    table = RESULTS / options.scale / "verdicts.csv"
    known = scale_names(CONFIG)
    if options.scale not in known:
        raise ConfigError(f"no scale {options.scale!r}; {nearest(options.scale, known)}")
    if not table.is_file():
        raise DimlawsError(
            f"{table} is not there yet; make it with "
            f"`snakemake --cores 2 --config scale={options.scale}`"
        )
    print(scoreboard(read_verdicts(table)))
    return 0


def _claims(options: argparse.Namespace) -> int:
    from dimlaws.plan.files import plan_all
    from dimlaws.storage import read_json

    for index in plan_all(CONFIG, RESULTS, options.scale, write=True):
        file = RESULTS / options.scale / index.name / "plan" / "claims.json"
        for name, claim in read_json(file).items():
            low, high = ("" if end is None else f"{end:g}" for end in claim["expected"])
            print(f"{name} ({claim['paper']}, chapter {claim['chapter']}, {index.name})")
            print(f"    {claim['statement']}")
            print(f"    {claim['judge']} in [{low}, {high}] ({claim['region_source']})")
    return 0


def _doctor(_: argparse.Namespace) -> int:
    from dimlaws.stages.doctor import examine

    return examine(CONFIG, RESULTS)


if __name__ == "__main__":
    sys.exit(main())
