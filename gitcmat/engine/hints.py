"""What may tell the daemon to look: folders that change when something happened, and a bell.

A hint says only that it is worth a look. Nothing is ever read from an event: files are half
written while events about them come, and events get lost.
"""

import queue
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from gitcmat.model.state import FINISHED, State
from gitcmat.store.git import Repository
from gitcmat.store.layout import CMAT
from gitcmat.system import clock, files


class Hint(StrEnum):
    """Why to look."""

    GIT = "git"
    """A branch, HEAD, or the beginning or end of a merge or rebase."""
    STATE = "state"
    """The records were changed, by us or by a command."""
    VIEW = "view"
    """A file of the view was saved, or removed."""
    FILES = "files"
    """A file of intent was saved; only a commit gives it a meaning."""
    RUN = "run"
    """A runner has ended."""
    FORGE = "forge"
    """A look at the forge has ended."""
    WAKE = "wake"
    """A hook or a command asks for a look."""
    STOP = "stop"
    """Somebody wants the daemon to end."""


WAKE_FILE: Final = "wake"

QUIET: Final = 0.1
"""Seconds without a further hint after which a command of git is taken to be over."""
_LESS_QUIET: Final[Mapping[Hint, float]] = {
    Hint.RUN: 0.02,
    Hint.FORGE: 0.02,
    Hint.WAKE: 0.02,
    Hint.STOP: 0.0,
}
"""Seconds of those hints that come alone."""
_LONGEST: Final = 0.5
"""Seconds after which it is looked at even though the hints go on."""

_GIT_FILES: Final = (
    "HEAD",
    "packed-refs",
    "logs",
    "refs",
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "BISECT_LOG",
    "rebase-merge",
    "rebase-apply",
    "sequencer",
)
"""The rest of the git directory changes without meaning for us; the index with each prompt."""
_PASSING: Final = (".lock", ".tmp", ".swp", ".swx", "~")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder to watch."""

    path: Path
    named: Mapping[str, Hint] = field(default_factory=dict)
    """What entries of these names mean."""
    others: Hint | None = None
    """What all other entries mean; None: nothing."""
    recursive: bool = False

    def hint(self, name: str) -> Hint | None:
        """Return what a change of the entry `name` means; None for nothing.

        Locks, temporary files and the traces of editors mean nothing.
        """
        if name.startswith(".") or name.endswith(_PASSING):
            return None
        return self.named.get(name, self.others)


def places(repo: Repository, view: Path | None) -> Iterator[Place]:
    """Yield the folders whose changes are hints, whether they exist or not; each holder before
    what it holds. `view` is the work tree that shows the records.
    """
    git = repo.common_dir
    yield Place(path=git, named=dict.fromkeys(_GIT_FILES, Hint.GIT))
    yield Place(path=git / "logs", named={"HEAD": Hint.GIT})
    yield Place(path=git / "refs/heads", others=Hint.GIT, recursive=True)
    yield Place(path=git / "refs", named={"cmat": Hint.STATE, "heads": Hint.GIT})
    yield Place(path=git / "refs/cmat", named={"state": Hint.STATE})
    yield Place(path=git / "refs/cmat/state", others=Hint.STATE)
    yield Place(path=repo.cmat, named={WAKE_FILE: Hint.WAKE})
    for tree in dict.fromkeys(t for t in (repo.main_work_tree, view) if t is not None):
        folder = tree / CMAT
        shown = {"queue": Hint.VIEW, "blockers": Hint.VIEW} if tree == view else {}
        yield Place(path=folder, named=shown, others=Hint.FILES)
        yield Place(path=folder / "tasks", others=Hint.FILES)
        yield Place(path=folder / "agents", others=Hint.FILES)
        if tree == view:
            yield Place(path=folder / "blockers", others=Hint.VIEW)
            yield Place(path=folder / "queue", others=Hint.VIEW)
            for state in State:
                if state not in FINISHED:
                    yield Place(path=folder / "queue" / state, others=Hint.VIEW)


def wake(repo: Repository) -> None:
    """Ask a daemon, if there is one, to look now: for what no watched folder shows."""
    files.write_atomic(repo.cmat / WAKE_FILE, b"", mode=0o600)


class Bell:
    """Where hints come together. `ring` may be called from any thread and any signal handler."""

    def __init__(self) -> None:
        self._rung: queue.SimpleQueue[Hint] = queue.SimpleQueue()

    def ring(self, hint: Hint) -> None:
        """Say that it is worth a look."""
        self._rung.put(hint)

    def wait(self, until: float) -> frozenset[Hint]:
        """Sleep until there is a hint, or to the time `until` of the monotonic clock; return the
        hints, all that belong together: those that come until it is quiet again.
        """
        found: set[Hint] = set()
        end, quiet = until, until
        while Hint.STOP not in found:
            left = min(end, quiet) - clock.monotonic()
            try:
                hint = self._rung.get(timeout=left) if left > 0 else self._rung.get_nowait()
            except queue.Empty:
                break
            if not found:
                end = clock.monotonic() + _LONGEST
            found.add(hint)
            if clock.monotonic() >= end:
                break
            quiet = clock.monotonic() + max(_LESS_QUIET.get(h, QUIET) for h in found)
        return frozenset(found)
