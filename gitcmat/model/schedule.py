"""What to do next: from what is wanted and what is so, the decisions of one tick. Pure.

`plan` names entries to take in, change, let go of and start; the engine records them in one
commit and carries them out then.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from gitcmat.model.entry import Entry, Source
from gitcmat.model.events import Approved, Edited, Event, NeedFailed, Unapproved, Withdrawn
from gitcmat.model.state import OPEN, State
from gitcmat.model.task import Task

UNKNOWN_NEED: Final = "needs {}, which is not known"
FOR_APPROVAL: Final = "waits for approval"
"""Begins why an entry waits that nobody has approved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A task file at the tip of a source. `task` is None when the file is as the entry knows it,
    or does not parse.
    """

    id: str
    source: Source
    task: Task | None = None
    broken: str = ""
    """Why it does not parse; such a file changes nothing, and its entry waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What people want, as the tips of the sources say."""

    new_from: str | None
    """Full ref of the one source that new tasks come from, None for now."""
    files: Mapping[str, Mapping[str, Wanted]] = field(default_factory=dict)
    """Source ref → id → file. A ref that is gone is not a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is so, gathered before the decision."""

    now: datetime
    entries: Mapping[str, Entry]
    """Every open entry, and what they need."""
    known: Collection[str]
    """The ids of all entries, finished ones too."""
    allowed: Collection[tuple[str, str]]
    """Pairs of id and `Entry.approval` that may run here."""
    landed: Collection[tuple[str, str]]
    """(target ref, id) of done entries whose landing is on that target, or that had none."""
    free: int
    """How many more runs may start."""
    broken: Mapping[str, str] = field(default_factory=dict)
    """Id → why its task file, as it is at the tip of its source, does not parse."""
    limited: Mapping[str, datetime] = field(default_factory=dict)
    """Id → until when the provider does not serve the account that it would work under."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """A task file that becomes an entry."""

    id: str
    task: Task
    source: Source
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something that happens to an entry."""

    id: str
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """The decisions of one tick, in the order in which they are carried out."""

    take: tuple[Take, ...] = ()
    happened: tuple[Happened, ...] = ()


def plan(intent: Intent, world: World) -> Decisions:
    """Decide what happens in this tick, except what starts (`startable` says that on the entries
    as they are then).
    """
    take: list[Take] = []
    happened: list[Happened] = []
    known = set(world.known)
    if intent.new_from is not None:
        known |= set(intent.files.get(intent.new_from, {}))
        for wanted in intent.files.get(intent.new_from, {}).values():
            if wanted.id not in world.known and wanted.task is not None:
                may = _may_run(wanted.id, wanted.source.blob, wanted.task, world, known)
                state = State.PENDING if may else State.BACKLOG
                take.append(Take(id=wanted.id, task=wanted.task, source=wanted.source, state=state))
    for entry in world.entries.values():
        if entry.state in OPEN:
            event = _change(entry, intent, world, known)
            if event is not None:
                happened.append(Happened(id=entry.id, event=event))
    return Decisions(take=tuple(take), happened=tuple(happened))


def _change(entry: Entry, intent: Intent, world: World, known: set[str]) -> Event | None:
    """What the source, or a need, does to an open entry; one thing a tick."""
    source, task = entry.source, entry.task
    if source is not None and source.ref in intent.files:
        wanted = intent.files[source.ref].get(entry.id)
        if wanted is not None and entry.without_file:
            return Edited(task=wanted.task or entry.task, source=wanted.source)
        if wanted is None:
            return Withdrawn() if _can_withdraw(entry) else None
        if wanted.source.blob != source.blob and wanted.task is not None:
            return (
                None
                if entry.state is State.REVIEW
                else Edited(task=wanted.task, source=wanted.source)
            )
    if entry.state is State.PENDING and not _allowed(entry.id, entry.approval, world):
        return Unapproved()
    if entry.state is State.BACKLOG and _may_run(entry.id, entry.approval, task, world, known):
        return Approved()
    if entry.state is State.PENDING:
        for need in entry.task.needs:
            failed = world.entries.get(need)
            if need not in entry.go_on_without and failed and failed.state in _LOST:
                return NeedFailed(need=need, state=failed.state)
    return None


_LOST: Final = frozenset({State.FAILED, State.CANCELLED})


