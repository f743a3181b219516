"""What happened to a record, told from what it was before and after. Pure.

Every change of the state is a commit; an event is what one commit did to one record.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from gitcmat.model.events import FILE_DELETED


class Via(StrEnum):
    """What made a change."""

    COMMAND = "command"
    """A command that a person typed."""
    COMMIT = "commit"
    """A commit of a task file: it may be taken in later, and at another's machine."""
    EDIT = "edit"
    """A file of the view that a person saved."""
    GITCMAT = "gitcmat"
    """gitcmat itself: what follows from the end of a run, or the turn of a task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What happened to one record."""

    kind: str
    """One of `KINDS`."""
    what: str
    """For people, in one line."""
    task: str
    """The task that it is about; empty for none."""
    old: str = ""
    """For what moved: its state before."""
    new: str = ""
    keys: tuple[str, ...] = ()
    """Keys whose values changed, without those that change each time."""


class Brought(NamedTuple):
    """A file that people commit, as it was at a commit."""

    commit: str
    """Or a ref, for a file that is gone: from whatever is there by now."""
    path: str
    gone: bool = False
    """Whether it is its deletion that counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change of one record, with who made it, when, where and how."""

    id: str
    """``<commit of the state>:<number>``."""
    at: datetime
    who: str
    email: str
    node: str
    via: Via
    did: str
    """What was done as a whole, such as ``cancel parse-dates``."""
    record: str
    """The id of the record."""
    told: Told


KINDS: Final = (
    "task.new",
    "task.moved",
    "task.changed",
    "run.started",
    "run.ended",
    "run.changed",
    "blocker.opened",
    "blocker.answered",
    "blocker.closed",
    "blocker.changed",
    "subtask.new",
    "subtask.done",
    "subtask.reopened",
    "subtask.closed",
    "subtask.deleted",
    "subtask.changed",
    "checkpoint.new",
    "checkpoint.deleted",
    "checkpoint.changed",
)
"""All kinds of events."""

_EACH_TIME: Final = frozenset({"schema", "version", "updated", "since", "changed", "changed_by"})
_LONGEST: Final = 200
_STATUSES: Final = {
    "subtask": {
        "open": "reopened",
        "done": "done",
        "closed": "closed",
        "deleted": "deleted",
    },
    "blocker": {"open": "opened", "answered": "answered", "closed": "closed"},
}

Data = Mapping[str, Any]


def tell(noun: str, old: Data | None, new: Data, *, record: str) -> Told:
    """Say what happened to a record of the kind `noun`, such as ``task`` or ``run``.

    `old` is None for a new record. Both are the plain data of its file; of a task, `state` is
    added to it.
    """
    before = old or {}
    keys = tuple(
        key
        for key in dict.fromkeys((*new, *before))
        if key not in _EACH_TIME and before.get(key) != new.get(key)
    )
    verb = _verb(noun, old, new)
    moved = verb == "moved"
    return Told(
        kind=f"{noun}.{verb}",
        what=_line(_what(noun, verb, before, new, keys)),
        task=record if noun == "task" else str(new.get("task") or ""),
        old=str(before["state"]) if moved else "",
        new=str(new["state"]) if moved else "",
        keys=tuple(key for key in keys if key != "state") if old is not None else (),
    )


def brought(old: Data | None, new: Data) -> Brought | None:
    """Return which file, by being committed or deleted, changed the record of a task; None where it
    was none.
    """
    source, before = new.get("source"), old or {}
    if source is None:
        return None
    if (before.get("source") or {}).get("blob") != source["blob"]:
        return Brought(source["commit"], source["path"])
    asked = bool(new.get("withdrawn")) and not before.get("withdrawn")
    gone = new.get("reason") == FILE_DELETED != before.get("reason")
    return Brought(source["ref"], source["path"], gone=True) if asked or gone else None


def _verb(noun: str, old: Data | None, new: Data) -> str:
    if noun == "blocker" and old is None:
        return "opened"
    if noun == "run" and (old is None or old.get("outcome") != new.get("outcome")):
        return "started" if new.get("outcome") is None else "ended"
    if old is None:
        return "new"
    if noun == "task" and old["state"] != new["state"]:
        return "moved"
    if noun == "checkpoint" and new.get("deleted") and not old.get("deleted"):
        return "deleted"
    status, verbs = new.get("status", "open"), _STATUSES.get(noun, {})
    return verbs.get(status, "changed") if old.get("status", "open") != status else "changed"


def _what(noun: str, verb: str, old: Data, new: Data, keys: tuple[str, ...]) -> str:
    match noun, verb:
        case "task", "new":
            task = new.get("task") or {}
            return f"{new['state']}: {task.get('title') or task.get('prompt', '')}"
        case "task", "moved":
            reason = new.get("reason")
            return f"{old['state']} -> {new['state']}{f' ({reason})' if reason else ''}"
        case "run", "started":
            return f"{new.get('agent') or 'gates'}, attempt {new.get('attempt', 0)}"
        case "run", "ended":
            message = str(new.get("message") or "").removeprefix(f"{new['outcome']}: ")
            return f"{new['outcome']}{f': {message}' if message else ''}"
        case "blocker", "opened" | "closed":
            return str(new.get("question", ""))
        case "blocker", "answered":
            return str(new.get("answer", ""))
        case _, "changed":
            return ", ".join(_changed(key, old.get(key), new.get(key)) for key in keys)
        case _:
            return str(new.get("title") or new.get("name") or "")


def _changed(key: str, old: object, new: object) -> str:
    plain = all(isinstance(value, str | int | float | None) for value in (old, new))
    short = plain and len(f"{old}{new}") <= 60  # noqa: PLR2004 - what fits into a line
    return f"{key}: {_shown(old)} -> {_shown(new)}" if short else key


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
