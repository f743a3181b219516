"""Runs, for people: which there are, what they print, and ending them."""

import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final

from gitcmat.engine import tail
from gitcmat.engine.delegation import family, requests
from gitcmat.engine.deps import Deps
from gitcmat.engine.runfolder import RunFolder
from gitcmat.errors import NotFound
from gitcmat.model.run import Run
from gitcmat.model.state import State
from gitcmat.store.layout import Kind
from gitcmat.system.locks import is_locked

_PAUSE: Final = 0.05


def find(deps: Deps, text: str) -> Run:
    """Return the run that `text` names by a unique prefix; the id of a task means its last run.

    Raises `NotFound`.
    """
    facts = deps.store.read()
    if facts.entry(text) is not None or not text.startswith("r-"):
        entry = facts.entry(facts.resolve(Kind.QUEUE, text))
        found = facts.run(entry.run) if entry and entry.run else None
        if found is None:
            raise NotFound(f"{text} has not run yet.", hint=f"gitcmat run now {text}")
        return found
    run = facts.run(facts.resolve(Kind.RUNS, text))
    if run is None:
        raise NotFound(f"There is no run {text!r}.", hint="gitcmat run list")
    return run


def listed(deps: Deps, *, task: str | None, limit: int) -> tuple[list[Run], int]:
    """Return the newest `limit` runs, of one task or of all, and how many more there are.

    Raises `NotFound` when there is no such task.
    """
    facts = deps.store.read()
    found = facts.runs(task=facts.resolve(Kind.QUEUE, task) if task else None)
    return found[:limit], max(0, len(found) - limit)


def log_of(deps: Deps, run: Run) -> Path:
    """Return where the log of a run is.

    Raises `NotFound` when this machine does not have it (any more).
    """
    log = RunFolder(deps.runs / run.id).log
    if not log.parent.is_dir():
        raise NotFound(
            f"The log of {run.id} is not on this machine (any more).",
            hint=f"gitcmat run show {run.id}",
        )
    return log


def follow(
    deps: Deps, run: Run, *, last: int | None = None, since: int | None = None
) -> Iterator[str]:
    """Yield what a run has printed and prints, as text of whole lines, until it ends.

    It begins with the `last` lines, or behind line `since`, or at the beginning. An empty text is
    yielded about ten times a second while there is nothing new. Raises `NotFound`.
    """
    log = log_of(deps, run)
    start = 0
    if since is not None:
        start = tail.after_line(log, since)
    elif last is not None:
        start = tail.last_lines(log, last)
    lock = RunFolder(log.parent).lock
    yield from tail.follow(log, start, lambda: not is_locked(lock))


def printed(deps: Deps, run: Run) -> str:
    """Return what a run has printed until now. Raises `NotFound`."""
    return "".join(tail.follow(log_of(deps, run), 0, lambda: True))


def members(deps: Deps, run: Run) -> list[Run]:
    """Return the runs that the agent of `run` delegated, the oldest first, as long as this machine
    has its folder.
    """
    facts = deps.store.read()
    found = [facts.run(each.run) for each in requests(RunFolder(deps.runs / run.id))]
    there = [each for each in found if each is not None]
    return sorted(there, key=lambda each: (each.started, each.id))


def stop(deps: Deps, runs: Collection[Run], settle: Callable[[], object]) -> list[Run]:
    """End runs: ask their runners, wait until none of their processes is left, take in what they
    report. Return the runs as they are then; one that was over already is left alone.

    Interrupted while it waits, it has asked: they end by themselves.
    """
    wanted = [run for run in runs if run.outcome is None]
    for run in wanted:
        folder = RunFolder(deps.runs / run.id)
        if folder.path.is_dir():
            folder.request_stop()
    for run in wanted:
        wait(deps, run.id)
    settle()
    facts = deps.store.read()
    return [facts.run(run.id) or run for run in runs]


def wait(deps: Deps, run_id: str) -> None:
    """Wait until the runner of a run, and with it every process of the run, has ended; so have the
    runs to which its agent delegated, as they end with it.
    """
    _wait(RunFolder(deps.runs / run_id))
    for member in family(deps.runs, run_id):
        _wait(RunFolder(deps.runs / member))


def _wait(folder: RunFolder) -> None:
    while is_locked(folder.lock):
        time.sleep(_PAUSE)


def wait_until_over(deps: Deps, tasks: Collection[str], settle: Callable[[], object]) -> None:
    """Wait until none of these tasks runs any more, and take in what their runs report."""
    for task in tasks:
        entry = deps.store.read().entry(task)
        while entry is not None and entry.state is State.ACTIVE and entry.run:
            wait(deps, entry.run)
            settle()
            ended, entry = entry.run, deps.store.read().entry(task)
            if entry is not None and entry.run == ended and entry.state is State.ACTIVE:
                time.sleep(_PAUSE)  # another process is taking it in at this moment
