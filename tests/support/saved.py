"""Saves and restores checkpoints in this process, or as a program that may die on the way.

As a program: ``python -m tests.support.saved REPO ID [STEP]`` restores ID; with STEP it ends
without any clean-up when that step is done.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from gitcmat.app import open_app
from gitcmat.engine import checkpoints, restores
from gitcmat.engine.checkpoints import About
from gitcmat.model.checkpoint import Checkpoint, NewFiles
from gitcmat.store.packs import OnStep, no_step
from tests.support.repo import TestRepo

DIED: Final = 9
_ROOT: Final = Path(__file__).parents[2]


def yes(_new: NewFiles) -> bool:
    """Allow any number of new files."""
    return True


def save(where: TestRepo | Path, name: str = "now") -> Checkpoint:
    """Make a checkpoint."""
    path = where.path if isinstance(where, TestRepo) else where
    return checkpoints.create(open_app(path).deps, name, About(), yes)


def restore(
    where: TestRepo | Path, checkpoint_id: str, on_step: OnStep = no_step, *, records: bool = False
) -> restores.Restored:
    """Restore a checkpoint, as the person."""
    path = where.path if isinstance(where, TestRepo) else where
    deps = open_app(path).deps
    found = checkpoints.find(deps, checkpoint_id)
    if isinstance(where, TestRepo):
        with where.as_person():
            return restores.restore(deps, found, yes, records=records, on_step=on_step)
    return restores.restore(deps, found, yes, records=records, on_step=on_step)


def repaired(path: Path) -> str:
    """Repair, as the next command does."""
    return restores.repair(open_app(path).deps)


def start(path: Path, checkpoint_id: str, die_at: str = "") -> "subprocess.Popen[bytes]":
    """Start the program in a process group of its own."""
    argv = [sys.executable, "-m", "tests.support.saved", str(path), checkpoint_id, die_at]
    env = {**os.environ, "PYTHONPATH": str(_ROOT)}
    return subprocess.Popen(argv, env=env, start_new_session=True)


def _main(path: str, checkpoint_id: str, die_at: str) -> None:
    def on_step(step: str) -> None:
        if step == die_at:
            os._exit(DIED)

    restore(Path(path), checkpoint_id, on_step)


if __name__ == "__main__":
    _main(*sys.argv[1:])
