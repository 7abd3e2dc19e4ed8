"""Disks that are full or read-only, in a mount namespace of their own: nobody else sees them."""

import os
import subprocess
from pathlib import Path

from project import Done, Project

PAGE = 4096
"""Bytes by which files on a tmpfs take room."""


class Disks:
    """A mount namespace; it goes, with all that is mounted in it, when its process ends.

    Root needs no other namespace; other users are root in a user namespace, where the system
    allows one.
    """

    def __init__(self) -> None:
        self._user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
        self._holder = subprocess.Popen(
            ["unshare", "--mount", *self._user, "sh", "-c", "echo; exec sleep infinity"],
            stdout=subprocess.PIPE,
        )
        self._holder.stdout.readline()

    @property
    def usable(self) -> bool:
        """Whether the namespace is there and something can be mounted in it."""
        return self._holder.poll() is None and self._run("mount", "--make-rprivate", "/") == 0

    def close(self) -> None:
        self._holder.kill()
        self._holder.wait()
        self._holder.stdout.close()

    def enter(self, folder: Path, *command: str) -> tuple[str, ...]:
        """Return the command that runs a command with these disks, in a folder."""
        user = ("--user", "--preserve-credentials") if self._user else ()
        inside = ("--target", str(self._holder.pid), "--mount", *user)
        return ("nsenter", *inside, "sh", "-c", 'cd "$0" && exec "$@"', str(folder), *command)

    def seen(self, path: Path) -> Path:
        """Return where a path of the namespace can be read from outside."""
        return Path(f"/proc/{self._holder.pid}/root") / path.relative_to("/")

    def mount_small(self, folder: Path, pages: int) -> None:
        """Mount an empty disk of so many pages on a folder."""
        self._mount("-t", "tmpfs", "-o", f"size={pages * PAGE}", "small", str(folder))

    def resize(self, folder: Path, pages: int) -> None:
        """Let the disk on a folder have so many pages, used ones included."""
        self._mount("-o", f"remount,size={pages * PAGE}", str(folder))

    def fill(self, folder: Path, free: int) -> None:
        """Leave so many free pages on the disk on a folder."""
        (self.seen(folder) / "ballast").write_bytes(b"no disk is of size 0")
        space = os.statvfs(self.seen(folder))
        self.resize(folder, space.f_blocks - space.f_bfree + free)

    def forbid_writing(self, folder: Path) -> None:
        """Let a folder be read-only."""
        self._mount("--bind", str(folder), str(folder))
        self._mount("-o", "remount,bind,ro", str(folder))

    def allow_writing(self, folder: Path) -> None:
        """Take ``forbid_writing`` back."""
        assert self._run("umount", str(folder)) == 0

    def call(self, project: Project, *command: str) -> Done:
        """Call a command in a project's folder."""
        return project.call(*self.enter(project.folder, *command))

    def snakemake(self, project: Project, *arguments: str) -> Done:
        return self.call(project, "snakemake", "--cores", "2", *arguments)

    def _mount(self, *arguments: str) -> None:
        assert self._run("mount", *arguments) == 0, arguments

    def _run(self, *command: str) -> int:
        return subprocess.run(self.enter(Path("/"), *command), check=False).returncode
