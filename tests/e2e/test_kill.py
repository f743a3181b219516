"""The daemon dies at random moments, again and again, and every task is still done once.

Repeat a run with the seed that it printed: GITCMAT_SEED=… pytest -m slow tests/e2e/test_kill.py
"""

import os
import random
import signal
import sys
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from tests.support.cli import gitcmat, running
from tests.support.diary import AGENT, Diary
from tests.support.history import History
from tests.support.repo import TestRepo
from tests.support.runs import processes_with
from tests.support.wait import until

SEED: Final = int(os.environ.get("GITCMAT_SEED") or random.SystemRandom().randrange(10**6))

PROFILE: Final = "---\nname: worker\nruns: command\ncommand: [sh, tools/worker.sh]\n---\n"
CONFIG: Final = "schema: 1\ndefaults:\n  agent: worker\n"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Killing:
    """A queue of tasks that is worked on by daemons that do not live long."""

    def __init__(self, repo: TestRepo, folder: Path) -> None:
        """Prepare the repository; what agents say of themselves comes into `folder`."""
        self.repo = repo
        self.diary = Diary(folder / "diary.txt")
        self.tasks: set[str] = set()
        self.in_the_middle = 0
        """How many daemons were killed while something was left to do."""
        self._folder = folder
        self._chance = random.Random(SEED)  # noqa: S311 - to be repeated
        (folder / "agent.py").write_text(AGENT, encoding="utf-8")
        repo.commit(
            "Use gitcmat",
            {
                ".cmat/agents/worker.md": PROFILE,
                ".cmat/config.yaml": CONFIG,
                "tools/worker.sh": "eval \"$(sed -n 's/^Run: //p')\"\n",
            },
        )
        digest = gitcmat(repo, "trust", "--print-digest").ok().out.strip()
        gitcmat(repo, "trust", "--digest", digest).ok()

    def commit_tasks(self, count: int) -> None:
        """Commit some tasks at once, each of which takes a second or two."""
        agent = f"exec {sys.executable} {self._folder / 'agent.py'} {self.diary.path}"
        new = [f"task-{len(self.tasks) + number:02}" for number in range(count)]
        files = {
            f".cmat/tasks/{task}.yaml": (
                f"title: Work\nprompt: |\n  Run: {agent} {self._chance.uniform(0.5, 3):.2f}\n"
            )
            for task in new
        }
        self.repo.commit("Work for the daemon", files)
        self.tasks |= set(new)

    def kill(self, rounds: int, *, runners: bool = False) -> None:
        """Start a daemon, let it work for a moment and kill it, with its `runners` or without
        them; `rounds` times, while the tasks come in three heaps.
        """
        heaps = {0: 8, rounds // 3: 6, 2 * rounds // 3: 6}
        for number in range(rounds):
            if number in heaps:
                self.commit_tasks(heaps[number])
            with running(self.repo, "watch", logs=self._folder / f"watch-{number}") as daemon:
                daemon.says("watching")
                self._let_it_live()
                self.in_the_middle += len(self.ended()) < len(self.tasks)
                daemon.signal(signal.SIGKILL)
                assert daemon.wait().code == -signal.SIGKILL, daemon.err
            if runners:
                for pid in processes_with(str(self.repo.git_dir / "cmat/runs/")):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

    def _let_it_live(self) -> None:
        """Wait for a random moment: at any time, or while it claims, which is soon over."""
        if self._chance.random() < 0.5:
            time.sleep(self._chance.uniform(0.0, 0.9))
            return
        runs = self.repo.git_dir / "cmat/runs"
        before = set(runs.glob("r-*"))
        with suppress(AssertionError):  # nothing was to be claimed
            until(lambda: set(runs.glob("r-*")) - before, 1.5, "a claim")
        time.sleep(self._chance.uniform(0.0, 0.2))

    def ended(self) -> set[str]:
        """Return the tasks of which an agent came to its end."""
        return {span.task for span in self.diary.spans() if span.ended}

    def finish(self) -> History:
        """Let one last daemon do the rest; compare what the agents wrote themselves with what
        the history of the records says.
        """
        with running(self.repo, "watch", "--until-idle", logs=self._folder / "last") as daemon:
            daemon.wait(120).ok()
        history = History(self.repo)
        spans = self.diary.spans()
        assert history.states == dict.fromkeys(self.tasks, "review")
        assert {span.run for span in spans} <= history.claimed
        for task in sorted(self.tasks):
            own = sorted((s for s in spans if s.task == task), key=lambda s: s.first)
            for before, after in pairwise(own):
                assert before.last < after.first, f"{task} ran twice at once: {before} {after}"
            (accepted,) = history.accepted[task]
            assert accepted not in history.interrupted, f"{task}: a dead run was accepted"
            assert (own[-1].run, own[-1].ended) == (accepted, True), f"{task}: {own}"
            assert history.work(task) == f"{accepted}\n"
        self.repo.git("fsck", "--strict")
        return history


def test_25_kills_of_the_daemon_lose_no_task_and_run_none_twice(
    repo: TestRepo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killing = Killing(repo, tmp_path)
    killing.kill(25)
    history = killing.finish()
    with capsys.disabled():
        print(  # noqa: T201
            f"\nGITCMAT_SEED={SEED}: 25 kills, {killing.in_the_middle} of them in mid-work; "
            f"{len(history.claimed)} runs, {len(history.interrupted)} interrupted",
            file=sys.stderr,  # the one stream of a worker of pytest-xdist that is seen
        )
    assert killing.in_the_middle >= 15
    # Whatever was begun has been brought to its end: a run does not need the daemon.
    assert all(span.ended for span in killing.diary.spans())


def test_runners_that_die_with_their_daemon_have_no_say(
    repo: TestRepo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killing = Killing(repo, tmp_path)
    killing.kill(8, runners=True)
    history = killing.finish()
    with capsys.disabled():
        print(  # noqa: T201
            f"\nGITCMAT_SEED={SEED}: 8 kills of the daemon and its runners; "
            f"{len(history.claimed)} runs, {len(history.interrupted)} interrupted",
            file=sys.stderr,  # the one stream of a worker of pytest-xdist that is seen
        )
    assert history.interrupted
