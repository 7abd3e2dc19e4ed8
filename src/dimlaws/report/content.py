"""What the pages say, gathered from the files that the pipeline wrote."""

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dimlaws.claims.chapters import CHAPTERS
from dimlaws.claims.judging import Verdict
from dimlaws.claims.table import VERDICTS, expected_wrong, read_verdicts
from dimlaws.errors import ConfigError, CorruptFileError, nearest
from dimlaws.plan.checked import INDEX, read_plan_file
from dimlaws.plan.composition import experiment_names
from dimlaws.report import wording
from dimlaws.report.strip import Strip, strip
from dimlaws.seals import read_sealed_json

_RESOLVERS = {"arxiv": "https://arxiv.org/abs/", "doi": "https://doi.org/"}


@dataclass(frozen=True)
class Paper:
    """One entry of ``config/papers.yaml``."""

    title: str
    authors: str
    year: int
    identifier: str

    @property
    def url(self) -> str | None:
        """Where the paper stands, if its identifier says so."""
        kind, _, rest = self.identifier.partition(":")
        if kind.lower() in _RESOLVERS:
            return _RESOLVERS[kind.lower()] + rest
        return self.identifier if kind == "https" else None

    @property
    def short(self) -> str:
        """Family names and year, as in a citation."""
        names = [name.split()[-1] for name in self.authors.split(", ")]
        if len(names) > 2:
            return f"{names[0]} et al. {self.year}"
        return f"{' & '.join(names)} {self.year}"


@dataclass(frozen=True)
class JudgedClaim:
    """A verdict with all that the pages show beside it."""

    verdict: Verdict
    paper: Paper
    region_source: str
    figure: str | None
    command: str

    @property
    def anchor(self) -> str:
        """Fragment that links to the claim; claims of two experiments may share a name."""
        return f"{self.verdict.experiment}-{self.verdict.claim}"

    @property
    def estimate(self) -> str:
        """The estimate in words."""
        return wording.number(self.verdict.estimate)

    @property
    def interval(self) -> str:
        """The 95 % interval in words, empty where there is none."""
        return wording.interval(self.verdict.ci_low, self.verdict.ci_high)

    @property
    def region(self) -> str:
        """The expected region in words."""
        row = self.verdict
        return wording.region(row.judge, row.expected_low, row.expected_high)

    @property
    def published(self) -> str | None:
        """The published number in words, if the paper gives one."""
        value = self.verdict.published
        return None if value is None else wording.number(value)

    @property
    def strip(self) -> Strip | None:
        """The drawing of interval against region."""
        return strip(self.verdict)


@dataclass(frozen=True)
class Chapter:
    """The claims of one chapter."""

    number: int
    claims: list[JudgedClaim]

    @property
    def title(self) -> str:
        """Name of the chapter."""
        return CHAPTERS[self.number]

    @property
    def page(self) -> str:
        """File name of the chapter's page."""
        return f"chapter-{self.number}.html"

    @property
    def counts(self) -> dict[str, int]:
        """Number of claims per verdict."""
        return _counts(self.claims)


@dataclass(frozen=True)
class Content:
    """All that the site shows at one scale."""

    scale: str
    chapters: list[Chapter]
    experiments: list[dict[str, Any]]
    figures: list[str]
    provenance: dict[str, Any]

    @property
    def claims(self) -> list[JudgedClaim]:
        """All claims, in the order of the chapters."""
        return [claim for chapter in self.chapters for claim in chapter.claims]

    @property
    def counts(self) -> dict[str, int]:
        """Number of claims per verdict."""
        return _counts(self.claims)

    @property
    def data(self) -> dict[str, str]:
        """Checksums of the data sets read, by name."""
        return {k: v for entry in self.experiments for k, v in entry["data"].items()}

    @property
    def intervals(self) -> int:
        """Number of claims that have an interval."""
        return sum(math.isfinite(claim.verdict.ci_low) for claim in self.claims)

    @property
    def wrong(self) -> str:
        """Bound on the expected number of wrong verdicts."""
        return f"{expected_wrong(claim.verdict for claim in self.claims):.2g}"


