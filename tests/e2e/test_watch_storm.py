"""Whatever a person does beside the daemon, in whatever order: in the end all is as the tips say.

One seed is one storm: `pytest tests/e2e/test_watch_storm.py -k "seed-2"` repeats it.
"""

import os
import random
import shutil
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitcmat.model.state import State
from tests.support.cli import Running, gitcmat, running
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.watched import Project

if TYPE_CHECKING:
    from collections.abc import Callable

_STEPS = 14


class Storm:
    """A person who does things at random, and a daemon that is killed at random."""

    def __init__(self, project: Project, tmp_path: Path, seed: int, stack: ExitStack) -> None:
        self.project, self.repo = project, project.repo
        self.random = random.Random(seed)  # noqa: S311 - to be repeated
        self.tmp_path, self._stack = tmp_path, stack
        self.times = tmp_path / "times"
        self._number = 0
        self.daemon = self._start()

    def step(self) -> None:
        deeds: list[Callable[[], object]] = [
            *[self.add] * 5,
            self.amend,
            self.switch,
            self.delete,
            self.drop_view,
            self.gc,
            self.stop,
            self.cancel,
            self.kill,
        ]
        self.random.choice(deeds)()

    def add(self) -> None:
        self._number += 1
        name = f"t{self._number}"
        log = f"echo begin {name} $CMAT_RUN >> {self.times}"
        end = f"echo end {name} $CMAT_RUN >> {self.times}"
        self.project.commit_task(name, f"{log}\nsleep 0.{self.random.randrange(9)}\n{end}")

    def amend(self) -> None:
        self.repo.git("commit", "-q", "--amend", "--no-edit", "--allow-empty")

    def switch(self) -> None:
        name = f"side/{self.random.randrange(2)}"
        if not self.repo.has(f"refs/heads/{name}"):
            self.repo.branch(name)
        self.repo.switch(name)
        self.add()
        self.repo.switch("main")

    def delete(self) -> None:
        tasks = sorted((self.repo.path / ".cmat/tasks").glob("*.yaml"))
        if tasks:
            path = str(self.random.choice(tasks).relative_to(self.repo.path))
            self.repo.git("rm", "-q", path)
            self.repo.git("commit", "-q", "-m", "Drop", "--", path)

    def drop_view(self) -> None:
        folder = self.random.choice([".cmat/queue", ".cmat/blockers", ".cmat/runs"])
        shutil.rmtree(self.repo.path / folder, ignore_errors=True)

    def gc(self) -> None:
        self.repo.git("gc", "-q", "--prune=now")

    def stop(self) -> None:
        gitcmat(self.repo, "run", "stop", "--all")

    def cancel(self) -> None:
        found = gitcmat(self.repo, "queue", "list", "--json").ok().json["entries"]
        if found:
            gitcmat(self.repo, "queue", "cancel", self.random.choice(found)["id"])

    def kill(self) -> None:
        os.kill(self.daemon.process.pid, signal.SIGKILL)
        self.daemon.process.wait()
        self.daemon = self._start()

    def _start(self) -> Running:
        logs = self.tmp_path / f"log-{self.random.randrange(10**9)}"
        daemon = self._stack.enter_context(running(self.repo, "watch", "--every", "5", logs=logs))
        daemon.says("watching")
        return daemon


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4), ids=lambda n: f"seed-{n}")
def test_after_a_storm_everything_is_as_the_tip_says(
    repo: TestRepo, tmp_path: Path, seed: int
) -> None:
    project = Project(repo)
    with ExitStack() as stack:
        storm = Storm(project, tmp_path, seed, stack)
        for _ in range(_STEPS):
            storm.step()
        storm.add()

        def settled() -> bool:
            facts = project.app.deps.store.read()
            moving = facts.entries(State.ACTIVE)
            moving += [e for e in facts.entries(State.PENDING) if not e.hold]
            return not moving and facts.entry(f"t{storm._number}") is not None

        until(settled, 90, "the storm to settle")
        wanted = {p.stem for p in (repo.path / ".cmat/tasks").glob("*.yaml")}
        states = project.app.deps.store.read().states()
        assert wanted <= states.keys()
        assert states[f"t{storm._number}"] is State.REVIEW
    check_overlaps(storm.times)
    fsck = subprocess.run(
        ["git", "fsck", "--strict"], cwd=repo.path, capture_output=True, text=True, check=False
    )
    assert fsck.returncode == 0, fsck.stderr


def check_overlaps(times: Path) -> None:
    """No task ran twice at once: a begin comes after the end of the task's run before, or after
    that run was stopped.
    """
    begun: dict[str, list[str]] = {}
    ended: set[str] = set()
    for line in times.read_text().splitlines():
        word, task, run = line.split()
        if word == "begin":
            begun.setdefault(task, []).append(run)
        else:
            assert run == begun[task][-1], f"{run} of {task} went on after {begun[task][-1]} began"
            ended.add(run)
    assert ended
