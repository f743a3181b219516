"""`run now`: one task in the foreground, attempt after attempt, until a person is needed."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NoReturn

from gitcmat.engine import delegation, old_runs, room, runs, status
from gitcmat.engine.alerts import Alerts
from gitcmat.engine.landing_record import repair
from gitcmat.engine.reconcile import Reconciler, Report
from gitcmat.engine.room_note import WATCH_LOCK
from gitcmat.engine.runfolder import RunFolder
from gitcmat.errors import Conflict, NotFound, NotTrusted, NoWork, UserError
from gitcmat.model.entry import Entry
from gitcmat.model.job import RunOutcome
from gitcmat.model.run import Run
from gitcmat.model.state import State
from gitcmat.store.layout import Kind, task_path
from gitcmat.store.sources import saved_not_committed
from gitcmat.system import clock
from gitcmat.system.locks import FileLock, is_locked

if TYPE_CHECKING:
    from gitcmat.system.interrupts import Interrupts


_LOOK: Final = 0.3
"""Seconds between two looks at what a run delegates."""
_PAUSE: Final = 0.05
"""Seconds between two looks at whether a run is over."""


class Foreground:
    """Runs one task; `on_text` is given its log as it grows, `on_line` what we say about it."""

    def __init__(
        self,
        reconciler: Reconciler,
        interrupts: "Interrupts",
        *,
        on_text: Callable[[str], None],
        on_line: Callable[[str], None],
    ) -> None:
        self._reconciler = reconciler
        self._deps = reconciler.deps
        self._interrupts = interrupts
        self._on_text = on_text
        self._on_line = on_line

    def run(self, text: str) -> Entry:
        """Run the task that `text` names by a unique prefix until it is in review, is blocked, has
        failed or was stopped; return its entry as it is then.

        A hold, a wait and the limit of parallel runs do not hold it up; it waits until the machine
        has room, for a while. A signal stops the run and waits for its end.

        Raises:
            NotFound: there is no such task, or what it needs to run does not exist.
            NotTrusted: the plan, or the task, was not allowed at this machine.
            Conflict: it runs already, what it needs has not landed, or there was no room for it.
            NoWork: it is not waiting to be run.
        """
        entry = self.start(text)
        with self._telling():
            while self._attempt(entry):
                entry = self._entry(entry.id)
                if entry.state is not State.PENDING:
                    return entry
                entry = self._start(entry)
        return self._entry(entry.id)

    def start(self, text: str) -> Entry:
        """Start one attempt at a task and return its entry at once: its run goes on by itself.

        A daemon, or the next command, takes its result in. Raises as `run` does.
        """
        repair(self._deps)
        self._reconciler(start=False)
        entry = self._entry(text)
        self._check(entry)
        return self._start(entry)

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Have the person told, as a daemon would, of what is new at the end of the block.

        A daemon that watches tells them itself.
        """
        if is_locked(self._deps.repo.cmat / WATCH_LOCK):
            yield
            return
        alerts = Alerts(self._deps, self._on_line)
        alerts.start(self._deps.store.read())
        with contextlib.closing(alerts):
            yield
            alerts.tell(self._deps.store.read())

    def _start(self, entry: Entry) -> Entry:
        report = self._reconciler(start=True, only=entry.id)
        while report.no_room is not None:
            room.wait(self._deps, entry.id, report.no_room, pause=self._pause, say=self._on_line)
            report = self._reconciler(start=True, only=entry.id)
        entry = self._entry(entry.id)
        if entry.state is not State.ACTIVE or entry.run is None:
            self._refuse(entry, report)
        return entry

    def _pause(self, seconds: float) -> None:
        if self._interrupts.count:
            raise KeyboardInterrupt
        time.sleep(seconds)

    def _attempt(self, entry: Entry) -> bool:
        """Follow the current run to its end and take its result in; whether to go on after it."""
        run = self._deps.store.read().run(entry.run or "")
        if run is None:
            raise NotFound(f"The record of {entry.run} is missing.", hint="gitcmat run list")
        self._on_line(f"{run.id}: {run.agent} works on {entry.id}, attempt {entry.attempt}")
        asked = False
        for text in attended(self._reconciler, run):
            if text:
                self._on_text(text)
            if self._interrupts.count and not asked:
                asked = True
                RunFolder(self._deps.runs / run.id).request_stop()
                self._on_line(f"{run.id}: is being stopped")
            if self._interrupts.count > 1:
                self._on_line(f"{run.id}: will have ended soon")
                return False
        self._reconciler(start=False)
        old_runs.prune(self._deps)
        ended = self._deps.store.read().run(run.id)
        outcome = ended.outcome if ended else None
        said = f" ({ended.message})" if ended and ended.message else ""
        self._on_line(f"{run.id}: {outcome}{said}")
        return outcome not in (None, RunOutcome.STOPPED, RunOutcome.INTERRUPTED)

    def _entry(self, text: str) -> Entry:
        facts = self._deps.store.read()
        try:
            found = facts.entry(facts.resolve(Kind.QUEUE, text))
        except NotFound as error:
            path = task_path(text)
            if any(f.path == path for f in saved_not_committed(self._deps.repo)):
                raise NotFound(
                    f"{path} is saved, not committed; what is not committed is not run.",
                    hint=f"git add {path} && git commit -- {path}",
                ) from error
            raise
        if found is None:
            raise NotFound(f"There is no task {text!r}.", hint="gitcmat queue list")
        return found

    def _check(self, entry: Entry) -> None:
        if entry.state is State.ACTIVE:
            raise Conflict(
                f"{entry.id} runs already, as {entry.run}.", hint=f"gitcmat run follow {entry.run}"
            )
        if entry.state not in (State.PENDING, State.BACKLOG):
            hint = {
                State.REVIEW: f"gitcmat review show {entry.id}",
                State.BLOCKED: f"gitcmat blocker list --task {entry.id}",
            }
            raise NoWork(
                f"{entry.id} is {_in(entry.state)}: there is nothing to run.",
                hint=hint.get(entry.state, f"gitcmat queue rerun {entry.id}"),
            )

    def _refuse(self, entry: Entry, report: Report) -> NoReturn:
        """Say why the task did not start."""
        self._check(entry)
        if entry.id in report.untrusted:
            raise NotTrusted(
                "What gitcmat may start here has not been allowed at this machine.",
                hint="gitcmat trust",
            )
        if entry.id in report.cannot_start:
            raise report.cannot_start[entry.id]
        why = ""
        if report.world is not None and report.wants is not None:
            why = "".join(w for _, w in status.waiting([entry], report.world, report.wants))
        if entry.state is State.BACKLOG and not entry.task.needs:
            raise NotTrusted(
                f"{entry.id} was not made at this machine: it {why}.",
                hint=f"gitcmat task approve {entry.id}",
            )
        raise Conflict(f"{entry.id} cannot start: it {why or 'waits'}.", hint="gitcmat status")


