"""Takes the person's last command back, where nothing has come of it yet.

What it changed is put back as a new version, so the history keeps both. Whatever has moved on since
stays as it is, and so does everything else then.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NoReturn

from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After, happen
from gitcmat.errors import Conflict, NoWork
from gitcmat.model.blocker import Blocker, BlockerStatus
from gitcmat.model.entry import Entry, Landing, Version
from gitcmat.model.events import Cancelled
from gitcmat.model.names import short
from gitcmat.model.state import State
from gitcmat.model.subtask import Subtask, SubtaskStatus
from gitcmat.store import chronicle, layout, records
from gitcmat.store.chronicle import Place, Step
from gitcmat.store.git import Git
from gitcmat.store.records import Record
from gitcmat.store.state import Change

TAKES_BACK: Final = (
    "answer",
    "block",
    "cancel",
    "edit",
    "hold",
    "priority",
    "queue",
    "reject",
    "release",
    "rerun",
    "subtask",
)
"""First words of what can be taken back."""

_BY_THE_WAY: Final = re.compile(
    r"(?:check|checked|direct|stopped|task|checkpoint (?!restore)\S*)(?: |$)"
)
"""What a command writes down by the way, and what moves nothing: passed over."""
_UNDO: Final = re.compile(r"undo ([0-9a-f]{40}|[0-9a-f]{64}): .*", re.DOTALL)
_TYPED: Final = re.compile(r"Task (\S+): |Prune \d+ finished tasks")
"""Begins the message of a commit that a command made on the person's branch."""
_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What was taken back."""

    did: str
    at: datetime
    commit: str
    """The state commit that had done it."""
    changes: tuple[str, ...]
    """What is as it was before, in lines for people."""


def undo(deps: Deps, *, dry_run: bool = False) -> Undone:
    """Take back the last command of the person that was not taken back before.

    Raises:
        NoWork: they have changed nothing here yet.
        Conflict: something has come of it, or it is none of those that can be taken back.
    """
    step = next(_own(deps), None)
    _refuse_typed(deps, step)
    if step is None:
        raise NoWork("There is no command of yours to take back.", hint="gitcmat events")
    if step.verb not in TAKES_BACK:
        _refuse(deps, step)
    subject = f"undo {step.commit}: {step.did}"
    with deps.store.change(subject, by=deps.actor) as change:
        changes = [_put_back(deps, change, old, new) for old, new in _records(deps.git, step)]
        if dry_run:
            change.discard()
    return Undone(did=step.did, at=step.at, commit=step.commit, changes=tuple(changes))


def _own(deps: Deps) -> Iterator[Step]:
    """The person's own changes that still count, the last one first."""
    tip = deps.store.tip()
    gone: set[str] = set()
    skip = 0
    author = ("--fixed-strings", f"--author=<{deps.me.email}>")
    while tip is not None:
        some = ("-n", str(_AT_ONCE), f"--skip={skip}")
        commits = deps.git.text("rev-list", *some, *author, tip).split()
        if not commits:
            return
        skip += _AT_ONCE
        for step in chronicle.steps(deps.git, commits):
            if before := _UNDO.fullmatch(step.did):
                gone.add(before[1])
            elif step.commit not in gone and not _BY_THE_WAY.match(step.did):
                yield step


def _records(git: Git, step: Step) -> list[tuple[Record | None, Record]]:
    """The records that a step wrote, as they were before and after."""
    places = [place for t in step.touched for place in (t.old, t.new) if place is not None]
    blobs = git.blobs([place.blob for place in places])

    def read(place: Place | None) -> Record | None:
        return None if place is None else records.read(place.key, blobs[place.blob])

    pairs = [(read(touched.old), read(touched.new)) for touched in step.touched]
    return [(old, new) for old, new in pairs if new is not None]


