"""Checkpoints: what a work tree was at one moment, by a name, and the rules about keeping them."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from gitcmat.errors import InvalidData
from gitcmat.model.entry import Entry
from gitcmat.model.marks import one_line
from gitcmat.model.state import State

MOST_NEW_FILES: Final = 1_000
MOST_NEW_BYTES: Final = 50_000_000
"""More new files, or bytes in them, are saved only when a person says so: often it is a folder that
should be ignored."""

KEPT_DAYS: Final = 90
KEPT_OWN: Final = 300
"""How long those that gitcmat made stay, and how many of them, unless a person says otherwise."""

_LONGEST_NAME: Final = 200
_NAMED: Final = 3
"""How many of the largest new files are named."""


class Why(StrEnum):
    """Who asked for a checkpoint: a person, or what gitcmat was about to do."""

    MANUAL = "manual"
    LANDING = "before landing"
    RESTORE = "before restore"
    CLEAN_UP = "before clean-up"
    INTERVAL = "interval"
    AGENT = "agent"
    """The agent of a run asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The record of a checkpoint: ``.cmat/checkpoints/<id>.yaml``.

    The files are in `commit`: its tree is the work tree, its parents are HEAD and a commit whose
    tree is the index. The records of tasks and blockers are those of `state`.
    """

    schema: int = 1
    id: str
    name: str
    """Free text of one line; only the id is ever part of a path or ref."""
    why: Why = Why.MANUAL
    ref: str
    commit: str
    head: str
    """The commit that was checked out."""
    branch: str = ""
    """Full ref of the branch that was checked out; empty when HEAD was detached."""
    state: str = ""
    """The commit of the state; empty when nothing had been recorded yet."""
    work_tree: str = ""
    """The linked work tree, by the name that git keeps it under; empty for the main one."""
    task: str | None = None
    run: str | None = None
    about: str = ""
    """The checkpoint that was restored afterwards."""
    files: int = 0
    """How many paths differ from HEAD."""
    new_files: int = 0
    """How many of them git did not track."""
    new_bytes: int = 0
    left_out: tuple[str, ...] = ()
    """Repositories inside the work tree, which are not in it."""
    tasks: int = 0
    """How many tasks were unfinished."""
    blockers: int = 0
    """How many questions were open."""
    created: datetime
    by: str
    deleted: datetime | None = None
    """When it was deleted; the record stays, the ref is gone."""
    deleted_by: str = ""


@dataclass(frozen=True, slots=True)
class TaskNow:
    """The record of a task at one moment: its state, its place and its blob."""

    state: State
    path: str
    blob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChanges:
    """The tasks of two states, by id in order; `changed` has the two sides of each."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: Mapping[str, tuple[TaskNow, TaskNow]]
    unchanged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PutBack:
    """What becomes of one task when the records of a checkpoint are put back."""

    id: str
    entry: Entry | None
    """The record to write; None when it is left as it is."""
    why: str
    """What changes, or why nothing does and what a person may type instead."""


@dataclass(frozen=True, slots=True)
class NewFiles:
    """What git does not track and a checkpoint would hold."""

    count: int
    size: int
    """Bytes of all of them."""
    largest: tuple[tuple[str, int], ...] = ()
    """The largest few, with their bytes."""

    @classmethod
    def of(cls, sizes: Mapping[str, int]) -> "NewFiles":
        """Count files, given as path → bytes."""
        by_size = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
        return cls(len(sizes), sum(sizes.values()), tuple(by_size[:_NAMED]))

    def __str__(self) -> str:
        """``large.bin (50.0 MB), small.txt (5 bytes)``."""
        return ", ".join(f"{one_line(path)} ({_in_words(size)})" for path, size in self.largest)


def _in_words(size: int) -> str:
    megabytes = size / 1e6
    return f"{megabytes:,.1f} MB" if megabytes >= 0.1 else f"{size:,} bytes"  # noqa: PLR2004


def checked_name(text: str) -> str:
    """Return `text` as a name: one line without control characters, trimmed.

    Raises `InvalidData` when nothing is left, or too much.
    """
    name = text.strip()
    if not name or len(name) > _LONGEST_NAME:
        raise InvalidData(
            f"A checkpoint needs a name of 1 to {_LONGEST_NAME} characters.",
            hint='gitcmat checkpoint create "before the refactoring"',
        )
    if any(unicodedata.category(c) in {"Cc", "Zl", "Zp"} for c in name):
        raise InvalidData(
            "The name of a checkpoint is one line of text.", hint="leave line ends and tabs out"
        )
    return name


def is_large(files: int, size: int, limit: int | None = None) -> bool:
    """Whether so many new files, of `size` bytes, are to be asked about; `limit` is in bytes."""
    if limit is not None:
        return size > limit
    return files > MOST_NEW_FILES or size > MOST_NEW_BYTES


def expired(
    found: Iterable[Checkpoint], now: datetime, *, keep: int | None, days: float | None
) -> list[Checkpoint]:
    """Return those that may go, the oldest first. What a person made by hand is never among them.

    `keep` leaves that many of the newest, `days` those that are not older. Without either, what
    is older than `KEPT_DAYS` goes, and what is beyond the newest `KEPT_OWN`.
    """
    own = sorted((c for c in found if c.why is not Why.MANUAL), key=lambda c: (c.created, c.id))
    if keep is None and days is None:
        last = now - timedelta(days=KEPT_DAYS)
        return [c for i, c in enumerate(own) if c.created < last or len(own) - i > KEPT_OWN]
    old = own[: max(0, len(own) - (keep or 0))]
    if days is None:
        return old
    last = now - timedelta(days=days)
    return [c for c in old if c.created < last]


def last_restore(found: Iterable[Checkpoint], work_tree: str) -> Checkpoint | None:
    """Return what was saved before the last restore in this work tree."""
    saved = [c for c in found if c.why is Why.RESTORE and c.work_tree == work_tree]
    return max(saved, key=lambda c: (c.created, c.id), default=None)


def compare_tasks(old: Mapping[str, TaskNow], new: Mapping[str, TaskNow]) -> TaskChanges:
    """Compare the tasks of two states."""
    both = sorted(old.keys() & new.keys())
    return TaskChanges(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed={i: (old[i], new[i]) for i in both if old[i] != new[i]},
        unchanged=tuple(i for i in both if old[i] == new[i]),
    )


def put_back(then: Entry, now: Entry, at: datetime) -> PutBack | None:
    """Say what of a record may be made what it was; None when nothing differs that counts.

    Only what a person may edit in a record is put back: priority and hold, of an unfinished task. A
    state is what runs, answers and landings have led to, and they are not undone by a record that
    says otherwise: it is named, with the command that moves on from it.
    """
    wrong = f"is {now.state}, was {then.state}" if now.state is not then.state else ""
    if now.state.finished:
        return PutBack(now.id, None, f"{wrong}: gitcmat queue rerun {now.id}") if wrong else None
    if (now.priority, now.hold) == (then.priority, then.hold) or then.state.finished:
        return PutBack(now.id, None, f"{wrong}, and stays so") if wrong else None
    why = ", ".join(now.set_back(then)) + (f" ({wrong}, and stays so)" if wrong else "")
    entry = replace(now, priority=then.priority, hold=then.hold, updated=at)
    return PutBack(now.id, entry, why)
