"""The daemon: looks whenever there is a hint, and from time to time anyway, and starts what may.

It holds nothing that matters. Killed at any moment, the next one finds everything in the records
and in the folders of the runs, which go on meanwhile.
"""

import math
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from signal import SIGTERM
from typing import TYPE_CHECKING, Final

from gitcmat.engine import checkpoints, claims, old_runs, pauses, room
from gitcmat.engine.alerts import AlertKind, Alerts
from gitcmat.engine.delegation import family
from gitcmat.engine.forge_timer import ForgeTimer
from gitcmat.engine.hints import Bell, Hint, places
from gitcmat.engine.idle import is_idle, waits
from gitcmat.engine.launcher import Launcher
from gitcmat.engine.news import News
from gitcmat.engine.room_note import WATCH_LOCK
from gitcmat.engine.runfolder import RunFolder
from gitcmat.engine.watch import Watcher
from gitcmat.errors import Conflict, UserError
from gitcmat.model.state import State
from gitcmat.store.state import FEW, MANY
from gitcmat.system import clock, processes
from gitcmat.system.interrupts import Interrupts
from gitcmat.system.locks import FileLock, is_locked, wait_until_free

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitcmat.engine.reconcile import Reconciler, Report
    from gitcmat.model.entry import Entry
    from gitcmat.store.facts import Facts
    from gitcmat.store.git import Repository

EVERY: Final = 15.0
"""Seconds between looks when nothing gives a hint."""

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
"""Seconds to the next try after a look that failed."""
_TRIES: Final = 3
"""How often a look may fail in a row when somebody waits for the end."""
_COMMITTING: Final = 3.0
"""Seconds in which a file that was saved may be committed without a word from us."""
_ROOM_AGAIN: Final = 3.0
"""Seconds to the next look when the machine has too little to spare."""
_LAST_HINTS: Final = 0.2
"""Seconds in which hints of what was done just now arrive."""
_SECOND_CTRL_C: Final = 3.0
"""Seconds in which a second Ctrl-C stops the runs too."""
_JOIN_EVERY: Final = 25
"""Changes of the records after which packs are looked at even when there is no idle time."""
_WAKE_UPS: Final = 3
"""How often the end of one run may wake us; after that the timer must do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How things stood when the daemon ended."""

    idle: bool
    """It had nothing left to do, as opposed to: it was told to end."""
    going_on: tuple["Entry", ...] = ()
    """Entries whose runs go on."""
    stopped: tuple["Entry", ...] = ()
    """Entries whose runs were stopped."""
    waits: tuple[tuple["Entry", str], ...] = ()
    """What is left, each with what it waits for."""


def holder(repo: "Repository") -> int | None:
    """Return the process id of the daemon of a repository, None when there is none, 0 when it is
    not known (yet).
    """
    path = repo.cmat / WATCH_LOCK
    if not is_locked(path):
        return None
    with suppress(OSError, ValueError):
        pid, started = map(int, path.read_text(encoding="ascii").split())
        # One that was killed leaves its number, and the next one holds the lock before it writes.
        if processes.identity(pid) == processes.Identity(pid, started):
            return pid
    return 0


@contextmanager
def only_one(repo: "Repository") -> "Iterator[None]":
    """Be the one daemon of a repository for the time of the block.

    Raises:
        Conflict: there is one, named by its process id.
    """
    lock = FileLock(repo.cmat / WATCH_LOCK)
    if not lock.try_lock():
        pid = holder(repo)
        raise Conflict(
            f"A daemon watches {repo.root} already (process {pid or 'unknown'}).",
            hint=f"kill {pid} ends it; its runs go on" if pid else "gitcmat status",
        )
    with lock:
        me = processes.identity(os.getpid())
        os.truncate(lock.fd, 0)
        os.pwrite(lock.fd, f"{me.pid} {me.started}\n".encode() if me else b"", 0)
        yield


