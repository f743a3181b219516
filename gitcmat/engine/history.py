"""What happened, told from the history of the state; nothing else is kept."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from gitcmat.engine.deps import Deps
from gitcmat.engine.hints import Bell, Hint, Place
from gitcmat.errors import NotFound, Usage
from gitcmat.model.audit import KINDS, Brought, Event, Via, brought, tell
from gitcmat.model.names import Sha
from gitcmat.store import chronicle, past, yamlio
from gitcmat.store.authors import authors
from gitcmat.store.chronicle import Step, Touched
from gitcmat.store.layout import Kind
from gitcmat.store.refs import STATE
from gitcmat.system import clock

_AT_ONCE: Final = 200
"""Commits that are read together: few processes, and little that waits in memory."""
_LOOK_EVERY: Final = 5.0
"""Seconds between looks for new events when nothing tells of a change."""
_NOUNS: Final = {Kind.QUEUE: "task", **{k: k.value.removesuffix("s") for k in Kind if k != "queue"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which events are wanted."""

    since: str = ""
    """After this event or state, or from this time on."""
    until: str = ""
    """Up to this event, state or time."""
    task: str = ""
    """The whole id of a task."""
    kinds: tuple[str, ...] = ()
    """Kinds, or their first words (``task``); none: all."""

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if not any(_is(kind, known) for known in KINDS):
                raise Usage(f"There are no events of type {kind!r}.", hint=", ".join(KINDS))

    def wants(self, event: Event) -> bool:
        """Whether an event is wanted, whenever it was."""
        about = not self.task or event.told.task == self.task
        return about and (not self.kinds or any(_is(k, event.told.kind) for k in self.kinds))


class _Found(NamedTuple):
    """An event, and the file of a person's that is to be asked who made it."""

    event: Event
    brought: Brought | None


class History:
    """The events of this node."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._git = deps.git

    def last(self, wish: Wish, limit: int) -> tuple[list[Event], bool]:
        """Return the last `limit` events, the oldest first, and whether there were more.

        Raises `NotFound` for a point in time that there is not.
        """
        found: list[_Found] = []
        for commits in self._backwards(self._until(wish)):
            newest_first = reversed([f for f in self._read(commits[::-1]) if wish.wants(f.event)])
            found += [f for f in newest_first if _not_after(f.event, wish.until)]
            if len(found) > limit:
                break
        return list(self._attributed(found[:limit][::-1])), len(found) > limit

    def all(self, wish: Wish) -> Iterator[Event]:
        """Yield events, the oldest first, from `wish.since` on, or from the beginning.

        Raises `NotFound` for a point in time that there is not.
        """
        until = self._until(wish)
        commits, skip = self._since(wish, until)
        yield from self._attributed(
            found
            for found in self._read(commits)
            if _after(found.event, skip)
            and _not_after(found.event, wish.until)
            and wish.wants(found.event)
        )

    def follow(
        self, wish: Wish, after: Sha | None, ended: Callable[[], bool], bell: Bell
    ) -> Iterator[Event]:
        """Yield the events behind the state `after`, as they come, until `ended`.

        `ended` is asked after each change, and every few seconds. A `bell` that somebody rings
        makes it look at once.
        """
        from gitcmat.engine.watch import Watcher  # which only this needs

        place = Place(path=self._deps.repo.common_dir / STATE, others=Hint.STATE)
        with Watcher(bell.ring) as watcher:
            while not ended():
                watcher.refresh([place])
                tip = self._deps.store.tip()
                if tip is not None and tip != after:
                    new = self._read(self._between(after, tip))
                    yield from self._attributed(f for f in new if wish.wants(f.event))
                    after = tip
                bell.wait(clock.monotonic() + _LOOK_EVERY)

    # --- which commits --------------------------------------------------------------------------

    def _until(self, wish: Wish) -> Sha:
        tip = self._deps.store.tip()
        if wish.until:
            return past.find_point(self._git, tip, wish.until).commit
        if tip is None:
            raise NotFound("Nothing has been recorded here yet.", hint="gitcmat init")
        return tip

    def _since(self, wish: Wish, until: Sha) -> tuple[list[str], str]:
        """The commits to read, the oldest first, and the event that has been read of them."""
        if not wish.since:
            return self._between(None, until), ""
        tip = self._deps.store.tip() or until
        commit = past.find_commit(self._git, tip, wish.since)
        if commit is not None:
            behind = self._between(commit, until)
            _, colon, number = wish.since.partition(":")
            return ([commit, *behind], f"{commit}:{number}") if colon else (behind, "")
        seconds = past.moment(self._git, wish.since, end_of_day=False)
        if seconds is None:
            point = past.find_point(self._git, tip, wish.since)
            return self._between(point.commit, until), ""
        # As a filter: a clock that jumped must not end the search.
        found = self._git.text("rev-list", "--reverse", f"--since-as-filter={seconds}", until)
        return found.split(), ""

    def _between(self, after: Sha | None, until: Sha) -> list[str]:
        out = [f"^{after}"] if after else []
        return self._git.text("rev-list", "--reverse", until, *out).split()

    def _backwards(self, until: Sha) -> Iterator[list[str]]:
        skip = 0
        while True:
            some = ("-n", str(_AT_ONCE), f"--skip={skip}")
            commits = self._git.text("rev-list", *some, until).split()
            if not commits:
                return
            yield commits
            skip += _AT_ONCE

    # --- what they did --------------------------------------------------------------------------

    def _read(self, commits: list[str]) -> Iterator["_Found"]:
        for at in range(0, len(commits), _AT_ONCE):
            steps = chronicle.steps(self._git, commits[at : at + _AT_ONCE])
            blobs = self._git.blobs(sorted(_blobs(steps)))
            parsed: dict[str, dict[str, Any]] = {}
            for step in steps:
                for number, touched in enumerate(step.touched):
                    if (found := _event(step, number, touched, blobs, parsed)) is not None:
                        yield found

    def _attributed(self, found: Iterable["_Found"]) -> Iterator[Event]:
        """Name, for what a commit of a person's brought, that person."""
        waiting = iter(found)
        while some := list(itertools.islice(waiting, _AT_ONCE)):
            known = authors(self._git, {f.brought for f in some if f.brought is not None})
            for event, file in some:
                who = known.get(file) if file is not None else None
                yield (
                    event
                    if who is None
                    else replace(event, who=who.name, email=who.email, via=Via.COMMIT)
                )


