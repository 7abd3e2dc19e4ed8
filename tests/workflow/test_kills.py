"""Killed at any moment and run again, the workflow ends with the same bytes."""

import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from project import NUMBERS, Project, contents

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

SEED = 7
KILLS = 20

DIGITS = "results/data/digits.safetensors"
WIDTHS = "results/quick/widths"
IMAGES = "results/quick/images"


def test_jobs_killed_at_every_stage(finished, tmp_path):
    project = finished.copy(tmp_path / "project").dying()
    for folder in ("results", ".snakemake"):
        shutil.rmtree(project / folder)
    batch = min((finished / WIDTHS / "trained").iterdir()).stem

    trained = f"{WIDTHS}/trained/{batch}.safetensors"
    widths = f"{WIDTHS}/records/{batch}.parquet"
    images = f"{IMAGES}/records/{min((finished / IMAGES / 'records').iterdir()).name}"

    def dies(moments, *targets):
        done = project.snakemake(*targets, DIE=moments)
        assert done.status != 0
        assert done.output.count("died with <Signals.SIGKILL: 9>") == len(targets), done.output
        for target in targets:
            assert not (project / target).exists()

    def half_written(target):
        path = project / target
        return list(path.parent.glob(f".{path.name}.*.part"))

    dies("fetch:trying,train:step", DIGITS, trained)
    assert not half_written(trained)
    dies("fetch:write,train:write", DIGITS, trained)
    assert half_written(trained)
    # The checkpoint is in place, but its job did not end.
    dies("train:move,measure:to measure", trained, images)
    dies("measure:write", widths, images)
    assert half_written(widths)
    dies("collect:write", f"{IMAGES}/runs.parquet")

    project.make()
    patterns = (*NUMBERS, "*/figures/*")
    assert contents(project / "results", *patterns) == contents(finished / "results", *patterns)
    assert project.planned() == {}


def test_snakemake_killed(finished, tmp_path, project):
    project.dying()
    shutil.rmtree(project / WIDTHS)
    wait = tmp_path / "wait"
    wait.touch()
    process = project.start(
        "snakemake", "--cores", "2", f"{WIDTHS}/runs.parquet", WAIT=f"train:{wait}"
    )
    while len(list(tmp_path.glob("wait.*"))) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    orphans = [int(file.suffix[1:]) for file in tmp_path.glob("wait.*")]
    process.kill()
    process.wait()
    # Snakemake cannot know that the lock's owner is dead, so it says how to take the lock away.
    done = project.snakemake(f"{WIDTHS}/runs.parquet")
    assert done.status != 0
    assert "Directory cannot be locked" in done.output
    assert "--unlock" in done.output
    project.make("--unlock")
    # The orphaned jobs go on writing the same results beside the new ones; one is killed.
    os.kill(orphans[0], signal.SIGKILL)
    wait.unlink()
    done = project.make(f"{WIDTHS}/runs.parquet")
    assert done.jobs == {"train": 2, "measure": 2, "collect": 1}
    # The orphan still writes, maybe.
    while Path(f"/proc/{orphans[1]}").exists():
        time.sleep(0.05)
    patterns = [f"quick/widths/{name}" for name in ("trained/*", "records/*", "runs.parquet")]
    assert contents(project / "results", *patterns) == contents(finished / "results", *patterns)
    assert project.planned(f"{WIDTHS}/runs.parquet") == {}


class Run:
    """Snakemake at work, with all of its jobs in a process group of their own."""

    def __init__(self, project: Project, *arguments: str) -> None:
        self._output = project / "output.txt"
        with self._output.open("w") as stream:
            self.process = subprocess.Popen(
                ["snakemake", "--cores", "2", *arguments],
                cwd=project.folder,
                env=project.variables(),
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def output(self) -> str:
        return self._output.read_text()

    def last(self, seconds: float) -> None:
        """Let it run so long, or to its end."""
        end = time.monotonic() + seconds
        while not self.ended and time.monotonic() < end:
            time.sleep(0.01)

    def start_jobs(self) -> float:
        """Wait until it starts the first job; return how long it took."""
        begin = time.monotonic()
        while not self.ended and "\nExecute " not in self.output:
            time.sleep(0.01)
        return time.monotonic() - begin

    def jobs(self) -> dict[int, str]:
        """Return the stages that run now, by process id."""
        commands = {pid: command.decode().split("\0") for pid, command in self._members()}
        return {
            pid: words[2]
            for pid, words in commands.items()
            if len(words) > 2 and words[1].endswith("/dimlaws")
        }

    def kill(self) -> None:
        """Kill the whole group at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        while list(self._members()):
            time.sleep(0.01)

    def _members(self):
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                state, _, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
                if int(group) == self.process.pid and state != "Z":
                    yield int(folder.name), (folder / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue


BYTES = (*NUMBERS, "*/figures/*.csv")


def killed_at_random(project, finished, *arguments, spread):
    """Kill runs at random moments, ``KILLS`` in all, and run to the end: as if undisturbed.

    ``spread`` is how long jobs run before a kill, at most, in units of Snakemake's start-up. Some
    kills hit one job, and the whole group a moment later. What is finished is begun anew.
    """
    moments = random.Random(SEED)
    hits, begun, starting = [], 0, 2.0

    def check():
        made, expected = (contents(each / "results", *BYTES) for each in (project, finished))
        assert made == expected

    while len(hits) < KILLS:
        run = Run(project, *arguments)
        one_killed = False
        if moments.random() < 0.15:
            run.last(moments.uniform(0, starting))
        else:
            starting = run.start_jobs()
            run.last(moments.uniform(0, spread * starting))
            jobs = run.jobs()
            if jobs and moments.random() < 0.25 and len(hits) < KILLS - 1:
                victim = moments.choice(sorted(jobs))
                with suppress(ProcessLookupError):  # it has ended just now
                    os.kill(victim, signal.SIGKILL)
                    one_killed = True
                    hits.append(jobs[victim])
                run.last(moments.uniform(0, starting))
        running = sorted(run.jobs().values())
        if run.ended:
            assert run.process.returncode == 0 or one_killed, run.output
            if run.process.returncode == 0:
                check()
                begun += 1
                for folder in ("results", ".snakemake"):
                    shutil.rmtree(project / folder)
            continue
        run.kill()
        hits.append(f"all{running}")
        if list(project.folder.glob(".snakemake/locks/*")):
            project.make("--unlock", *arguments)
    print(f"seed {SEED}, begun anew {begun} times, killed: {', '.join(hits)}")
    parts = list((project / "results").glob("**/.*.part"))
    print(f"temporary files left: {len(parts)}")
    # They are not deleted while they may still be written.
    for part in parts:
        os.utime(part, (0, 0))
    # Something is done in any case.
    project.make(*arguments, "--forcerun", "verdicts")
    check()
    assert not list((project / "results").glob("**/.*.part"))
    assert project.planned(*arguments) == {}


def test_killed_at_random_moments(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    for folder in ("results", ".snakemake"):
        shutil.rmtree(project / folder)
    killed_at_random(project, finished, spread=5)


@pytest.mark.soak
def test_the_repository_killed_at_random_moments(tmp_path):
    scale = ("--config", "scale=smoke")
    reference = Project.new(tmp_path / "reference")
    reference.link_data()
    reference.make(*scale)
    project = Project.new(tmp_path / "project")
    project.environment["DIMLAWS_DATA"] = str(reference / "results/data")
    # Twenty kills in the minutes that the whole takes.
    killed_at_random(project, reference, *scale, spread=8)
