"""Lets something happen to an entry within a change, and carries out what follows from it.

What concerns records is written in the same change. What concerns the world (ending a run,
deleting a branch) is collected and done once the change is recorded: record before act.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gitcmat.engine import subtasks
from gitcmat.model import limits
from gitcmat.model.blocker import Blocker, BlockerStatus
from gitcmat.model.entry import Entry
from gitcmat.model.events import (
    Ask,
    CloseBlockers,
    DropBranch,
    Edited,
    Effect,
    Event,
    IssueEdited,
    Rerun,
    RerunNeed,
    StopRun,
)
from gitcmat.model.lifecycle import advance
from gitcmat.model.state import State
from gitcmat.store.state import Change
from gitcmat.system import ids


@dataclass(slots=True)
class After:
    """What is to be done once the change is recorded."""

    stop: list[str] = field(default_factory=list)
    """Runs to end."""
    drop: list[Entry] = field(default_factory=list)
    """Entries whose branch for review is no longer needed."""


def happen(change: Change, entry_id: str, event: Event, now: datetime, after: After) -> Entry:
    """Let `event` happen to an entry; return the entry as it is then.

    Raises `NotFound`, or `Conflict` when the event does not fit its state.
    """
    old = change.entry(entry_id)
    new, effects = advance(old, event, now)
    if new is not old:
        new = replace(new, notes=limits.recent(new.notes))
        change.put(new, _note(old, new, event))
    if new.state is State.CANCELLED:
        subtasks.close_all(change, new, now, by="gitcmat")
    for effect in effects:
        _carry_out(change, new, effect, now, after)
    return new


def _note(old: Entry, new: Entry, event: Event) -> str:
    if new.state is not old.state:
        return f"{new.id}: {old.state} -> {new.state}{f' ({new.reason})' if new.reason else ''}"
    if isinstance(event, Edited):
        same = old.source is not None and old.source.blob == event.source.blob
        return f"{new.id}: {'follows its file again' if same else 'edited'}"
    if isinstance(event, IssueEdited):
        return f"{new.id}: {new.issue} was edited"
    return f"{new.id}: changed"


def _carry_out(change: Change, entry: Entry, effect: Effect, now: datetime, after: After) -> None:
    match effect:
        case Ask():
            ask(change, entry, effect, now)
        case CloseBlockers():
            for blocker in change.blockers(entry.id):
                closed = replace(blocker, status=BlockerStatus.CLOSED, answered=now)
                change.put(closed, f"{blocker.id}: closed")
        case StopRun(run=run):
            after.stop.append(run)
        case RerunNeed(id=need):
            if change.entry(need).state.finished:
                happen(change, need, Rerun(by=f"{entry.id}, which needs it"), now, after)
        case DropBranch():
            if entry.state is State.DONE:
                after.drop.append(entry)


def ask(change: Change, entry: Entry, effect: Ask, now: datetime) -> Blocker:
    """Open a blocker, unless the same question is open already."""
    opened = change.blockers(entry.id)
    for held in opened:
        if held.kind is effect.kind and _same_words(held.question, effect.question):
            return held
    blocker = Blocker(
        id=ids.blocker_id(),
        task=entry.id,
        run=entry.run,
        kind=effect.kind,
        question=limits.cut(effect.question),
        detail=limits.cut(effect.detail, limits.OUTPUTS),
        about=effect.about,
        asked=now + timedelta(microseconds=len(opened)),  # keeps the order they were asked in
        by=effect.by,
    )
    change.put(blocker, f"{blocker.id}: asks about {entry.id}")
    return blocker


def answered(blocker: Blocker, text: str, by: str, now: datetime) -> Blocker:
    """The blocker with its answer."""
    return replace(
        blocker, status=BlockerStatus.ANSWERED, answer=text, answered=now, answered_by=by
    )


def _same_words(a: str, b: str) -> bool:
    return _words(a) == _words(b)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