def plain(event: Event) -> dict[str, Any]:
    """Return an event as plain data."""
    told = event.told
    moved = {"from": told.old, "to": told.new} if told.new else {}
    return {
        "id": event.id,
        "at": f"{event.at:%Y-%m-%dT%H:%M:%SZ}",
        "type": told.kind,
        "task": told.task,
        "record": event.record,
        **moved,
        "keys": list(told.keys),
        "what": told.what,
        "who": {"name": event.who, "email": event.email},
        "via": event.via.value,
        "did": event.did,
        "node": event.node,
    }


def _event(
    step: Step,
    number: int,
    touched: Touched,
    blobs: dict[str, bytes],
    parsed: dict[str, dict[str, Any]],
) -> _Found | None:
    if touched.new is None:  # records are never removed; somebody else wrote this commit
        return None
    data = {
        place: _data(place.blob, blobs, parsed, state=place.key.state)
        for place in (touched.old, touched.new)
        if place is not None
    }
    old = data[touched.old] if touched.old else None
    new = data[touched.new]
    told = tell(_NOUNS[touched.kind], old, new, record=touched.id)
    who = step.by.get(touched.id)
    via = Via.COMMAND if who else _via(step)
    asks = touched.kind is Kind.QUEUE and via is Via.GITCMAT
    event = Event(
        id=f"{step.commit}:{number}",
        at=step.at,
        who=who.name if who else step.name,
        email=who.email if who else step.email,
        node=step.node,
        via=via,
        did=step.did,
        record=touched.id,
        told=told,
    )
    return _Found(event, brought(old, new) if asks else None)


def _via(step: Step) -> Via:
    if (step.name, step.email) == ("gitcmat", "gitcmat@localhost"):
        return Via.GITCMAT
    return Via.EDIT if step.did.startswith("edit ") else Via.COMMAND


def _data(
    blob: str, blobs: dict[str, bytes], parsed: dict[str, dict[str, Any]], *, state: str | None
) -> dict[str, Any]:
    if blob not in parsed:
        loaded = yamlio.load(blobs.get(blob, b"{}"), name=blob).data
        parsed[blob] = loaded if isinstance(loaded, dict) else {}
    return {**parsed[blob], "state": str(state)} if state is not None else parsed[blob]


def _blobs(steps: Iterable[Step]) -> set[str]:
    places = [place for s in steps for t in s.touched for place in (t.old, t.new)]
    return {place.blob for place in places if place is not None}


def _is(wanted: str, kind: str) -> bool:
    return kind == wanted or kind.startswith(f"{wanted}.")


def _after(event: Event, last: str) -> bool:
    """Whether an event comes behind `last` where both are of one commit."""
    commit, _, number = last.partition(":")
    own, _, own_number = event.id.partition(":")
    return own != commit or int(own_number) > int(number)


def _not_after(event: Event, last: str) -> bool:
    commit, colon, number = last.partition(":")
    own, _, own_number = event.id.partition(":")
    return not (colon and number.isdigit() and own.startswith(commit)) or int(own_number) <= int(
        number
    )
