"""A queue of tasks that is worked on by processes that do not live long.

Who is killed, when and how long after that is decided beforehand, by a seed; what really was hit is
looked at while everything stands still.
"""

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from gitcmat.system import processes
from tests.support.cli import Running, gitcmat, running
from tests.support.diary import AGENT, Diary
from tests.support.phases import LIVE, Phase, Runs
from tests.support.repo import TestRepo
from tests.support.runs import processes_in, processes_with

PROFILE: Final = "---\nname: worker\nruns: command\ncommand: [sh, tools/worker.sh]\n---\n"
CONFIG: Final = """\
schema: 1
defaults:
  agent: worker
  attempts: 20
  backoff: 1s
gates:
  check:
    run: [sh, tools/check.sh]
"""
CHECK: Final = 'test "$(cat "$CMAT_TASK.txt")" = "$CMAT_RUN" && sleep 0.15\n'
"""A gate that takes a moment: the work of this very run is there."""

_LONGEST_WAIT: Final = 2.0
_FEW: Final = 4


class Victims(StrEnum):
    """Who is killed at once."""

    DAEMON = "daemon"
    RUNNERS = "runners"
    AGENTS = "agents"
    DAEMON_AND_RUNNERS = "daemon and runners"
    ALL = "daemon, runners and agents"


_WEIGHTS: Final = {
    Victims.DAEMON: 7,
    Victims.RUNNERS: 3,
    Victims.AGENTS: 2,
    Victims.DAEMON_AND_RUNNERS: 5,
    Victims.ALL: 5,
}
_WITH_DAEMON: Final = {Victims.DAEMON, Victims.DAEMON_AND_RUNNERS, Victims.ALL}
_WITH_RUNNERS: Final = {Victims.RUNNERS, Victims.DAEMON_AND_RUNNERS, Victims.ALL}
_WITH_AGENTS: Final = {Victims.AGENTS, Victims.ALL}

_STARTING, _ANY_TIME = "while a daemon starts", "at any time"
_WANTED: Final = (
    _STARTING,
    _ANY_TIME,
    *(set(Phase) - {Phase.HIDDEN, Phase.DEAD}),
)
_DELAYS: Final = {
    _STARTING: 0.4,
    _ANY_TIME: 0.7,
    Phase.STARTED: 0.05,
    Phase.WORKING: 0.3,
    Phase.JUDGED: 0.1,
    Phase.REPORTED: 0.03,
}
"""The longest wait after the moment has come; where it is not named, it is `_SHORT`."""
_SHORT: Final = 0.003


@dataclass(frozen=True, slots=True)
class Blow:
    """What is to be hit: whom, when, and how many seconds after that."""

    victims: Victims
    when: str
    delay: float


