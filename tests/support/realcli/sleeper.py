"""A shell tool of a real agent that is at work, and what is left of its run when that is over."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from gitcmat.model.run import Run as Record
from gitcmat.system import processes
from gitcmat.system.locks import is_locked
from tests.support.fakemodel.scenario import Answer, Run, Script, Write
from tests.support.realcli.project import RealProject
from tests.support.wait import until


class Sleeper:
    """A command that sleeps until it is killed, told from all others by `mark` among its words."""

    def __init__(self, project: RealProject, task: str) -> None:
        """The task need not have begun."""
        self.mark = mark_of(task)
        self._above: list[int] = []
        """The processes of its runner and its agent, once it begins."""
        self._strangers: set[int] = set()
        self._project = project
        self._task = task

    @property
    def record(self) -> Record:
        """The task's only run."""
        (found,) = self._project.past(self._task)
        return found

    def begins(self) -> None:
        """Wait until it sleeps, in a session that is neither its agent's nor its runner's."""
        found = until(lambda: [pid for pid in _all() if self._is(pid)], 60, "the tool to sleep")
        place = str(self._project.repo.git_dir / "cmat/runs" / self.record.id)
        here = {row.pid: row.parent for row in processes.each() if _folder(row.pid) == place}
        (runner,) = (pid for pid, parent in here.items() if parent not in here)
        self._above = [runner, *(who.pid for who in processes.children(runner))]
        sessions = {row.pid: row.session for row in processes.each()}
        above = {sessions.get(pid) for pid in self._above}
        assert not {sessions.get(pid) for pid in found} & above

    def orphan(self) -> None:
        """Kill what is above it, the runner first, so that nobody is left to end it."""
        for pid in self._above:
            os.kill(pid, signal.SIGKILL)
        until(self.is_over, 60, "the end of the runner")

    def remains(self) -> list[str]:
        """Whatever lives of the run; but for its runner, which may still be about to end."""
        run, slot = self.record.id, self._slot()
        found = [
            pid
            for pid in _all()
            if pid not in {self._above[0], *self._strangers}
            and (
                self._is(pid)
                or run in _words(pid)
                or processes.environment(pid).get("CMAT_RUN") == run
                or (_folder(pid) or "").startswith(slot)
            )
        ]
        return [f"{pid} {_words(pid)}" for pid in found]

    @contextmanager
    def beside_strangers(self) -> Iterator[None]:
        """Two that look like it, and belong to nobody's run: one elsewhere, and one of a person
        who has a look at the workspace. They outlive the block.
        """
        argv = [sys.executable, "-c", "import time; time.sleep(600)", self.mark]
        with ExitStack() as stack:
            for folder in (Path.home(), Path(self._slot()) / "tree"):
                process = stack.enter_context(subprocess.Popen(argv, cwd=folder))
                stack.callback(process.kill)
                self._strangers.add(process.pid)
            yield
            assert self._strangers <= set(_all()), "a stranger's process was ended"

    def is_over(self) -> bool:
        """Whether its runner lives no more."""
        return not is_locked(self._project.repo.git_dir / "cmat/runs" / self.record.id / "lock")

    def _is(self, pid: int) -> bool:
        return self.mark in _words(pid).split()

    def _slot(self) -> str:
        (tree,) = (Path.home() / ".cache/gitcmat").glob(f"*/{self.record.workspace}")
        return str(tree)


def mark_of(task: str) -> str:
    """A word that nobody else on this machine has on a command line."""
    return f"asleep-{task}-{os.getpid()}"


def script(task: str) -> Script:
    """Do something, and then sleep; a client that does not wait for it is kept waiting."""
    code = f"{sys.executable} -c 'import time; time.sleep(600)' {mark_of(task)}"
    answers = (
        Answer("", (Write("begun.txt", "one\n"),)),
        Answer("", (Run(code),)),
        Answer("Never said.", hangs=True),
    )
    return Script(answers, asks=f"Sleep on {task}.")


def _all() -> list[int]:
    return [row.pid for row in processes.each() if not row.zombie]


def _words(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def _folder(pid: int) -> str | None:
    place = processes.folder(pid)
    return str(place) if place is not None else None
