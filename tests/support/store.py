"""The state of a repository, opened as a process of the node opens it, and small records for it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from gitcmat.model.blocker import Blocker
from gitcmat.model.entry import Entry, Source
from gitcmat.model.run import Run
from gitcmat.model.state import State
from gitcmat.model.task import Task
from gitcmat.store.git import Git, discover
from gitcmat.store.state import Actor, StateStore
from gitcmat.system import clock

NOW: Final = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PAT: Final = Actor("Pat Person", "pat@example.org")


class Clock:
    """Real time, or the time that a test says, and moved on by `later`."""

    def __init__(self, at: datetime | None = None) -> None:
        self._at = at
        self._skew = timedelta()

    def now(self) -> datetime:
        return (self._at or clock.now()) + self._skew

    def monotonic(self) -> float:
        return clock.monotonic() + self._skew.total_seconds()

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self._skew += timedelta(seconds=seconds)


def open_store(path: Path, at: datetime | None = NOW) -> StateStore:
    """Open the state of the repository at `path`."""
    repo = discover(path)
    return StateStore(repo, Git(repo.common_dir), Clock(at))


def entry(entry_id: str, state: State = State.PENDING, **more: Any) -> Entry:
    """A small entry of a committed task file."""
    plain = Entry(
        id=entry_id,
        state=state,
        task=Task(title=f"Task {entry_id}"),
        source=Source(
            ref="refs/heads/main",
            commit="c" * 40,
            path=f".cmat/tasks/{entry_id}.yaml",
            blob="b" * 40,
        ),
        target="refs/heads/main",
        created=NOW,
        updated=NOW,
        since=NOW,
    )
    return replace(plain, **more)


def blocker(blocker_id: str, task: str, **more: Any) -> Blocker:
    """An open question."""
    plain = Blocker(id=blocker_id, task=task, question="Which one?", asked=NOW)
    return replace(plain, **more)


def run(run_id: str, task: str, **more: Any) -> Run:
    """A run that is under way."""
    plain = Run(
        id=run_id,
        task=task,
        attempt=1,
        agent="coder",
        node="n-test2345",
        base="0" * 40,
        start="0" * 40,
        ref=f"refs/cmat/runs/{run_id}",
        workspace="1",
        started=NOW,
    )
    return replace(plain, **more)


def put(store: StateStore, *records: Entry | Blocker | Run, note: str = "") -> None:
    """Write records in one change."""
    with store.change("put", by=PAT) as change:
        for record in records:
            change.put(record, note)


def move(store: StateStore, entry_id: str, state: State) -> None:
    """Move an entry in one change."""
    with store.change(f"move {entry_id}", by=PAT) as change:
        change.put(change.entry(entry_id).to(state, NOW), f"{entry_id}: {state}")
