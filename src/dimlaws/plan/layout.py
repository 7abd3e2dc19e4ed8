"""Where every file of the workflow lies and what it depends on, for the Snakemake rules.

The rules stay declarative: each input function of theirs is a method here, and tested as such.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from math import ceil, inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dimlaws.data.location import data_folder
from dimlaws.dependencies import fingerprint
from dimlaws.errors import ConfigError
from dimlaws.plan.data_sets import pinned_checksum
from dimlaws.plan.files import Index, plan_all, scale_names
from dimlaws.plan.runs import digest
from dimlaws.signature import PACKAGE

if TYPE_CHECKING:
    from snakemake.io import Wildcards

# Entry modules of the stages; a rule depends on these, on its configured targets, and on all
# that they import.
TRAIN = "dimlaws.stages.train"
SIMULATE = "dimlaws.stages.simulate"
MEASURE = "dimlaws.stages.measure"
JUDGE = "dimlaws.stages.judge"
FIGURE = "dimlaws.stages.figure"
REPORT = "dimlaws.report.site"

START_SECONDS = 10
"""What the two jobs of a batch take before they compute anything."""

GROUP_SIZES = (2, 4, 8, 16, 32)
"""Batches that share one cluster job."""


@dataclass(frozen=True)
class Layout:
    """The planned experiments of each scale in use, and the paths that follow from them."""

    config: Path
    results: Path
    data: Path
    scales: list[str]
    experiments: dict[str, dict[str, Index]]
    target_minutes: float

    @classmethod
    def parse(
        cls,
        config: Path,
        results: Path,
        scale: str,
        arguments: Sequence[str],
        *,
        target_minutes: object,
        main: bool,
    ) -> Layout:
        """Plan ``scale`` and every other scale that a target among ``arguments`` names.

        Batches that train briefly share cluster jobs of about ``target_minutes``. ``main`` is False
        in a job of a cluster, which reads the plan as the main process wrote it. Nothing is planned
        where a lock is only to be taken away, which must always work.

        Raises
        ------
        ConfigError
            if the scale does not exist, the minutes are no number >= 0, or a configuration is at
            fault.
        """
        known, minutes = scale_names(config), _minutes(target_minutes)
        if "--unlock" in arguments:
            return cls(config, results, data_folder(), known, {}, minutes)
        pattern = re.compile(rf"(?:^|/){re.escape(str(results))}/({'|'.join(known)})/")
        wanted = {scale, *(match[1] for text in arguments for match in pattern.finditer(text))}
        plans = {name: plan_all(config, results, name, write=main) for name in sorted(wanted)}
        indices = {name: {index.name: index for index in plan} for name, plan in plans.items()}
        return cls(config, results, data_folder(), known, indices, minutes)

    @property
    def experiment_names(self) -> list[str]:
        """The experiments of the planned scales."""
        return self._names(lambda _: True)

    @property
    def trained_names(self) -> list[str]:
        """Those of them that train."""
        return self._names(lambda index: index.trains)

    @property
    def measured_names(self) -> list[str]:
        """Those of them whose records measures make: all but the studies."""
        return self._names(lambda index: not index.simulates)

    @property
    def study_names(self) -> list[str]:
        """Those of them that are studies."""
        return self._names(lambda index: index.simulates)

    def _names(self, chosen: Callable[[Index], bool]) -> list[str]:
        indices = (index for planned in self.experiments.values() for index in planned.values())
        return sorted({index.name for index in indices if chosen(index)})

    @property
    def figure_names(self) -> list[str]:
        """The figures of the planned scales."""
        planned = (index for names in self.experiments.values() for index in names.values())
        return sorted({figure for index in planned for figure in index.figures})

    @property
    def set_names(self) -> list[str]:
        """The data sets that can be fetched."""
        files = sorted((self.config / "data").glob("*.yaml"))
        return [file.stem for file in files if "\nsource:" in file.read_text(encoding="utf-8")]

    def report(self, scale: str) -> str:
        """Return the folder of the pages that show everything at a scale."""
        return f"{self.results}/{scale}/report"

    def code(self, *modules: str) -> str:
        """Return the fingerprint of the code that modules consist of.

        Rules have it as a parameter: an edit reruns exactly the stages whose code it touches.
        """
        return fingerprint(modules)

    def pin(self, name: str) -> str:
        """Return the checksum pinned for a data set."""
        return pinned_checksum(self.config, name)

    def _index(self, wildcards: Wildcards) -> Index:
        return self._planned(wildcards)[wildcards.experiment]

    def _planned(self, wildcards: Wildcards) -> dict[str, Index]:
        return self.experiments[wildcards.scale]

    def _folder(self, scale: str, experiment: str) -> str:
        return f"{self.results}/{scale}/{experiment}"

    # One batch

    def sets(self, wildcards: Wildcards) -> list[str]:
        """Return the fetched data sets that a batch reads."""
        batch = self._batch(wildcards)
        return [f"{self.data}/{name}.safetensors" for name in batch["sets"]]

    def training_code(self, wildcards: Wildcards) -> str:
        """Return the fingerprint of the code that a batch's training depends on."""
        return self.code(TRAIN, *self._modules(wildcards))

    def simulating_code(self, wildcards: Wildcards) -> str:
        """Return the fingerprint of the code that the runs of a study depend on."""
        return self.code(SIMULATE, *self._modules(wildcards))

    def trained(self, wildcards: Wildcards) -> list[str]:
        """Return the checkpoint that a batch's measures read; none where nothing is trained."""
        if not self._index(wildcards).trains:
            return []
        return [f"{self._folder(*_place(wildcards))}/trained/{wildcards.batch}.safetensors"]

    def measuring_code(self, wildcards: Wildcards) -> str:
        """Return the fingerprint of the code that a batch's measures depend on."""
        measures = map(_module, self._index(wildcards).measures)
        return self.code(MEASURE, *self._modules(wildcards), *measures)

    # What one batch may take of a cluster; more at each further attempt

    def memory(self, wildcards: Wildcards, attempt: int) -> int:
        """Return the mebibytes that a job of a batch needs."""
        return attempt * int(self._batch(wildcards)["memory_mb"])

    def training_time(self, wildcards: Wildcards, attempt: int) -> int:
        """Return the minutes after which training a batch has gone wrong."""
        return attempt * (5 + ceil(4 * self._train_seconds(wildcards) / 60))

    def measuring_time(self, wildcards: Wildcards, attempt: int) -> int:
        """Return the minutes after which measuring a batch has gone wrong."""
        # Measures that prune train again, ten times over at most.
        return attempt * (10 + ceil(10 * self._train_seconds(wildcards) / 60))

    def simulating_time(self, wildcards: Wildcards, attempt: int) -> int:
        """Return the minutes after which the runs of a study have gone wrong."""
        return attempt * (10 + int(self._batch(wildcards)["runs"]))

    def group(self, wildcards: Wildcards) -> str | None:
        """Return ``shortN`` for a batch that shares a cluster job with N - 1 others of its kind.

        N is a power of two, the most that fit into ``target_minutes``; profiles state it again,
        as Snakemake wants it. A batch that takes longer than half of that, or trains nothing, has
        jobs of its own, with a message of their own if they fail.
        """
        if not self._index(wildcards).trains:
            return None
        seconds = START_SECONDS + self._train_seconds(wildcards)
        fitting = [size for size in GROUP_SIZES if size * seconds <= 60 * self.target_minutes]
        return f"short{fitting[-1]}" if fitting else None

    def _train_seconds(self, wildcards: Wildcards) -> float:
        return float(self._batch(wildcards)["train_seconds"])

    def _batch(self, wildcards: Wildcards) -> dict[str, Any]:
        return self._index(wildcards).batches[wildcards.batch]

    def _modules(self, wildcards: Wildcards) -> list[str]:
        batch = self._batch(wildcards)
        return [_module(target) for target in batch["targets"]]

    # One experiment

    def records(self, wildcards: Wildcards) -> list[str]:
        """Return the records of every batch of an experiment."""
        folder = self._folder(*_place(wildcards))
        return [f"{folder}/records/{batch}.parquet" for batch in self._index(wildcards).batches]

    def judging_code(self, wildcards: Wildcards) -> str:
        """Return the fingerprint of the code that an experiment's verdicts depend on."""
        return self.code(JUDGE, *map(_module, self._index(wildcards).quantities))

    # One figure

    def _owner(self, wildcards: Wildcards) -> Index:
        planned = self._planned(wildcards)
        return next(index for index in planned.values() if wildcards.figure in index.figures)

    def figure_plan(self, wildcards: Wildcards) -> str:
        """Return the plan file of a figure."""
        folder = self._folder(wildcards.scale, self._owner(wildcards).name)
        return f"{folder}/plan/figures/{wildcards.figure}.json"

    def figure_runs(self, wildcards: Wildcards) -> list[str]:
        """Return the tables that a figure draws."""
        names = self._owner(wildcards).figure_experiments[wildcards.figure]
        return [f"{self._folder(wildcards.scale, name)}/runs.parquet" for name in names]

    def figure_code(self, wildcards: Wildcards) -> str:
        """Return the fingerprint of the code that a figure depends on."""
        target = self._owner(wildcards).figures[wildcards.figure]
        return self.code(FIGURE, _module(target))

    # One scale

    def all_verdicts(self, wildcards: Wildcards) -> list[str]:
        """Return the verdicts of every experiment."""
        return self._each(wildcards, "verdicts.csv")

    def all_verdict_checksums(self, wildcards: Wildcards) -> list[str]:
        """Return the checksums of the verdicts of every experiment."""
        return self._each(wildcards, "verdicts.csv.sha256")

    def all_plans(self, wildcards: Wildcards) -> list[str]:
        """Return the plan files of every experiment, but for the indices.

        An index also changes where only a comment did; what it says is in ``plan_content``.
        """
        files = []
        for index in self._planned(wildcards).values():
            names = ["measures", "claims", *index.batches]
            names += [f"figures/{figure}" for figure in index.figures]
            folder = self._folder(wildcards.scale, index.name)
            files += [f"{folder}/plan/{name}.json" for name in names]
        return files

    def plan_content(self, wildcards: Wildcards) -> str:
        """Return a digest of what the indices say of every experiment."""
        return digest([asdict(index) for index in self._planned(wildcards).values()])

    def all_figures(self, wildcards: Wildcards) -> list[str]:
        """Return every figure, in the format that the report shows."""
        names = sorted(
            name for index in self._planned(wildcards).values() for name in index.figures
        )
        return [f"{self.results}/{wildcards.scale}/figures/{name}.svg" for name in names]

    def all_trained(self, wildcards: Wildcards) -> list[str]:
        """Return the checkpoints of every batch that is trained."""
        return [
            f"{self._folder(wildcards.scale, index.name)}/trained/{batch}.safetensors"
            for index in self._planned(wildcards).values()
            if index.trains
            for batch in index.batches
        ]

    def all_records(self, wildcards: Wildcards) -> list[str]:
        """Return the records of every batch."""
        return [
            f"{self._folder(wildcards.scale, index.name)}/records/{batch}.parquet"
            for index in self._planned(wildcards).values()
            for batch in index.batches
        ]

    def report_code(self) -> str:
        """Return the fingerprint of the code and templates that the report depends on."""
        digest = hashlib.sha256(self.code(REPORT).encode())
        for file in sorted((PACKAGE / "report" / "templates").iterdir()):
            if file.is_file():
                digest.update(file.read_bytes())
        return digest.hexdigest()[:16]

    def _each(self, wildcards: Wildcards, file: str) -> list[str]:
        names = self._planned(wildcards)
        return [f"{self._folder(wildcards.scale, name)}/{file}" for name in names]


def _minutes(value: object) -> float:
    try:
        minutes = float(str(value))
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes < inf:
        raise ConfigError(f"target_minutes: {value!r} is no number of minutes >= 0")
    return minutes


def one_of(names: Iterable[str]) -> str:
    """Return the pattern of a wildcard that is one of ``names``; without any, it never matches."""
    return "|".join(names) or "(?!)"


def _place(wildcards: Wildcards) -> tuple[str, str]:
    return wildcards.scale, wildcards.experiment


def _module(target: str) -> str:
    return target.rpartition(".")[0]
