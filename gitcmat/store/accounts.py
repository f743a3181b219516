"""Which accounts at providers of models are not served for a time, and until when.

A usage limit holds for an account, whatever task ran into it and in whatever repository. So it is
neither a fact of one repository nor one of its tasks, but a file of this person's at this machine.
It may be lost: the next run then meets the limit once more.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from gitcmat.errors import InvalidData
from gitcmat.system import folders
from gitcmat.system.files import read_regular, write_atomic
from gitcmat.system.locks import FileLock

_FILE: Final = "accounts.json"
_LARGEST: Final = 1_000_000
_MOST: Final = 200
_FIRST_WAIT: Final = timedelta(minutes=1)
"""Where the provider names no time; doubles with each that follows soon."""
_LONGEST_WAIT: Final = timedelta(hours=1)
LONGEST: Final = timedelta(days=8)
"""No provider counts in more than weeks: what names a later time was misread."""


class Limit(NamedTuple):
    """The limit that an account has reached."""

    until: datetime
    text: str
    """What the agent's program said."""
    guesses: int = 0
    """How many times in a row nobody said until when."""


def limits(now: datetime) -> Mapping[str, Limit]:
    """Account → the limit that holds for it now."""
    return {name: limit for name, limit in _read().items() if now < limit.until <= now + LONGEST}


def hold(account: str, until: datetime | None, text: str, now: datetime) -> datetime:
    """Note that `account` is not served before `until`, or before a guess where that is unknown;
    return the time that was noted.

    Raises:
        OSError: the file cannot be written.
    """
    place = _place()
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(place.with_suffix(".lock")).acquire(timeout=10):
        known = _read()
        before = known.get(account)
        guesses = 0
        if until is None or not now < until <= now + LONGEST:
            recent = before is not None and now - before.until < _LONGEST_WAIT
            guesses = 1 + (before.guesses if before is not None and recent else 0)
            until = now + min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(guesses - 1, 8))
        if before is not None and before.until > until and before.until <= now + LONGEST:
            return before.until
        live = {n: limit for n, limit in known.items() if limit.until > now - _LONGEST_WAIT}
        live |= {account: Limit(until, text, guesses)}
        _write(place, dict(list(live.items())[-_MOST:]))
    return until


def release(account: str) -> bool:
    """Forget the limit of an account; whether there was one."""
    place = _place()
    if account not in _read():
        return False
    with FileLock(place.with_suffix(".lock")).acquire(timeout=10):
        known = _read()
        found = known.pop(account, None) is not None
        _write(place, known)
    return found


def _place() -> Path:
    return folders.state() / _FILE


def _read() -> dict[str, Limit]:
    try:
        data = json.loads(read_regular(_place(), _LARGEST))
        return {
            str(name): Limit(
                datetime.fromisoformat(about["until"]), str(about["text"]), int(about["guesses"])
            )
            for name, about in data.items()
        }
    except (OSError, InvalidData, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write(place: Path, known: Mapping[str, Limit]) -> None:
    data = {
        name: {"until": limit.until.isoformat(), "text": limit.text, "guesses": limit.guesses}
        for name, limit in known.items()
    }
    write_atomic(place, json.dumps(data, indent=1).encode(), mode=0o600)
