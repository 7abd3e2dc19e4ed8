"""A copy of the project to run the real workflow in, whole or with three small experiments."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dimlaws.storage import link_or_copy

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "environment.yml", "profiles", "workflow", "config", "src")
MINI = Path(__file__).parent / "mini"
"""Experiments ``widths`` (trained), ``images`` (only measured) and ``spacing`` (a study): quick."""

DIES = Path(__file__).parent / "dying_dimlaws.py"


@dataclass
class Project:
    """A folder with the project's parts and its own results."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def new(cls, folder: Path) -> "Project":
        folder.mkdir(parents=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir() and not source.is_symlink():
                ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
                shutil.copytree(source, folder / part, symlinks=True, ignore=ignored)
            else:
                shutil.copy2(source, folder / part, follow_symlinks=False)
        return cls(folder)

    @classmethod
    def mini(cls, folder: Path) -> "Project":
        project = cls.new(folder)
        shutil.rmtree(folder / "config" / "experiment")
        shutil.copytree(MINI, folder / "config" / "experiment")
        experiments = folder / "config/experiment"
        (experiments / "curve.py").rename(folder / "src/dimlaws/figures/curve.py")
        (experiments / "spacing.py").rename(folder / "src/dimlaws/studies/spacing.py")
        return project

    def link_data(self) -> None:
        """Take the data sets that were fetched before; a missing one is fetched by the workflow."""
        data = self.folder / "results" / "data"
        data.mkdir(parents=True)
        for file in (ROOT / "results" / "data").glob("*.safetensors"):
            link_or_copy(file, data / file.name)

    def copy(self, folder: Path) -> "Project":
        """Copy everything, times and Snakemake's own records included."""
        subprocess.run(["cp", "-a", self.folder, folder], check=True)
        return Project(folder, dict(self.environment))

    def __truediv__(self, path: str) -> Path:
        return self.folder / path

    def variables(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        return {
            **os.environ,
            # An editable installation stands behind PYTHONPATH, so this copy's code is run.
            "PYTHONPATH": str(self.folder / "src"),
            "PATH": os.pathsep.join(
                [str(self.folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
            ),
            "DIMLAWS_DATA": "",
            **self.environment,
            **(extra or {}),
        }

    def start(self, *command: str, **extra: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.variables(extra),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def call(self, *command: str, **extra: str) -> "Done":
        process = self.start(*command, **extra)
        output, _ = process.communicate(timeout=1800)
        return Done(process.returncode, output)

    def snakemake(self, *arguments: str, **extra: str) -> "Done":
        cores = () if "--cores" in arguments else ("--cores", "2")
        return self.call("snakemake", *cores, *arguments, **extra)

    def make(self, *arguments: str) -> "Done":
        """Run the workflow, which must succeed."""
        done = self.snakemake(*arguments)
        assert done.status == 0, done.output
        return done

    def planned(self, *arguments: str) -> dict[str, int]:
        """Return the jobs that a run would do, by rule."""
        done = self.snakemake("-n", *arguments)
        assert done.status == 0, done.output
        return done.jobs

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} in {file}: {text.count(old)} times"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def append(self, file: str, text: str) -> None:
        with (self.folder / file).open("a", encoding="utf-8") as stream:
            stream.write(text)

    def dying(self) -> "Project":
        """Let ``dimlaws`` be a command that kills itself at the moment that DIE names."""
        command = self.folder / "bin" / "dimlaws"
        command.parent.mkdir(exist_ok=True)
        command.write_text(f"#!{sys.executable}\n{DIES.read_text(encoding='utf-8')}")
        command.chmod(0o755)
        return self


@dataclass(frozen=True)
class Done:
    """Exit status and output of a command."""

    status: int
    output: str

    @property
    def jobs(self) -> dict[str, int]:
        """The table of jobs that Snakemake prints, without the target ``all`` and the sum."""
        if "Nothing to be done" in self.output:
            return {}
        _, found, table = self.output.partition("Job stats:\n")
        assert found, self.output
        rows = re.findall(r"^(\w+) +(\d+)$", table.partition("\n\n")[0], flags=re.MULTILINE)
        jobs = {rule: int(count) for rule, count in rows}
        total = jobs.pop("total")
        assert total == sum(jobs.values())
        return {rule: count for rule, count in jobs.items() if rule != "all"}


def contents(folder: Path, *patterns: str) -> dict[str, bytes]:
    """Return the bytes of the files below ``folder`` that match, by relative path."""
    found = {
        str(file.relative_to(folder)): file.read_bytes()
        for pattern in patterns
        for file in sorted(folder.glob(pattern))
    }
    assert found, f"nothing in {folder} matches {patterns}"
    return found


NUMBERS = (
    "*/*/trained/*.safetensors",
    "*/*/records/*.parquet",
    "*/*/runs.parquet",
    "*/*/verdicts.csv",
    "*/verdicts.csv",
)
"""Results that must be the same bytes whenever they are made, and whatever happened meanwhile."""