def plan(seed: str, rounds: int) -> list[Blow]:
    """Return the same blows for the same seed; each moment comes up about as often."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated
    moments: list[str] = []
    while len(moments) < rounds:
        moments += chance.sample(sorted(_WANTED), len(_WANTED))
    whom = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=rounds)
    blows = []
    for victims, moment in zip(whom, moments, strict=False):
        when = Phase.WORKING if victims is Victims.AGENTS else moment
        delay = chance.uniform(0, _DELAYS.get(when, _SHORT))
        blows.append(Blow(victims, when, round(delay, 4)))
    return blows


class Killing:
    """One repository with its tasks, and what was hit in it; a context that leaves no daemon."""

    def __init__(self, repo: TestRepo, folder: Path, seed: str) -> None:
        """Prepare the repository; what agents say of themselves comes into `folder`."""
        self.repo = repo
        self.diary = Diary(folder / "diary.txt")
        self.tasks: list[str] = []
        self.hits = 0
        """Kills at which a run was under way."""
        self.phases: Counter[StrEnum] = Counter()
        """How often a run was in that phase at a kill."""
        self.victims: Counter[StrEnum] = Counter()
        """How often some of these were really killed."""
        self._folder = folder
        self._chance = random.Random(seed)  # noqa: S311 - to be repeated
        self._runs = Runs(repo, self.diary)
        self._stack = ExitStack()
        self._daemon: Running | None = None
        self._daemons = 0
        self._agent = folder / "agent.py"
        self._agent.write_text(AGENT, encoding="utf-8")
        repo.allow("git:info/.exclude.*.tmp")  # our block in it, on its way while we look
        repo.commit(
            "Use gitcmat",
            {
                ".cmat/agents/worker.md": PROFILE,
                ".cmat/config.yaml": CONFIG,
                "tools/worker.sh": "eval \"$(sed -n 's/^Run: //p')\"\n",
                "tools/check.sh": CHECK,
            },
        )
        digest = gitcmat(repo, "trust", "--print-digest").ok().out.strip()
        gitcmat(repo, "trust", "--digest", digest).ok()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def commit_tasks(self, count: int) -> None:
        """Commit some tasks at once, each of which takes a moment."""
        agent = f"exec {sys.executable} {self._agent} {self.diary.path}"
        new = [f"task-{len(self.tasks) + number:02}" for number in range(count)]
        files = {
            f".cmat/tasks/{task}.yaml": (
                f"title: Work\nprompt: |\n  Run: {agent} {self._chance.uniform(0.05, 0.8):.2f}\n"
            )
            for task in new
        }
        self.repo.commit("Work for the daemon", files)
        self.tasks += new

    def strike(self, blow: Blow) -> None:
        """Let a daemon work, until the moment of the blow has come."""
        if len(self.tasks) - len(self.ended()) < _FEW:
            self.commit_tasks(_FEW)
        daemon = self._living()
        self._await(blow, daemon)
        with self._standing_still(daemon) as (runners, agents):
            seen = [one for one in self._runs.look() if one.phase is not Phase.DEAD]
            self.hits += any(one.phase in LIVE for one in seen)
            self.phases.update({one.phase for one in seen})
            chosen = {
                Victims.DAEMON: [daemon.process.pid] if blow.victims in _WITH_DAEMON else [],
                Victims.RUNNERS: runners if blow.victims in _WITH_RUNNERS else [],
                Victims.AGENTS: agents if blow.victims in _WITH_AGENTS else [],
            }
            self.victims.update(who for who, pids in chosen.items() if pids)
            for pids in chosen.values():
                _signal(pids, signal.SIGKILL)
        if blow.victims in _WITH_DAEMON:
            assert daemon.wait().code == -signal.SIGKILL, daemon.err
            self._daemon = None

    def end_daemon(self) -> None:
        """Kill the last daemon, if one is alive."""
        if self._daemon is not None:
            self._daemon.signal(signal.SIGKILL)
            self._daemon.wait()
            self._daemon = None

    def ended(self) -> set[str]:
        """Return the tasks of which an agent came to its end."""
        return {span.task for span in self.diary.spans() if span.ended}

    def left(self) -> list[int]:
        """Return the processes that have to do with this repository or one of its runs."""
        runs = {path.name for path in (self.repo.git_dir / "cmat/runs").iterdir()}
        marked = [
            row.pid
            for row in processes.each()
            if not row.zombie and processes.environment(row.pid).get("CMAT_RUN") in runs
        ]
        named = processes_with(str(self._folder))
        return [*named, *marked, *self._launchers(), *self._runners()]

    def _living(self) -> Running:
        if self._daemon is None:
            self._daemons += 1
            logs = self._folder / f"watch-{self._daemons}"
            self._daemon = self._stack.enter_context(running(self.repo, "watch", logs=logs))
        return self._daemon

    def _await(self, blow: Blow, daemon: Running) -> None:
        if blow.when != _STARTING:
            daemon.says("watching")
        if blow.when in set(Phase):
            end = time.monotonic() + _LONGEST_WAIT
            while blow.when not in self._runs.glance().values() and time.monotonic() < end:
                time.sleep(0.0005)
        time.sleep(blow.delay)

    @contextmanager
    def _standing_still(self, daemon: Running) -> Iterator[tuple[list[int], list[int]]]:
        """Stop everybody, whoever starts whom first; yield runners, with who forks them, and
        agents.
        """
        assert daemon.process.poll() is None, daemon.err
        daemon.signal(signal.SIGSTOP)
        stopped = [daemon.process.pid]
        try:
            runners = _stop(self._launchers())
            runners += _stop(self._runners())
            stopped += runners
            agents = _stop(self._agents())
            stopped += agents
            yield runners, agents
        finally:
            _signal(stopped, signal.SIGCONT)

    def _launchers(self) -> list[int]:
        runs = self.repo.git_dir / "cmat/runs"
        return [pid for pid, folder in processes_in(runs).items() if folder == runs]

    def _runners(self) -> list[int]:
        runs = self.repo.git_dir / "cmat/runs"
        return _parents(pid for pid, folder in processes_in(runs).items() if folder != runs)

    def _agents(self) -> list[int]:
        return _parents(processes_with(str(self._agent)))


def _parents(pids: Iterable[int]) -> list[int]:
    """Leave out children of others among them: a fork that is about to become a git looks like its
    parent, and it is not git that is to be killed.
    """
    rows = processes.table()
    found = {pid for pid in pids if pid in rows}
    return [pid for pid in found if rows[pid].parent not in found]


def _stop(pids: list[int]) -> list[int]:
    _signal(pids, signal.SIGSTOP)
    return pids


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
