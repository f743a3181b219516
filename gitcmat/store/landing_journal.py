"""What a landing is about to do, written down before it does it: ``.git/cmat/landing.json``.

A landing that was killed leaves ``index.lock`` and half written files, and git then refuses for
ever. With the journal the next command knows whose they are and what they were.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from gitcmat.errors import InvalidData
from gitcmat.store.git import Repository
from gitcmat.system.files import fsync_dir, read_regular, remove_tree, write_atomic

_NAME: Final = "landing.json"
_LIMIT: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Side:
    """One path in one of the two commits: mode and id of the blob."""

    mode: str
    oid: str


@dataclass(frozen=True, slots=True)
class Step:
    """One path of the work tree that the landing writes; None where it is not there."""

    path: str
    old: Side | None
    new: Side | None
    absent: bool = False
    """Whether the person had removed the file before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """One landing: `target` is to move from `old` to `new`."""

    token: str
    """Names the landing in ``index.lock`` and in the environment of the processes it starts."""
    target: str
    old: str
    new: str
    work_tree: str | None = None
    """Where the target is checked out; None for nowhere."""
    git_dir: str = ""
    """The git directory of that work tree."""
    index: str = ""
    """Digest of the person's index as it was."""
    steps: tuple[Step, ...] | None = None
    """What is written there. None before anything is, and when all is in place: then only the lock
    may be ours.
    """
    note: Mapping[str, str] = field(default_factory=dict)
    """What the caller must know to record the landing."""

    def private(self, repo: Repository) -> Path:
        """The folder with the new index while it is being made."""
        return repo.cmat / "landing" / self.token


def needs_repair(repo: Repository) -> bool:
    """Whether a landing is under way or was broken off; one look at one file."""
    return (repo.cmat / _NAME).exists()


def read(repo: Repository) -> Journal | None:
    """Return the journal, None when there is none.

    Raises `InvalidData` when it is damaged.
    """
    path = repo.cmat / _NAME
    try:
        return _journal(json.loads(read_regular(path, _LIMIT)))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidData(
            f"{path} is damaged: {error}.", hint="look at git status, then remove that file"
        ) from error


def write(repo: Repository, journal: Journal) -> None:
    """Write the journal, durable: it is on the disk before what it announces happens."""
    data = json.dumps(asdict(journal)).encode("ascii")
    write_atomic(repo.cmat / _NAME, data, mode=0o600, durable=True)


def remove(repo: Repository, journal: Journal) -> None:
    """Forget a landing that is over and recorded."""
    remove_tree(journal.private(repo))
    (repo.cmat / _NAME).unlink(missing_ok=True)
    fsync_dir(repo.cmat)


def _journal(data: Any) -> Journal:
    if set(data) != {f.name for f in fields(Journal)}:
        raise ValueError("unknown or missing keys")
    if data["steps"] is not None:
        data["steps"] = tuple(
            Step(one["path"], _side(one["old"]), _side(one["new"]), absent=one["absent"])
            for one in data["steps"]
        )
    return Journal(**data)


def _side(data: Any) -> Side | None:
    return None if data is None else Side(**data)
