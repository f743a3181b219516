"""How far this machine has read a forge: a file in the git directory, for each repository there.

It saves requests and proves nothing. Where it is lost everything is looked at once more, and what
was taken in already is known by the records (`gitcmat.model.talk.Talk.heard`).
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from gitcmat.errors import InvalidData
from gitcmat.model.forge import Bookmark
from gitcmat.model.remote import Remote
from gitcmat.store.git import Repository
from gitcmat.system.files import read_regular, write_atomic

FOLDER: Final = "forge"
"""Below ``.git/cmat/``."""
_LARGEST: Final = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolled:
    """A look at all open pull requests of a repository."""

    at: datetime
    many: int
    """How many there were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the last whole look at a forge ended."""

    bookmark: Bookmark
    again: tuple[int, ...] = ()
    """Issues and pull requests to look at once more, although nothing new is told of them."""
    bases: dict[str, str] = field(default_factory=dict)
    """Full branch there that work lands on → its commit."""
    label: str = ""
    """The label whose issues have all been looked at."""
    rolled: Rolled | None = None
    """The last look at all open pull requests, where they are many."""


def read(repo: Repository, remote: Remote) -> Place | None:
    """Return where the last look ended; None when there was none, or nobody knows."""
    try:
        data = json.loads(read_regular(_path(repo, remote), _LARGEST))
        since = datetime.fromisoformat(data["since"])
        tags = {str(name): str(tag) for name, tag in data["tags"].items()}
        return Place(
            bookmark=Bookmark(since=since, tags=tags),
            again=tuple(int(number) for number in data["again"]),
            bases={str(ref): str(commit) for ref, commit in data["bases"].items()},
            label=str(data["label"]),
            rolled=_rolled(data["rolled"]),
        )
    except (OSError, InvalidData, ValueError, LookupError, TypeError, AttributeError):
        return None


def write(repo: Repository, remote: Remote, place: Place) -> None:
    """Remember where a look ended.

    Raises:
        OSError: it cannot be written.
    """
    data = {
        "since": place.bookmark.since.isoformat(),
        "tags": place.bookmark.tags,
        "again": place.again,
        "bases": place.bases,
        "label": place.label,
        "rolled": [place.rolled.at.isoformat(), place.rolled.many] if place.rolled else None,
    }
    write_atomic(_path(repo, remote), json.dumps(data, indent=1).encode(), mode=0o600)


def _rolled(data: list[Any] | None) -> Rolled | None:
    return Rolled(at=datetime.fromisoformat(data[0]), many=int(data[1])) if data else None


def _path(repo: Repository, remote: Remote) -> Path:
    return repo.cmat / FOLDER / remote.host / remote.owner / f"{remote.name}.json"
