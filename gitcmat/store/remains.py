"""What an agent left in its own ``.git``, read as data: no git process ever runs with it."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitcmat.errors import InvalidData
from gitcmat.system.files import read_regular

_HALF_DONE: Final = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "BISECT_LOG": "bisect",
}
_MOST_REFS: Final = 2_000
_MOST_BYTES: Final = 10_000_000
_DEEPEST_LINK: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """Names and ids as the agent's files have them; no object behind them was looked at."""

    head: str | None
    """The commit of ``HEAD``; None when there is no ``.git`` or it cannot be read."""
    tips: dict[str, str]
    """Refs, entries of the stash and heads of further work trees, by name."""
    half_done: tuple[str, ...]
    """``merge``, ``rebase`` and so on, that were begun and not ended."""


def read_remains(git_dir: Path, object_format: str) -> Remains:
    """Read the agent's git directory. Nothing in it is trusted, and nothing in it is an error."""
    if git_dir.is_symlink() or not git_dir.is_dir():
        return Remains(head=None, tips={}, half_done=())
    refs = _Refs(git_dir, 64 if object_format == "sha256" else 40)
    half_done = {word for name, word in _HALF_DONE.items() if os.path.lexists(git_dir / name)}
    return Remains(head=refs.resolve("HEAD"), tips=refs.tips(), half_done=tuple(sorted(half_done)))


def read_head(git_dir: Path, object_format: str) -> str | None:
    """Return the commit that ``HEAD`` of a foreign git directory names, None if it cannot be told.

    `git_dir` may be the file that a submodule has in its place.
    """
    if git_dir.is_file() and not git_dir.is_symlink():
        text = _text(git_dir)
        if not text.startswith("gitdir: "):
            return None
        git_dir = git_dir.parent / text.removeprefix("gitdir: ")
    return read_remains(git_dir, object_format).head


class _Refs:
    def __init__(self, git_dir: Path, digits: int) -> None:
        self._git_dir = git_dir
        self._oid = re.compile(rf"[0-9a-f]{{{digits}}}")
        rows = [line.split(" ", 1) for line in _text(git_dir / "packed-refs").splitlines()]
        self._packed = {
            row[1]: row[0] for row in rows if len(row) > 1 and self._oid.fullmatch(row[0])
        }

    def resolve(self, name: str, depth: int = 0) -> str | None:
        text = _text(self._git_dir / name) or self._packed.get(name, "")
        if self._oid.fullmatch(text):
            return text
        target = text.removeprefix("ref:").strip()
        if text == target or depth == _DEEPEST_LINK or not _is_ref(target):
            return None
        return self.resolve(target, depth + 1)

    def tips(self) -> dict[str, str]:
        found = dict(list(self._packed.items())[:_MOST_REFS])
        for name in self._loose():
            if len(found) >= _MOST_REFS:
                break
            oid = self.resolve(name)
            if oid:
                found[name] = oid
        for number, oid in enumerate(self._stash()):
            found[f"stash@{{{number}}}"] = oid
        if "stash@{0}" in found:
            found.pop("refs/stash", None)
        return found

    def _loose(self) -> Iterator[str]:
        for parent, _, names in os.walk(self._git_dir / "refs"):
            for name in names:
                yield str(Path(parent, name).relative_to(self._git_dir))
        worktrees = self._git_dir / "worktrees"
        if worktrees.is_dir():
            for folder in worktrees.iterdir():
                yield f"worktrees/{folder.name}/HEAD"

    def _stash(self) -> list[str]:
        lines = _text(self._git_dir / "logs" / "refs" / "stash").splitlines()
        second = [line.split(" ", 2)[1] for line in lines if line.count(" ") > 1]
        return [oid for oid in reversed(second) if self._oid.fullmatch(oid)]


def _is_ref(name: str) -> bool:
    return name.startswith("refs/") and ".." not in name and "\0" not in name


def _text(path: Path) -> str:
    """The text of a small regular file; empty for anything else."""
    try:
        return read_regular(path, _MOST_BYTES).decode("utf-8", "replace").strip()
    except (OSError, InvalidData, ValueError):
        return ""
