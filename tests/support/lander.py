"""Lands commits in a repository, in this process or as a program that may die on the way.

As a program: ``python -m tests.support.lander REPO REF NEW [STEP]`` lands NEW; with STEP it ends
without any clean-up when that step is done.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from gitcmat.store import landing_journal, landing_repair
from gitcmat.store.git import Git, discover
from gitcmat.store.landing import land
from gitcmat.store.landing_commits import workshop
from gitcmat.store.landing_journal import Journal
from gitcmat.store.packs import OnStep, RefMove, no_step
from tests.support.repo import TestRepo

DIED: Final = 9
MAIN: Final = "refs/heads/main"

_ROOT: Final = Path(__file__).parents[2]


def prepared(path: Path, work: str, target: str = MAIN) -> str:
    """Make the squashed commit of `work` on `target` and bring it home."""
    repo = discover(path)
    tip = Git(repo.common_dir).rev(target)
    assert tip
    with workshop(repo) as shop:
        merged = shop.merge(tip, work)
        assert merged.conflicts == ()
        commit = shop.squash(merged.tree, tip, "Land it\n")
        shop.bring_home(commit, (tip, work), "it")
    return commit


def landed(path: Path, new: str, target: str = MAIN, on_step: OnStep = no_step) -> Path | None:
    """Land `new`, forget the journal, and return the work tree that was changed with it."""
    repo = discover(path)
    git = Git(repo.common_dir)
    done = land(
        repo, git, RefMove(target, new, git.rev(target), "land it"), {"task": "it"}, on_step
    )
    landing_journal.remove(repo, done.journal)
    return done.work_tree


def repaired(path: Path) -> Journal | None:
    """Repair, and forget the journal, as the next command does."""
    repo = discover(path)
    journal = landing_repair.repair(repo, Git(repo.common_dir))
    if journal is not None:
        landing_journal.remove(repo, journal)
    assert not landing_journal.needs_repair(repo)
    return journal


def start(where: TestRepo | Path, new: str, die_at: str = "") -> "subprocess.Popen[bytes]":
    """Start the program in a process group of its own."""
    path = where.path if isinstance(where, TestRepo) else where
    argv = [sys.executable, "-m", "tests.support.lander", str(path), MAIN, new, die_at]
    env = {**os.environ, "PYTHONPATH": str(_ROOT)}
    return subprocess.Popen(argv, env=env, start_new_session=True)


def _main(path: str, ref: str, new: str, die_at: str) -> None:
    def on_step(step: str) -> None:
        if step == die_at:
            os._exit(DIED)

    landed(Path(path), new, ref, on_step)


if __name__ == "__main__":
    _main(*sys.argv[1:])
