"""The record of what people say about a task on a forge: what was heard, what the agent is still to
be told, and what gitcmat still has to say.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_MOST_HEARD: Final = 600
"""Ids; a record has no room for more beside what gates and agents said."""
_MOST_TOLD: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something that somebody said and that the agent is to be told: data, never an instruction to
    gitcmat.
    """

    id: str
    """``review:12``, ``thread:34`` for a comment in a thread, ``comment:56``."""
    by: str
    text: str = ""
    verdict: str = ""
    """Of a review: what a `gitcmat.model.forge.Verdict` says."""
    thread: int = 0
    """The thread it stands in."""
    review: int = 0
    """The review that its thread came with."""
    path: str = ""
    first_line: int = 0
    line: int = 0
    """The lines it is about; 0 for the whole file, or where they are gone."""
    hunk: str = ""
    """The lines it was written about, as a diff."""
    starts: bool = False
    """Whether it sends the work back by itself; else it waits for something that does."""

    @property
    def answered_as(self) -> str:
        """What gets the reply: its thread, or itself."""
        return f"thread:{self.thread}" if self.thread else self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What the agent was told and nobody has replied to yet."""

    id: str
    """``thread:12`` or ``review:34``."""
    last: str
    """The last remark in it that the agent was told."""
    number: int
    """The pull request."""
    path: str = ""
    run: str
    """The run whose result it is about: the next one answers it."""
    head: str
    """The commit that was on the forge then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A comment that gitcmat has decided to make and may not have made yet."""

    number: int
    """The issue or pull request."""
    mark: str
    """What it is known again by, such as ``reply=comment-12``."""
    text: str
    """Markdown, with nothing in it that acts by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """All of it, for one task."""

    heard: tuple[str, ...] = ()
    """Ids of what was taken in; ``comment:<34`` stands for all comments below 34."""
    told: tuple[str, ...] = ()
    """What was said once and is not said again."""
    held: tuple[Remark, ...] = ()
    """What the agent is told with the next rework."""
    handed: tuple[Handed, ...] = ()
    sayings: tuple[Saying, ...] = ()

    def knows(self, thing: str) -> bool:
        """Whether the thing with this id was taken in."""
        return thing in self.heard or _number(thing) < _floors(self.heard).get(_kind(thing), 0)


def heard(before: Iterable[str], new: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of before with new ones. Of too many the lowest become one: a forge counts
    upwards, so these are the oldest.
    """
    found = list(dict.fromkeys((*before, *new)))
    if len(found) <= _MOST_HEARD:
        return (*found,)
    floors = _floors(found)
    ids = sorted((thing for thing in found if "<" not in thing), key=_number)
    for thing in ids[: len(ids) - _MOST_HEARD // 2]:
        floors[_kind(thing)] = max(floors.get(_kind(thing), 0), _number(thing) + 1)
    kept = [thing for thing in ids if _number(thing) >= floors.get(_kind(thing), 0)]
    return (*(f"{kind}:<{floor}" for kind, floor in floors.items()), *kept)


def told(before: Iterable[str], *new: str) -> tuple[str, ...]:
    """Return what was said once, with new things; only the latest matter."""
    return (*dict.fromkeys((*before, *new)),)[-_MOST_TOLD:]


def _kind(thing: str) -> str:
    return thing.partition(":")[0]


def _number(thing: str) -> int:
    return int(thing.partition(":")[2].removeprefix("<"))


def _floors(things: Iterable[str]) -> dict[str, int]:
    return {_kind(thing): _number(thing) for thing in things if "<" in thing}