def _put_back(deps: Deps, change: Change, old: Record | None, new: Record) -> str:
    """Put a record back within a change; say what it is then."""
    now = deps.clock.now()
    match new:
        case Entry():
            _check_same(new, change.find(new.id), new.id)
            return _entry(deps, change, old if isinstance(old, Entry) else None, new)
        case Blocker():
            _check_same(new, change.facts.blocker(new.id), new.task)
            closed = replace(new, status=BlockerStatus.CLOSED, answered=now)
            back: Record = old or closed
            word = "open again" if isinstance(old, Blocker) and old.status == "open" else "closed"
        case Subtask():
            _check_same(new, change.facts.subtask(new.id), new.task)
            back = old or new.become(SubtaskStatus.DELETED, now, by=deps.me.name)
            word = back.status if isinstance(back, Subtask) else ""
        case _:
            raise Conflict(f"{new.id} cannot be taken back.", hint="gitcmat events")
    change.put(back, f"{new.id}: {word} (undone)")
    return f"{new.id}: {word}"


def _entry(deps: Deps, change: Change, old: Entry | None, new: Entry) -> str:
    now = deps.clock.now()
    if new.state is State.ACTIVE or (old is not None and old.state is State.ACTIVE):
        raise Conflict(
            f"{new.id} has a run, and what runs cannot be taken back.",
            hint=f"gitcmat task show {new.id}",
        )
    if old is None:
        happen(change, new.id, Cancelled(reason="undone", by=deps.me.name), now, After())
        return f"{new.id}: cancelled"
    back = replace(old, updated=now)
    if old.state is new.state:
        said = ", ".join(new.set_back(old)) or f"{old.state}, as before"
        change.put(back, f"{new.id}: {said} (undone)")
        return f"{new.id}: {said}"
    change.put(back, f"{new.id}: {new.state} -> {old.state} (undone)")
    return f"{new.id}: {old.state} (was {new.state})"


def _check_same(then: Record, now: Record | None, task: str) -> None:
    if now is None or _plain(now) != _plain(then):
        is_now = f" (it is {now.state})" if isinstance(now, Entry) else ""
        raise Conflict(
            f"{then.id} has moved on since{is_now}; nothing was taken back.",
            hint=f"gitcmat events --task {task}",
        )


def _plain(record: Record) -> Record:
    """A record without what each write changes."""
    if not isinstance(record, Entry):
        return record
    return replace(record, version=Version(), updated=record.created)


# --- what is taken back in another way -----------------------------------------------------------


def _refuse(deps: Deps, step: Step) -> NoReturn:
    word = step.verb
    hint = "gitcmat checkpoint restore --undo" if word == "checkpoint" else "gitcmat events"
    if word == "pr" and step.touched:
        hint = f"gitcmat pr close {step.touched[0].id}"
    for touched in step.touched if word == "land" else ():
        entry = deps.store.read().entry(touched.id)
        if entry is not None and entry.landing is not None:
            hint = _undo_landing(deps.git, entry.landing) or hint
    raise Conflict(f"The last was `{step.did}`, which `undo` does not take back.", hint=hint)


def _undo_landing(git: Git, landing: Landing) -> str:
    """The command that takes a landing back; empty where there was none."""
    if landing.commit is None:
        return ""
    rows = git.text("log", "--walk-reflogs", "--format=%H", landing.target, "--").splitlines()
    name = landing.target.removeprefix("refs/heads/")
    if rows[:1] == [landing.commit] and len(rows) > 1:
        return f"on {name}: git reset --keep {rows[1]}"
    return f"on {name}: git revert {'-m 1 ' if landing.how == 'merge' else ''}{landing.commit}"


def _refuse_typed(deps: Deps, step: Step | None) -> None:
    """Refuse when the last command made a commit on the person's branch: that is git's to undo."""
    form = "--format=%ct%x00%ae%x00%H%x00%s"
    last = Git(deps.repo.git_dir).maybe("log", "-1", form, "HEAD", "--", layout.TASKS)
    if not last:
        return
    at, email, commit, subject = last.split("\0", 3)
    typed = _TYPED.match(subject) if email == deps.me.email else None
    if typed and _is_later(deps, step, int(at), typed[1]):
        raise Conflict(
            f"The last was a commit on your branch: {subject}", hint=f"git revert {short(commit)}"
        )


def _is_later(deps: Deps, step: Step | None, at: int, task: str | None) -> bool:
    """Whether a commit on the branch, about `task`, came after what the person did last."""
    if step is None or at != int(step.at.timestamp()):
        return step is None or at > step.at.timestamp()
    # Within one second: it is the later one if the records knew nothing of it then.
    then = deps.store.read_at(step.commit).entry(task or "")
    now = deps.store.read().entry(task or "")
    return now is not None and (then is None or then.source != now.source)
