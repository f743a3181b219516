"""Sends work at review back to the agent, with all that people said about it on a forge."""

from dataclasses import replace
from datetime import datetime

from gitcmat.engine.effects import After, happen
from gitcmat.model import rework
from gitcmat.model.entry import Entry
from gitcmat.model.events import Rejected
from gitcmat.model.talk import Remark
from gitcmat.store.state import Change


def send_back(change: Change, event: Rejected, task: str, now: datetime, after: After) -> Entry:
    """Let a reviewer's no happen within a change; what is held for the agent goes along.

    Raises `Conflict` when the task is not at review.
    """
    entry = change.entry(task)
    given = rework.rework(entry.talk.held)
    text = "\n\n".join(part for part in (event.text, given.text) if part)
    sent = happen(change, task, replace(event, text=text), now, after)
    if not given.remarks:
        return sent
    talk = replace(entry.talk, held=given.rest)
    if entry.pull is not None:
        talk = rework.handed_over(entry.talk, given, entry.pull, entry.run or "")
    done = replace(sent, talk=talk)
    change.put(done)
    return done


def send_back_for(
    change: Change, task: str, place: int, now: datetime, after: After, extra: Remark | None = None
) -> Entry:
    """Send it back for what is held, and for `extra`, which somebody says now; `place` is the
    number of the issue or pull request.
    """
    entry = change.entry(task)
    if extra is not None:
        entry = replace(entry, talk=replace(entry.talk, held=(extra, *entry.talk.held)))
        change.put(entry)
    given = rework.rework(entry.talk.held)
    event = Rejected(text="", by=given.by, reason=f"sent back on #{place}")
    return send_back(change, event, task, now, after)
