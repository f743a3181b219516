"""Writes commits of ours in a repository, in this process or as a program that may die on the way.

As a program: ``python -m tests.support.writer REPO NAME COUNT [STEP]`` writes COUNT commits under a
lock, each with one more file; with STEP it ends without any clean-up when that step is done.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from gitcmat.store.git import Git, Repository, discover
from gitcmat.store.objects import FILE, FOLDER, ObjectWriter
from gitcmat.store.packs import OnStep, no_step
from gitcmat.system.files import FileLock

REF: Final = "refs/cmat/state/n1"
WHO: Final = "Pat Person <pat@example.org> 1700000000 +0000"
DIED: Final = 9

_ROOT: Final = Path(__file__).parents[2]


class Writer:
    """A stand-in for the state: one folder on one ref, to which each commit adds one file."""

    def __init__(self, path: Path, on_step: OnStep = no_step) -> None:
        self.repo: Repository = discover(path)
        self.git = Git(self.repo.common_dir)
        self._on_step = on_step

    def tip(self) -> str | None:
        """Return the commit that the ref names."""
        return self.git.ref(REF)

    def names(self) -> set[str]:
        """Return the names of all files in the state."""
        return {entry.path.removeprefix("queue/") for entry in self.git.tree(REF)}

    def prepare(self, name: str, tip: str | None) -> tuple[ObjectWriter, str]:
        """Make the objects of a commit on `tip` that adds the file `name`."""
        writer = ObjectWriter(self.repo, self.git, on_step=self._on_step)
        there = self.git.tree(f"{tip}:queue") if tip else ()
        entries = [(entry.mode, entry.path, entry.oid) for entry in there]
        blob = writer.blob(f"name: {name}\n".encode())
        folder = writer.tree([*entries, (FILE, name, blob)])
        commit = writer.commit(
            tree=writer.tree([(FOLDER, "queue", folder)]),
            parents=[tip] if tip else [],
            author=WHO,
            committer=WHO,
            message=f"add {name}",
        )
        return writer, commit

    def add(self, name: str) -> str:
        """Write one commit that adds the file `name`, under a lock; return it."""
        with FileLock(self.repo.cmat / "test.lock"):
            tip = self.tip()
            writer, commit = self.prepare(name, tip)
            writer.publish(REF, commit, tip, why=f"add {name}")
        return commit


def start(path: Path, name: str, count: int, die_at: str = "") -> subprocess.Popen[bytes]:
    """Start the program."""
    argv = [sys.executable, "-m", "tests.support.writer", str(path), name, str(count), die_at]
    return subprocess.Popen(argv, env={**os.environ, "PYTHONPATH": str(_ROOT)})


def _main(path: str, name: str, count: str, die_at: str) -> None:
    def on_step(step: str) -> None:
        if step == die_at:
            os._exit(DIED)

    writer = Writer(Path(path), on_step)
    for number in range(int(count)):
        writer.add(f"{name}-{number}.yaml")


if __name__ == "__main__":
    _main(*sys.argv[1:])
