"""A private Slurm on this machine: its own key, ports and folder, and no accounting."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
# How long a job that lost its node waits, too; 120 seconds are Slurm's own.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
PlugStackConfig={folder}/plugstack.conf
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
# The least loaded node first, so that jobs spread.
SelectTypeParameters=CR_CPU_Memory,CR_LLN
SchedulerType=sched/builtin
ReturnToService=2
MinJobAge=600
SlurmctldTimeout=30
# A node that is silent for so long is down.
SlurmdTimeout=10
KillWait=2
Waittime=0
SlurmdParameters=config_overrides
GresTypes=gpu
{nodes}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing_programs() -> list[str]:
    """Return the programs that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]


def _path() -> str:
    # Where daemons lie, which is not on the path of every user.
    return os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])


class Cluster:
    """``nodes`` nodes of two CPUs and two pretended GPUs each, all of them this machine."""

    def __init__(self, nodes: int) -> None:
        self.names = [f"node{i + 1}" for i in range(nodes)]
        # Not pytest's folder: the path of a socket ends at 108 characters.
        self.folder = Path(tempfile.mkdtemp(prefix="slurm", dir="/tmp"))

    def variables(self, path: str) -> dict[str, str]:
        """Return what a process that submits to this cluster needs, beside its own ``PATH``."""
        return {
            "SLURM_CONF": f"{self.folder}/slurm.conf",
            "PATH": os.pathsep.join([str(self.folder / "bin"), path]),
        }

    def start(self) -> None:
        """Bring everything up; raise ``RuntimeError`` where the nodes do not become idle."""
        for name in ("state", "bin"):
            (self.folder / name).mkdir()
        self._write_configuration()
        self._write_srun()
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        # --force: the folder of the socket lies in one that everybody may write to.
        self._run(
            "munged",
            "--force",
            *(f"--{name}={self.folder}/munge.{end}" for name, end in _MUNGE_FILES.items()),
        )
        self._run("slurmctld", "-c")
        for name in self.names:
            self.start_node(name)
        self.wait(lambda: set(self.states().values()) == {"idle"}, "idle nodes")

    def start_node(self, name: str) -> None:
        self._run("slurmd", "-N", name, "-c")

    def stop(self) -> None:
        """End the daemons, and with them whatever jobs still run; take the folder away."""
        self.call("scancel", "--user", _user())
        self.wait(lambda: not self.call("squeue", "--noheader", "--states=R,CG").strip(), "no jobs")
        for file in sorted(self.folder.glob("*.pid"), reverse=True):
            _end(_read_pid(file))
        shutil.rmtree(self.folder)

    def kill_node(self, name: str) -> None:
        """Let a node die: its daemon and all that it runs, at once and without a word."""
        marks = (f"SLURMD_NODENAME={name}\0".encode(), f"SLURM_CONF={self.folder}".encode())
        running = [pid for pid in _processes() if all(mark in _environment(pid) for mark in marks)]
        steps = {_parent(pid) for pid in running} - set(running)
        steps = {pid for pid in steps if b"slurmstepd" in _command(pid)}
        for pid in [_read_pid(self.folder / f"{name}.pid"), *running, *steps]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def states(self) -> dict[str, str]:
        """Return the state of each node."""
        lines = self.call("sinfo", "--noheader", "--Node", "--format=%N %T").splitlines()
        return dict(line.split() for line in lines)

    def jobs(self, state: str) -> list[str]:
        """Return the ids of the jobs in a state, such as ``RUNNING``."""
        return self.call("squeue", "--noheader", f"--states={state}", "--format=%i").split()

    def call(self, *command: str) -> str:
        return self._run(*command).stdout

    def wait(self, condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise RuntimeError(f"no {what} after {seconds} s: {self._logs()}")
            time.sleep(0.2)

    def _write_configuration(self) -> None:
        host = socket.gethostname().partition(".")[0]
        port, *ports = _free_ports(1 + len(self.names))
        nodes = [
            f"NodeName={name} NodeAddr=127.0.0.1 NodeHostname={host} Port={own} "
            "CPUs=2 RealMemory=64000 Gres=gpu:2 State=UNKNOWN"
            for name, own in zip(self.names, ports, strict=True)
        ]
        text = CONFIGURATION.format(
            folder=self.folder, host=host, port=port, user=_user(), nodes="\n".join(nodes)
        )
        (self.folder / "slurm.conf").write_text(text)
        # Slurm only counts them; nothing here computes on one.
        (self.folder / "gres.conf").write_text("Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n")
        (self.folder / "plugstack.conf").touch()

    def _write_srun(self) -> None:
        """Put back what the plugin takes from the environment of the inner srun.

        It needs no help where the configuration lies in /etc/slurm, as on a real cluster.
        """
        shim = self.folder / "bin" / "srun"
        real = shutil.which("srun")
        shim.write_text(f'#!/bin/sh\nexec env SLURM_CONF={self.folder}/slurm.conf {real} "$@"\n')
        shim.chmod(0o755)

    def _run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            command,
            env={**os.environ, **self.variables(_path())},
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} failed: {done.stderr}{self._logs()}")
        return done

    def _logs(self) -> str:
        files = sorted(self.folder.glob("*.log"))
        return "".join(f"\n== {file.name}\n{file.read_text()[-2000:]}" for file in files)


_MUNGE_FILES = {
    "key-file": "key",
    "socket": "socket",
    "pid-file": "pid",
    "log-file": "log",
    "seed-file": "seed",
}


def _user() -> str:
    return subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _read_pid(file: Path) -> int:
    return int(file.read_text())


def _end(pid: int) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        for _ in range(40):
            if not _is_alive(pid):
                return
            os.kill(pid, number)
            time.sleep(0.1)


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _environment(pid: int) -> bytes:
    return _read(pid, "environ")


def _command(pid: int) -> bytes:
    return _read(pid, "cmdline")


def _is_alive(pid: int) -> bool:
    # A dead daemon stays a zombie where the first process of a container reaps nothing.
    return _status(pid)[:1] not in ([], [b"Z"])


def _parent(pid: int) -> int:
    status = _status(pid)
    return int(status[1]) if status else 0


def _status(pid: int) -> list[bytes]:
    # The name of the process, in parentheses, may hold anything.
    return _read(pid, "stat").rpartition(b")")[2].split()


def _read(pid: int, file: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{file}").read_bytes()
    except OSError:
        return b""  # it has ended
