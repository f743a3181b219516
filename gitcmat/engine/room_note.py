"""What a daemon notes when the machine has no room for another run, for commands that only read.

A file of this machine, not a fact: it is true here and now. It is read on the way of every list, so
it knows nothing of how room is measured.
"""

import json
from datetime import datetime
from typing import Final, NamedTuple

from gitcmat.errors import InvalidData
from gitcmat.store.git import Repository
from gitcmat.system.files import read_regular, write_atomic
from gitcmat.system.locks import is_locked

WATCH_LOCK: Final = "watch.lock"
"""Held, below `Repository.cmat`, for as long as a daemon watches."""

_FILE: Final = "no-room.json"
_LARGEST: Final = 10_000


class Held(NamedTuple):
    """Since when nothing new is started, and why."""

    limit: str
    """The setting that is not met."""
    text: str
    """What is missing, for people."""
    since: datetime | None
    """None where nobody noted it: it is true by what is recorded."""

    def __str__(self) -> str:
        """For people, with the time of day."""
        return self.text + (f", since {self.since.astimezone():%H:%M}" if self.since else "")


def write(repo: Repository, held: Held) -> None:
    """Note it; an older note of the same limit stays, as it knows since when."""
    before = _read(repo)
    if before is None or before.limit != held.limit:
        since = held.since and held.since.isoformat()
        data = {"limit": held.limit, "text": held.text, "since": since}
        write_atomic(repo.cmat / _FILE, json.dumps(data).encode(), mode=0o600)


def drop(repo: Repository) -> None:
    """Note that this is over."""
    (repo.cmat / _FILE).unlink(missing_ok=True)


def noted(repo: Repository) -> Held | None:
    """What the daemon that watches this repository wrote down, if there is one and it waits."""
    held = _read(repo)
    return held if held is not None and is_locked(repo.cmat / WATCH_LOCK) else None


def _read(repo: Repository) -> Held | None:
    try:
        data = json.loads(read_regular(repo.cmat / _FILE, _LARGEST))
        return Held(str(data["limit"]), str(data["text"]), datetime.fromisoformat(data["since"]))
    except (OSError, InvalidData, ValueError, KeyError, TypeError):
        return None
