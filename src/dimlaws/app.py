"""The plain Hydra application: ``python -m dimlaws.app experiment=NAME scale=smoke``.

It trains and measures, or simulates, the runs of an experiment's sweep one at a time, in this
process, with the code that the workflow's jobs run: slow, for debugging.
``data.intrinsic_dim=2 seed=0`` narrows the sweep. Nothing is written but Hydra's own record of the
run.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from dimlaws.cli import CONFIG, use_one_thread
from dimlaws.errors import ConfigError, DimlawsError, nearest
from dimlaws.plan.composition import experiment_names
from dimlaws.plan.experiment import measure_nodes
from dimlaws.plan.hydra_settings import restrict_hydra
from dimlaws.plan.runs import plan_run
from dimlaws.stages.batchplan import BatchPlan
from dimlaws.validation import Node

if TYPE_CHECKING:
    import pandas as pd


def main() -> None:
    """Run the sweep of an experiment, read from the folder ``config`` where this is started."""
    use_one_thread()
    restrict_hydra()
    application = hydra.main(str(CONFIG.resolve()), "config", version_base="1.3")
    application(_run)()


def _run(config: DictConfig) -> None:
    try:
        print(records(config, CONFIG))
    except DimlawsError as error:
        sys.exit(f"dimlaws.app: {error}")


def records(config: DictConfig, folder: Path) -> str:
    """Return a table of the records of the one run that a composed configuration stands for."""
    experiment = HydraConfig.get().runtime.choices.get("experiment")
    if experiment is None:
        names = experiment_names(folder)
        raise ConfigError(f"experiment: say experiment=NAME; {nearest('', names)}")
    resolved: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    planned = plan_run(resolved, {})
    nodes = measure_nodes(resolved, planned)
    run = {"id": planned.id, "seed": planned.seed, "config": planned.config, "swept": {}}
    plan = BatchPlan(experiment, planned.id, [run])
    table = _simulated(plan) if plan.simulates else _measured(plan, nodes)
    ends = ["run", "measure", "quantity", "value"]
    columns = ["measure", "quantity", *(name for name in table if name not in ends), "value"]
    shown = table[columns].to_string(index=False, na_rep="", float_format="%.8g")
    overrides = " ".join(HydraConfig.get().overrides.task)
    return f"run {planned.id}: {overrides}\n{shown}"


def _simulated(plan: BatchPlan) -> "pd.DataFrame":
    # Here and below: Hydra answers --help and misspelt keys without waiting for pandas and torch.
    from dimlaws.stages.simulate import simulated

    return simulated(plan.runs[0])


def _measured(plan: BatchPlan, nodes: dict[str, Node]) -> "pd.DataFrame":
    """Train, where there is something to train, and measure."""
    import pandas as pd

    from dimlaws.measures.batch import TrainedBatch
    from dimlaws.stages.measure import measured
    from dimlaws.stages.resources import Resources
    from dimlaws.stages.train import ensemble, train_runs

    resources = Resources()
    runs, data = ensemble(plan, resources.torch_device())
    batch = TrainedBatch(runs, data)
    if plan.trains:
        trained = train_runs(plan, runs, data, resources)
        batch = TrainedBatch(runs, data, plan.build("model")[0], trained)
    return pd.concat([measured(name, node, batch) for name, node in nodes.items()])


if __name__ == "__main__":
    main()
