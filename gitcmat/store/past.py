"""Finds a commit of the state by what a person types: an id, so many steps back, or a time."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from gitcmat.errors import NotFound
from gitcmat.model.names import Sha, short
from gitcmat.store.git import Git

_REVISION: Final = re.compile(r"([0-9a-f]{4,64})?((?:~\d*|\^)*)")
_EVENT: Final = re.compile(r"([0-9a-f]{4,64}):\d+")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_SECONDS: Final = re.compile(r"\d{9,}")
_LATEST: Final = 2_140_000_000
"""Seconds, in 2037: for "now" git says the largest number there is, which it does not read back."""


@dataclass(frozen=True, slots=True)
class Point:
    """One commit of the state."""

    commit: Sha
    at: datetime
    """When it was written, in UTC."""
    subject: str

    def __str__(self) -> str:
        """``2026-11-21 13:00:00 (1a2b3c4d5e)``, in local time."""
        return f"{self.at.astimezone():%Y-%m-%d %H:%M:%S} ({short(self.commit)})"


def find_point(git: Git, tip: Sha | None, text: str) -> Point:
    """Return the state that `text` names: a beginning of its commit's id, ``~2`` behind it or
    alone, the id of an event, or a date: then the last state that was written until then (a day
    without a time: until it was over).

    Raises `NotFound`, naming the oldest and the newest state.
    """
    if tip is None:
        raise NotFound("Nothing has been recorded here yet.", hint="gitcmat task add, or init")
    commit = find_commit(git, tip, text)
    if commit is None:
        seconds = moment(git, text, end_of_day=True)
        if seconds is None:
            raise _unknown(git, tip, f"There is no state {text!r}, and it is no date either.")
        newest = point(git, tip)
        if newest.at.timestamp() <= seconds:
            return newest
        commit = Sha(git.text("rev-list", "-1", f"--before={seconds}", tip))
        if not commit:
            raise _unknown(git, tip, f"Nothing had been recorded yet at {text!r}.")
    return point(git, commit)


def find_commit(git: Git, tip: Sha, text: str) -> Sha | None:
    """Return the commit of the state that `text` names, None when it may be a date.

    Raises `NotFound` when it can be no date, or may be several commits.
    """
    event = _EVENT.fullmatch(text)
    named = _REVISION.fullmatch(event[1] if event else text)
    if not text or named is None:
        return None
    begin, back = named[1], named[2]
    held = [tip] if begin is None else _beginning_with(git, tip, begin)
    if len(held) > 1:
        raise NotFound(f"{text!r} may be {', '.join(held)}.", hint="write more of the id")
    found = git.rev(f"{held[0]}{back}") if held else None
    if found is None and not _SECONDS.fullmatch(text):
        raise _unknown(git, tip, f"There is no state {text!r}.")
    return Sha(found) if found else None


def moment(git: Git, text: str, *, end_of_day: bool) -> int | None:
    """Return a date as git understands it, in seconds since 1970; None for what is no date.

    A day without a time is its beginning or its end: git takes it at the present time of day.
    """
    if _DAY.fullmatch(text):
        text = f"{text} {'23:59:59' if end_of_day else '00:00:00'}"
    found = git.maybe("-c", f"cmat.at={text}", "config", "--type=expiry-date", "--get", "cmat.at")
    return min(int(found), _LATEST) if found else None


def point(git: Git, commit: str) -> Point:
    """Describe a commit of the state."""
    seconds, subject = git.text("log", "-1", "--format=%ct %s", commit).split(" ", 1)
    return Point(Sha(commit), datetime.fromtimestamp(int(seconds), UTC), subject)


def _beginning_with(git: Git, tip: Sha, begin: str) -> list[Sha]:
    """The commits of the state whose id begins so; other objects may begin so too."""
    same = git.maybe("rev-parse", f"--disambiguate={begin}") or ""
    return [Sha(c) for c in same.splitlines() if git.ok("merge-base", "--is-ancestor", c, tip)]


def _unknown(git: Git, tip: Sha, message: str) -> NotFound:
    oldest = git.text("rev-list", "--max-parents=0", tip).splitlines()[-1]
    hint = f"the oldest state is of {point(git, oldest)}, the newest of {point(git, tip)}"
    return NotFound(message, hint=hint)