def _can_withdraw(entry: Entry) -> bool:
    if entry.without_file or entry.state is State.REVIEW:
        return False
    return not entry.withdrawn if entry.state is State.ACTIVE else True


def _may_run(
    entry_id: str, approval: str, task: Task, world: World, known: Collection[str]
) -> bool:
    return _allowed(entry_id, approval, world) and all(need in known for need in task.needs)


def _allowed(entry_id: str, approval: str, world: World) -> bool:
    return not approval or (entry_id, approval) in world.allowed


def waits_for(entry: Entry, world: World, *, gone: Collection[str] = ()) -> str:
    """Say why a backlog or pending entry does not start now; empty when it may.

    Computed, never stored: it is true only for the moment.
    """
    why = _waits_for(entry, world, gone)
    circle = _circle(entry, world) if why.startswith("needs ") else []
    return f"{why}, in a circle: {' -> '.join(circle)}" if circle else why


def is_early(entry: Entry, now: datetime) -> bool:
    """Whether the time that an entry waits for is still to come.

    A clock that was put back since the wait began would stretch it, to years perhaps: then it is
    over.
    """
    return entry.not_before is not None and entry.since <= now < entry.not_before


def _waits_for(entry: Entry, world: World, gone: Collection[str]) -> str:
    if entry.state is State.BACKLOG:
        if not _allowed(entry.id, entry.approval, world):
            of = f" ({entry.issue} by {entry.issue.who})" if entry.issue else ""
            return f"{FOR_APPROVAL}{of}"
        missing = [n for n in entry.task.needs if n not in world.known]
        return UNKNOWN_NEED.format(", ".join(missing)) if missing else "is about to be queued"
    if entry.hold:
        return f"on hold ({entry.reason})" if entry.reason else "on hold"
    if entry.source is not None and entry.source.ref in gone:
        return f"its source {entry.source.ref} is gone"
    if entry.id in world.broken:
        return f"has a task file that is wrong: {world.broken[entry.id]}"
    unmet = unmet_needs(entry, world)
    if unmet:
        return f"needs {', '.join(unmet)}"
    if entry.not_before is not None and is_early(entry, world.now):
        return f"not before {entry.not_before:%H:%M:%S} UTC"
    if entry.id in world.limited:
        return f"the usage limit of its account holds until {world.limited[entry.id]:%H:%M:%S} UTC"
    return ""


def _circle(entry: Entry, world: World) -> list[str]:
    """The way from an entry over needs back to itself; empty when there is none."""
    trail, seen = [[entry.id]], {entry.id}
    while trail:
        way = trail.pop()
        at = world.entries.get(way[-1])
        for need in unmet_needs(at, world) if at is not None and at.state in OPEN else ():
            if need == entry.id:
                return [*way, need]
            if need not in seen:
                seen.add(need)
                trail.append([*way, need])
    return []


def unmet_needs(entry: Entry, world: World) -> list[str]:
    """The needs of an entry that have not landed yet."""
    return [
        need
        for need in entry.task.needs
        if (entry.target, need) not in world.landed and need not in entry.go_on_without
    ]


def startable(world: World, *, gone: Collection[str] = ()) -> tuple[str, ...]:
    """Ids of the entries that may start now, what starts first first."""
    pending = [e for e in world.entries.values() if e.state is State.PENDING]
    ready = [e for e in pending if not _waits_for(e, world, gone)]
    return tuple(e.id for e in sorted(ready, key=lambda e: e.rank))


def may_start_now(entry: Entry, world: World) -> bool:
    """Whether a person may start an entry by name: a hold and a wait are theirs to overrule,
    needs are not, nor is a task file in which nobody can read what is wanted.
    """
    return (
        entry.state is State.PENDING
        and entry.id not in world.broken
        and not unmet_needs(entry, world)
    )


def find_cycle(needs: Mapping[str, Collection[str]]) -> list[str]:
    """Return one cycle of needs, its first id at both ends; empty when there is none."""
    done: set[str] = set()
    for first in sorted(needs):
        path: list[str] = []
        trail = [(first, iter(sorted(needs.get(first, ()))))]
        while trail:
            at, rest = trail[-1]
            if len(path) < len(trail):
                path.append(at)
            step = next((n for n in rest if n not in done), None)
            if step is None:
                done.add(at)
                trail.pop()
                path.pop()
            elif step in path:
                return [*path[path.index(step) :], step]
            else:
                trail.append((step, iter(sorted(needs.get(step, ())))))
    return []
