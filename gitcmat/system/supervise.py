"""Ending a run means ending every process it started, wherever that has hidden, and no other.

Agent programs put their children into sessions of their own. On Linux the runner is therefore a
child subreaper: what loses its parent becomes the runner's child instead of init's. A runner that
was itself killed leaves orphans behind; `gitcmat.system.orphans` finds those.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Collection

from gitcmat.system import proc, processes
from gitcmat.system.processes import Identity

_PR_SET_CHILD_SUBREAPER, _PR_GET_CHILD_SUBREAPER = 36, 37
_PAUSE = 0.01
# A process that waits for a dead disk cannot be killed; say so after this long instead of hanging.
_KILL_SECONDS = 10.0


def become_subreaper() -> bool:
    """Become the parent of every descendant that loses its own; False where there is no such thing.

    It holds for this process from now on and is not inherited by its children.
    """
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def descendants() -> list[Identity]:
    """Everything that runs below this process, parents first."""
    if _is_childless() and _is_subreaper():
        return []  # by the kernel's word, without a look at every process of the machine
    return [row.identity for row in processes.descendants(os.getpid())]


def reap() -> dict[int, int]:
    """Take the exit codes of all children that have ended, adopted ones too, by pid. Does not wait.

    Call it again and again, or an agent's orphans stay zombies. A killed child's code is minus the
    signal's number. A `proc.Child` still gets the code of its process; it is reported here as well
    unless its own `poll` took it first.
    """
    ended: dict[int, int] = {}
    while (pid := _ended_child()) is not None:
        code = proc.collect(pid)
        if code is not None:
            ended[pid] = code
    return ended


def end_all(grace: float = 5.0, *, unasked: int | None = None) -> int:
    """End every descendant and return how many could not be ended (0: none is left).

    First all are asked (SIGTERM) and given `grace` seconds; then, round by round, all are stopped
    so that none can start another, killed and waited for, until none is found. `unasked` is the
    pid of one that is only killed: it ends by itself when the others do, and they with it.
    """
    _ask(grace, unasked)
    deadline = time.monotonic() + _KILL_SECONDS
    while _any_left():
        if time.monotonic() > deadline:
            return max(1, len(descendants()))
        # Direct children first, and fast: one that forks and exits all the time becomes one of them
        # again and again, and is gone before a look at the whole table is finished.
        mine = processes.children(os.getpid())
        for who in mine:
            processes.send(who, signal.SIGSTOP)
        targets = {*mine, *descendants()}
        stop_and_kill(targets)
        _wait_for(targets, deadline)
    return 0


def stop_and_kill(targets: Collection[Identity]) -> None:
    """Kill these and all their descendants; those started while we look are found as well."""
    held: set[Identity] = set()
    fresh = set(targets)
    while fresh:
        for who in fresh:
            processes.send(who, signal.SIGSTOP)
        held |= fresh
        rows = processes.table()
        roots = [who.pid for who in held if who.pid in rows and rows[who.pid].identity == who]
        fresh = {row.identity for row in processes.closure(roots, rows)} - held
    for who in held:
        processes.send(who, signal.SIGKILL)


def _ask(grace: float, unasked: int | None) -> None:
    deadline = time.monotonic() + grace
    asked: set[Identity] = set()
    while _any_left():
        for who in descendants():
            # Those that started since the last look, too.
            if who not in asked and who.pid != unasked:
                processes.send(who, signal.SIGTERM)
                processes.send(who, signal.SIGCONT)  # a stopped one would never hear it
                asked.add(who)
        if time.monotonic() >= deadline:
            return
        time.sleep(_PAUSE)


def _any_left() -> bool:
    """Whether anything runs below us, by the kernel's word: a look can miss a fleeing one.

    A subreaper without children has no descendants.
    """
    reap()
    return not _is_childless() or bool(descendants())


def _is_childless() -> bool:
    """Whether this process has no child, not even a zombie."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


def _is_subreaper() -> bool:
    answer = ctypes.c_int()
    return _prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(answer)) and answer.value == 1


def _prctl(option: int, argument: object) -> bool:
    """Whether the call went well; there is none but on Linux."""
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    return bool(library.prctl(option, argument, 0, 0, 0) == 0)


def _wait_for(targets: Collection[Identity], deadline: float) -> None:
    while time.monotonic() < deadline:
        reap()
        rows = processes.table()
        alive = (rows.get(who.pid) for who in targets)
        if not any(row and row.identity in targets and not row.zombie for row in alive):
            return
        time.sleep(_PAUSE / 5)


def _ended_child() -> int | None:
    """The pid of a child that has ended, without taking its exit code."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return found.si_pid if found is not None else None