def attended(reconciler: Reconciler, run: Run) -> Iterator[str]:
    """Follow a run, as `runs.follow` does, and do for it what a daemon does: start what its agent
    delegates, and wait until that has ended too.
    """
    deps = reconciler.deps
    lock = FileLock(RunFolder(deps.runs / run.id).attended)
    mine = lock.try_lock()
    again = clock.monotonic() + _LOOK
    try:
        for text in runs.follow(deps, run):
            yield text
            if mine and clock.monotonic() >= again:
                again = clock.monotonic() + max(_LOOK, _start_members(reconciler, run))
        for member in delegation.family(deps.runs, run.id):
            while is_locked(RunFolder(deps.runs / member).lock):
                yield ""
                time.sleep(_PAUSE)
    finally:
        lock.release()


def _start_members(reconciler: Reconciler, run: Run) -> float:
    """Do what there is to do for what a run delegates; return after how many seconds there is more.

    What fails is tried again, and told when the run is over: nobody wants to stop following it.
    """
    with contextlib.suppress(UserError, OSError, sqlite3.Error):
        if delegation.is_due(reconciler.deps.runs, run.id):
            return reconciler(start=False, delegated=True).look_again or 0.0
    return 0.0


def _in(state: State) -> str:
    return f"in {state}" if state is State.REVIEW else str(state)
