"""Which paths of the fact folders git tracks: those are a branch's, not the view's.

A merge can put one there. It is never read as an edit, and never written.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gitcmat.store.git import Git, GitError
from gitcmat.store.layout import CMAT, FACTS
from gitcmat.store.view_home import Home

_FOLDERS: Final = tuple(f"{CMAT}/{name}" for name in FACTS)
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Tracked:
    """The answer for one moment. `settled` is False while git is writing files that its index does
    not name yet.
    """

    paths: frozenset[str]
    settled: bool = True

    def covers(self, path: str) -> bool:
        """Whether `path`, or a folder that it lies in, is tracked."""
        if not self.paths:
            return False
        parts = path.split("/")
        return any("/".join(parts[:n]) in self.paths for n in range(1, len(parts) + 1))


class TrackedPaths:
    """Asks git again only when the index or HEAD has changed since the last answer."""

    def __init__(self, home: Home, common_dir: Path) -> None:
        self._home = home
        self._common = common_dir
        self._git = Git(home.git_dir, work_tree=home.work_tree)
        self._head: tuple[Any, str] | None = None
        self._known: tuple[list[Any], Tracked] | None = None

    def remember(self, saved: list[Any] | None) -> None:
        """Take over what `saved` returned in another process."""
        if saved is not None and self._known is None:
            self._known = (saved[0], Tracked(frozenset(saved[1])))

    def saved(self) -> list[Any] | None:
        """Return the last answer as plain data, None when there is none worth keeping."""
        if self._known is None or not self._known[1].settled:
            return None
        return [self._known[0], sorted(self._known[1].paths)]

    def look(self) -> Tracked:
        """Return what is tracked in the index or in HEAD now."""
        for _ in range(_ATTEMPTS):
            signs = self._signs()
            if self._known is not None and self._known[0] == signs and self._known[1].settled:
                return self._known[1]
            found = self._index() | self._in_head()
            pending = self._pending()
            self._known = (
                signs,
                Tracked(frozenset(found | (pending or set())), pending is not None),
            )
            if self._signs() == signs:
                return self._known[1]
        return Tracked(self._known[1].paths if self._known else frozenset(), settled=False)

    def _pending(self) -> set[str] | None:
        """Return what an index that git is about to put in place names, None if not written yet."""
        lock = self._home.git_dir / "index.lock"
        try:
            # `git commit -a` holds it, complete, for as long as its editor is open.
            return self._index(lock) if lock.stat().st_size else None
        except FileNotFoundError:
            return set()
        except GitError:
            return None

    def _index(self, file: Path | None = None) -> set[str]:
        env = {"GIT_INDEX_FILE": str(file)} if file else {}
        out = self._git.run("ls-files", "-z", "--", *_FOLDERS, env=env).out
        return {os.fsdecode(name) for name in out.split(b"\0") if name}

    def _in_head(self) -> set[str]:
        return {entry.path for entry in self._git.tree("HEAD", *_FOLDERS)}

    def _signs(self) -> list[Any]:
        own, common = self._home.git_dir, self._common
        places = [own / "index", own / "index.lock", own / "HEAD", common / "packed-refs"]
        places += [common / "reftable/tables.list", common / self._branch()]
        return [_sign(path) for path in places]

    def _branch(self) -> str:
        """Return what HEAD names, read again only when HEAD was written."""
        path = self._home.git_dir / "HEAD"
        sign = _sign(path)
        if self._head is None or self._head[0] != sign:
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
            self._head = (sign, text.removeprefix("ref:").strip())
        return self._head[1]


def _sign(path: Path) -> list[int] | None:
    try:
        at = path.stat()
    except OSError:
        return None
    return [at.st_mtime_ns, at.st_size, at.st_ino, at.st_ctime_ns]
