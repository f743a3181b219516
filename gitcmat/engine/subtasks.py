"""Subtasks: parts of a task that people and agents tick off, each a record of its own."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from gitcmat.engine.deps import Deps
from gitcmat.errors import Conflict, NotFound
from gitcmat.model.entry import Entry
from gitcmat.model.state import State
from gitcmat.model.subtask import Subtask, SubtaskStatus
from gitcmat.store.layout import Kind
from gitcmat.store.state import Change
from gitcmat.system import ids

_MOST_OF_AGENT: Final = 50
"""So many subtasks an agent may give one task, over all of its runs."""

_NOTES = {
    SubtaskStatus.OPEN: "reopened",
    SubtaskStatus.DONE: "done",
    SubtaskStatus.CLOSED: "closed",
    SubtaskStatus.DELETED: "deleted",
}


def create(deps: Deps, task: str, title: str) -> Subtask:
    """Add a subtask to the task that `task` names by a unique prefix.

    Raises `NotFound`, `InvalidData` for an empty title, `Conflict` when the task is cancelled.
    """
    parent = deps.store.read().resolve(Kind.QUEUE, task)
    made = Subtask(
        id=ids.subtask_id(),
        task=parent,
        title=" ".join(title.split()),
        created=deps.clock.now(),
        by=deps.me.name,
    )
    with deps.store.change(f"subtask create {made.id}", by=deps.actor) as change:
        _check_parent(change.entry(parent))
        change.put(made, f"{parent}: subtask {made.id}: {made.title}")
    return made


def listed(deps: Deps, task: str, *, every: bool = False) -> tuple[str, list[Subtask]]:
    """Return the whole id of a task and its subtasks, with `every` the deleted ones too.

    Raises `NotFound`.
    """
    facts = deps.store.read()
    parent = facts.resolve(Kind.QUEUE, task)
    found = facts.subtasks(parent)
    return parent, [s for s in found if every or s.status is not SubtaskStatus.DELETED]


def still_open(deps: Deps, task: str) -> tuple[Subtask, ...]:
    """Return the open subtasks of a task, by its whole id: landing it leaves them as they are."""
    found = deps.store.read().subtasks(task)
    return tuple(s for s in found if s.status is SubtaskStatus.OPEN)


def change_status(deps: Deps, subtask: str, status: SubtaskStatus) -> Subtask:
    """Give the subtask that `subtask` names by a unique prefix another status.

    Raises `NotFound`, or `Conflict` when it is closed or deleted, or its task is cancelled.
    """
    chosen = deps.store.read().resolve(Kind.SUBTASKS, subtask)
    with deps.store.change(f"subtask {_NOTES[status]} {chosen}", by=deps.actor) as change:
        # Read inside the lock: others may change it, and its task, at this moment.
        held = change.facts.subtask(chosen)
        if held is None:
            raise NotFound(f"There is no subtask {subtask!r}.", hint="gitcmat subtask list TASK")
        if status is SubtaskStatus.OPEN:
            _check_parent(change.entry(held.task))
        now = held.become(status, deps.clock.now(), by=deps.me.name)
        if now is not held:
            change.put(now, f"{held.task}: subtask {chosen} {_NOTES[status]}")
    return now


def take_in(
    change: Change, entry: Entry, titles: Collection[str], now: datetime, *, by: str
) -> None:
    """Add the subtasks that an agent wants its task to have, each title once; a task that is not
    wanted any more takes none.
    """
    held = change.facts.subtasks(entry.id)
    known = {s.title for s in held}
    mine = sum(s.by == by for s in held)
    for title in titles:
        if entry.state is State.CANCELLED or mine >= _MOST_OF_AGENT or title in known:
            continue
        known.add(title)
        mine += 1
        made = Subtask(
            id=ids.subtask_id(),
            task=entry.id,
            title=title,
            created=now + timedelta(microseconds=len(known)),  # keeps the order they came in
            by=by,
        )
        change.put(made, f"{entry.id}: subtask {made.id}: {made.title}")


def close_all(change: Change, entry: Entry, now: datetime, *, by: str) -> None:
    """Close the open subtasks of a task that is not wanted any more."""
    for subtask in change.subtasks(entry.id):
        closed = subtask.become(SubtaskStatus.CLOSED, now, by=by)
        change.put(closed, f"{entry.id}: subtask {subtask.id} closed")


def _check_parent(entry: Entry) -> None:
    if entry.state is State.CANCELLED:
        raise Conflict(
            f"{entry.id} is cancelled; it takes no subtasks.",
            hint=f"gitcmat queue rerun {entry.id}",
        )
