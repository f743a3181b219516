"""What becomes of an entry when what is wanted changes: its file, or its issue."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from gitcmat.model.blocker import BlockerKind
from gitcmat.model.entry import Entry
from gitcmat.model.events import (
    FILE_DELETED,
    Ask,
    CloseBlockers,
    Edited,
    Effect,
    IssueEdited,
    Withdrawn,
)
from gitcmat.model.state import State

CLEARED: Final[dict[str, Any]] = {
    "attempt": 0,
    "hold": False,
    "interruptions": 0,
    "base": "",
    "head": "",
    "tree": "",
    "checked_tree": "",
    "verdict": None,
    "gates": (),
    "marks": (),
    "notes": (),
    "not_before": None,
    "landing": None,
    "pull": None,
    "published": "",
    "edited_since": False,
    "withdrawn": False,
    "without_file": True,
}
"""What a rerun begins without. The runs of before stay as records; the task file may be pruned."""


def edited(entry: Entry, event: Edited, now: datetime) -> tuple[Entry, tuple[Effect, ...]]:
    """Follow the task file."""
    if entry.state.finished or entry.state is State.REVIEW:
        return entry, ()
    same = entry.source is not None and entry.source.blob == event.source.blob
    changed = replace(
        entry,
        task=event.task,
        source=event.source,
        withdrawn=False,
        without_file=False,
        updated=now,
    )
    if same:
        return changed, ()
    if event.task.priority != entry.task.priority:
        changed = replace(changed, priority=event.task.priority)
    if event.task.hold != entry.task.hold:
        changed = replace(changed, hold=event.task.hold)
    changed = replace(changed, edited_since=entry.run is not None)
    if entry.state is State.ACTIVE:
        return changed, ()
    return replace(changed, attempt=0, not_before=None), ()


def withdrawn(entry: Entry, event: Withdrawn, now: datetime) -> tuple[Entry, tuple[Effect, ...]]:
    """Let go of what is not wanted any more; ask about what runs."""
    if entry.state in (State.BACKLOG, State.PENDING, State.BLOCKED):
        gone = entry.to(State.CANCELLED, now, reason=event.reason)
        return gone, (CloseBlockers(),)
    if entry.state is State.ACTIVE:
        what = f"The task file of {entry.id} was deleted while it runs"
        if event.reason != FILE_DELETED:
            what = f"{entry.id} runs, and its {event.reason}"
        question = f"{what}. Keep the run?"
        asked = replace(entry, withdrawn=True, updated=now)
        return asked, (Ask(kind=BlockerKind.WITHDRAWN, question=question),)
    return entry, ()


def issue_edited(
    entry: Entry, event: IssueEdited, now: datetime
) -> tuple[Entry, tuple[Effect, ...]]:
    """Follow the text of the issue."""
    if entry.issue is None or entry.state.finished or entry.state is State.REVIEW:
        return entry, ()
    issue = replace(entry.issue, text=entry.issue.seen, writer=event.writer)
    changed = replace(entry, task=event.task, issue=issue, updated=now)
    changed = replace(changed, edited_since=entry.run is not None)
    if entry.state is State.ACTIVE:
        return changed, ()
    return replace(changed, attempt=0, not_before=None), ()


def wanted_again(entry: Entry, now: datetime) -> tuple[Entry, tuple[Effect, ...]]:
    """Take back that it was let go of."""
    if entry.withdrawn:
        return replace(entry, withdrawn=False, updated=now), (CloseBlockers(),)
    if entry.issue is None or entry.state is not State.CANCELLED:
        return entry, ()
    back = entry.to(State.BACKLOG, now, reason=f"{entry.issue} is wanted again")
    issue = replace(entry.issue, round=entry.issue.round + 1)
    talk = replace(entry.talk, held=(), handed=())
    fresh = {**CLEARED, "without_file": False, "issue": issue, "talk": talk}
    return replace(back, **fresh), ()
