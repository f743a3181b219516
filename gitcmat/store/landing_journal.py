"""What a landing is about to do, written down before it does it: ``.git/cmat/landing.json``.

A landing that was killed leaves ``index.lock`` and half written files, and git then refuses for
ever. With the journal the next command knows whose they are and what they were.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gitcmat.store.git import Repository
from gitcmat.store.journals import JournalFile


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


def _steps(data: dict[str, Any]) -> None:
    if data["steps"] is not None:
        data["steps"] = tuple(
            Step(one["path"], _side(one["old"]), _side(one["new"]), absent=one["absent"])
            for one in data["steps"]
        )


def _side(data: Any) -> Side | None:
    return None if data is None else Side(**data)


_FILE: Final = JournalFile("landing.json", Journal, inner=_steps)
needs_repair, read, write, remove = _FILE.there, _FILE.read, _FILE.write, _FILE.remove
