# dimlaws: fetch -> train/simulate -> measure -> judge -> figure -> report.
# `snakemake --cores 2` makes everything at scale `quick`; `--config scale=paper` at another scale.
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from dimlaws.errors import DimlawsError
from dimlaws.failure import sentence
from dimlaws.plan.layout import Layout, one_of
from dimlaws.plan.readiness import make_ready

min_version("9.0")

SCALE = str(config.get("scale", "quick"))

# Hydra owns the values: planning turns each experiment into plan files, which are the jobs'
# inputs. A job on a cluster parses this file too, and then reads the plan as it was written.
try:
    layout = Layout.parse(
        Path("config"),
        Path("results"),
        SCALE,
        sys.argv,
        target_minutes=config.get("target_minutes", 5),
        main=workflow.is_main_process,
    )
except (DimlawsError, OSError) as error:
    raise WorkflowError(sentence(error) or str(error)) from None


wildcard_constraints:
    scale=one_of(layout.scales),
    experiment=one_of(layout.experiment_names),
    batch=r"[0-9a-f]{12}",
    figure=one_of(layout.figure_names),
    set=one_of(layout.set_names),


# Not in a dry run, nor where nothing is to be done.
onstart:
    try:
        for scale in layout.experiments:
            make_ready(Path("results", scale))
    except DimlawsError as error:
        raise WorkflowError(str(error)) from None


rule all:
    input:
        layout.report(SCALE),


include: "workflow/rules/fetch.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/calibrate.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/judge.smk"
include: "workflow/rules/figure.smk"
include: "workflow/rules/report.smk"