class Daemon:
    """Watches one repository until it is told to end, or until there is nothing left to do."""

    def __init__(
        self,
        reconciler: "Reconciler",
        say: Callable[[str], None],
        *,
        ring: Callable[[], None] = lambda: None,
        every: float = EVERY,
        until_idle: bool = False,
    ) -> None:
        """`say` is given each line of progress, `ring` calls a person; `every` is in seconds."""
        self._reconciler = reconciler
        self._deps = reconciler.deps
        self._news = News(self._deps, say)
        self._alerts = Alerts(self._deps, self._news.line, ring)
        self._every = every
        self._until_idle = until_idle
        self._bell = Bell()
        self._interrupts = Interrupts(lambda _: self._bell.ring(Hint.STOP))
        self._launcher = Launcher(self._deps.runs)
        self._forge = ForgeTimer(self._deps, self._news, lambda: self._bell.ring(Hint.FORGE))
        self._minded: dict[str, threading.Thread] = {}
        self._woken: Counter[str] = Counter()
        self._failures = 0
        self._untidy = 1
        """Changes since packs and folders were looked at; one before us may have been killed."""
        self._look_at = 0.0
        """When to look without a hint, by the monotonic clock; so is the next."""
        self._unsaved_at = 0.0

    def run(self) -> Ending:
        """Watch; return when it is over.

        Raises:
            Conflict: another daemon watches this repository.
        """
        deps = self._deps
        with (
            only_one(deps.repo),
            self._interrupts,
            closing(self._alerts),
            closing(self._forge),
            self._launcher,
            Watcher(self._bell.ring) as watcher,
        ):
            pauses.resume(deps.repo)
            facts = deps.store.read()
            self._news.start(facts)
            self._alerts.start(facts)
            counts = ", ".join(f"{n} {s}" for s, n in facts.counts().items() if n)
            who = f"process {os.getpid()}"
            self._news.line(f"watching {deps.repo.root} ({who}): {counts or 'no tasks yet'}")
            self._unsaved_at = clock.monotonic()
            hints: frozenset[Hint] = frozenset()
            while not self._interrupts.count:
                ending = self._look(watcher, hints)
                if ending is not None:
                    return ending
                hints = self._bell.wait(min(self._look_at, self._unsaved_at, self._forge.at))
            return self._end()

    # --- one look -------------------------------------------------------------------------------

    def _look(self, watcher: Watcher, hints: frozenset[Hint]) -> Ending | None:
        """Do what the hints and the time ask for; return how it ends, if it does."""
        now = clock.monotonic()
        try:
            self._watch(watcher)
            if now >= self._unsaved_at:
                self._unsaved_at = math.inf
                self._news.files()
            if hints & {Hint.FILES, Hint.GIT}:
                self._unsaved_at = now + _COMMITTING
            if not hints - {Hint.FILES} and now < self._look_at:
                self._forge.start_if_due()
                return None
            report = self._reconciler(start=True, launch=self._launcher.start)
            self._watch(watcher)  # what was made anew is watched from now on
            facts = self._deps.store.read()
            moved = self._news.moves(facts)
            alerts = self._alerts.tell(facts)
            self._forge.look(facts, came_up=any(a.event is AlertKind.REVIEW for a in alerts))
            self._news.conditions(report)
            room.note(self._deps, report.no_room)
            self._tidy(hints, moved=moved)
        except (UserError, OSError, sqlite3.Error) as error:
            self._failed(error)
            return None
        self._failures = 0
        self._news.recovered()
        self._mind(facts)
        self._look_at = clock.monotonic() + self._seconds(report, facts)
        if self._until_idle and not (moved or self._forge.busy) and is_idle(report, facts):
            if not self._bell.wait(clock.monotonic() + _LAST_HINTS) - {Hint.FILES}:
                return Ending(idle=True, waits=tuple(waits(report, facts)))
            self._look_at = 0.0
        return None

    def _watch(self, watcher: Watcher) -> None:
        home = self._deps.view.home
        watcher.refresh(places(self._deps.repo, home.work_tree if home else None))
        self._news.unwatched(
            f"cannot watch {path} ({why}): it is looked at every {self._every:g} s"
            for path, why in watcher.unwatched.items()
        )

    def _failed(self, error: Exception) -> None:
        """Say it, and wait: longer each time, whatever hints come meanwhile."""
        if self._until_idle and self._failures >= _TRIES:
            raise error
        wait = min(_FIRST_WAIT * 2**self._failures, _LONGEST_WAIT)
        self._failures += 1
        self._news.failed(error, wait)
        until = clock.monotonic() + wait
        while clock.monotonic() < until and not self._interrupts.count:
            self._bell.wait(until)
        self._look_at = 0.0

    def _seconds(self, report: "Report", facts: "Facts") -> float:
        """How long nothing is to be expected without a hint."""
        now = self._deps.clock.now()
        times = [e.not_before for e in facts.entries(State.PENDING) if not e.hold]
        times += report.world.limited.values() if report.world is not None else ()
        seconds = [(t - now).total_seconds() for t in times if t is not None and t > now]
        if report.look_again is not None:
            seconds.append(max(0.0, report.look_again))
        if report.no_room is not None:
            until = report.no_room.until
            seconds.append((until - now).total_seconds() if until else _ROOM_AGAIN)
        return min([self._every, *seconds]) + 0.01

    def _tidy(self, hints: frozenset[Hint], *, moved: bool) -> None:
        self._untidy += moved
        idle = not moved and (self._until_idle or not hints) and self._untidy > 0
        if idle or self._untidy >= _JOIN_EVERY:
            self._deps.store.tidy(more_than=FEW if not moved and not hints else MANY)
            claims.sweep(self._deps)
            checkpoints.upkeep(self._deps)
            old_runs.prune(self._deps)
            self._untidy = 0

    def _mind(self, facts: "Facts") -> None:
        """Have each runner's end ring, whoever started it: a thread waits for its lock."""
        runs = {run.id for run in facts.runs(only_open=True)}
        self._minded = {r: t for r, t in self._minded.items() if r in runs}
        for run in runs:
            thread = self._minded.get(run)
            if (thread and thread.is_alive()) or self._woken[run] >= _WAKE_UPS:
                continue
            self._woken[run] += 1
            lock = RunFolder(self._deps.runs / run).lock
            self._minded[run] = threading.Thread(target=self._await, args=(lock,), daemon=True)
            self._minded[run].start()
        self._woken = Counter({r: n for r, n in self._woken.items() if r in runs})

    def _await(self, lock: "Path") -> None:
        wait_until_free(lock)
        self._bell.ring(Hint.RUN)

    # --- the end --------------------------------------------------------------------------------

    def _end(self) -> Ending:
        """Nothing more is claimed: say what goes on, and stop it if that is asked for too."""
        active = self._deps.store.read().entries(State.ACTIVE)
        if not active:
            return Ending(idle=False)
        runs = ", ".join(f"{e.run} ({e.id})" for e in active)
        if self._interrupts.seen[0] is not SIGTERM and self._interrupts.count == 1:
            self._news.line(f"nothing more is started; still at work: {runs}")
            self._news.line(f"Ctrl-C again within {_SECOND_CTRL_C:g} s stops them too")
            self._wait_for_signals(2, clock.monotonic() + _SECOND_CTRL_C)
        if self._interrupts.count == 1:
            return Ending(idle=False, going_on=tuple(active))
        self._news.line(f"stopping {runs}")
        return self._stop(active)

    def _stop(self, active: list["Entry"]) -> Ending:
        runs = [e.run for e in active if e.run is not None]
        members = [member for run in runs for member in family(self._deps.runs, run)]
        folders = [RunFolder(self._deps.runs / run) for run in (*runs, *members)]
        for folder in folders:
            if folder.path.is_dir():
                folder.request_stop()
        asked = self._interrupts.count
        while any(is_locked(f.lock) for f in folders):
            self._wait_for_signals(asked + 1, clock.monotonic() + 0.1)
            if self._interrupts.count > asked:
                return Ending(idle=False, going_on=tuple(active))
        self._reconciler(start=False)
        facts = self._deps.store.read()
        self._news.moves(facts)
        self._alerts.tell(facts)
        return Ending(idle=False, stopped=tuple(active))

    def _wait_for_signals(self, count: int, until: float) -> None:
        while self._interrupts.count < count and clock.monotonic() < until:
            self._bell.wait(until)