def gather(scale: str, results: Path, config: Path) -> Content:
    """Read verdicts, plans, provenance and papers.

    Raises
    ------
    ConfigError
        if a claim names a paper or a chapter that does not exist.
    CorruptFileError
        if a file is damaged, or the verdicts and the plans do not belong together.
    """
    folder = results / scale
    papers = read_papers(config / "papers.yaml")
    plans = {name: folder / name / "plan" for name in experiment_names(config)}
    indices = {name: read_sealed_json(plan / INDEX) for name, plan in plans.items()}
    claims = {name: read_plan_file(plan / "claims.json") for name, plan in plans.items()}
    provenance = read_sealed_json(folder / "provenance.json")
    chapters: dict[int, list[JudgedClaim]] = {}
    for row in read_verdicts(folder / "verdicts.csv"):
        node = claims.get(row.experiment, {}).get(row.claim)
        if node is None:
            raise CorruptFileError(
                f"{folder / 'verdicts.csv'}: claim {row.claim!r} is not in the plan of experiment "
                f"{row.experiment!r}; rerun the workflow"
            )
        if row.paper not in papers:
            hint = nearest(row.paper, papers)
            raise ConfigError(f"claim {row.claim}: no paper {row.paper!r} in papers.yaml; {hint}")
        if row.chapter not in CHAPTERS:
            last = max(CHAPTERS)
            raise ConfigError(f"claim {row.claim}: no chapter {row.chapter}; valid: 1 to {last}")
        drawn = bool(row.figure) and (folder / "figures" / f"{row.figure}.svg").is_file()
        chapters.setdefault(row.chapter, []).append(
            JudgedClaim(
                row,
                papers[row.paper],
                str(node["region_source"]),
                row.figure if drawn else None,
                command(scale, row.experiment),
            )
        )
    figures = {name for index in indices.values() for name in index["figures"]}
    return Content(
        scale,
        [Chapter(number, chapters[number]) for number in sorted(chapters)],
        [_experiment(index, provenance["experiments"]) for index in indices.values()],
        sorted(name for name in figures if (folder / "figures" / f"{name}.csv").is_file()),
        provenance,
    )


def read_papers(file: Path) -> dict[str, Paper]:
    """Return the papers by key; raise ``ConfigError`` where a field is missing or unknown."""
    papers = {}
    for key, entry in yaml.safe_load(file.read_text(encoding="utf-8")).items():
        try:
            papers[str(key)] = Paper(**entry)
        except TypeError:
            raise ConfigError(
                f"{file}: {key}: exactly title, authors, year and identifier are needed"
            ) from None
    return papers


def command(scale: str, experiment: str) -> str:
    """Return the command that reproduces the verdicts of one experiment."""
    target = f"results/{scale}/{experiment}/verdicts.csv"
    return f"snakemake --cores 2 --config scale={scale} -- {target}"


def _counts(claims: list[JudgedClaim]) -> dict[str, int]:
    found = Counter(claim.verdict.verdict for claim in claims)
    return {name: found[name] for name in VERDICTS}


def _experiment(index: dict[str, Any], provenance: dict[str, Any]) -> dict[str, Any]:
    name = index["name"]
    if name not in provenance:
        raise CorruptFileError(f"provenance.json lacks experiment {name!r}; rerun the workflow")
    found = provenance[name]
    return {
        "name": name,
        "description": index["description"],
        "runs": found["runs"],
        "batches": len(found["batches"]),
        "diverged": found["diverged_runs"],
        "seeds": len(found["seeds"]),
        "data": found["data_sha256"],
        "wall": wording.duration(_total(found["batches"], "wall_seconds")),
        "cpu": wording.duration(_total(found["batches"], "cpu_seconds")),
    }


def _total(batches: dict[str, Any], key: str) -> float | None:
    """Return the seconds of all stages of all batches; None where a file does not state them."""
    names = ("train", "simulate", "measure")
    stages = [batch.get(name) for batch in batches.values() for name in names]
    seconds = [stage[key] for stage in stages if stage is not None]
    return None if None in seconds else sum(seconds)
