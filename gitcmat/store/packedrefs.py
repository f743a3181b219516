"""Packing refs of ours, in idle time.

A loose ref is a file, and whatever shows or walks refs opens all of them: a thousand make the
person's `git log` take four times as long, packed they cost next to nothing.
"""

import os
from pathlib import Path
from typing import Final

from gitcmat.store import ref_damage, refs
from gitcmat.store.git import Git, Repository

_USAGE: Final = 129
"""How git says that it does not know an option."""
_PACK: Final = ("-c", "core.packedRefsTimeout=0", "pack-refs")
_CHOSEN: Final = (f"{refs.RUNS}*", f"{refs.CHECKPOINTS}*")


_MANY_FOR_ALL: Final = 100
"""From how many loose refs of ours on those of the person are packed along, where it has to be."""


def pack_many_refs(repo: Repository, git: Git, *, more_than: int) -> bool:
    """Pack our refs if there are more than `more_than` loose ones; say whether it was tried."""
    count = sum(1 for _ in ref_damage.loose(repo, [refs.RUNS, refs.CHECKPOINTS]))
    if count > more_than and not _pack_ours(git) and count > _MANY_FOR_ALL:
        _pack_all(git)
    return count > more_than


def pack_refs(git: Git) -> None:
    """Pack our refs, but for that of the state, which moves all the time.

    A git before 2.43 cannot choose: it packs all, as every ``git gc`` does. Where another git
    holds the lock, nothing is done: that one packs, or the next time will do.
    """
    if not _pack_ours(git):
        _pack_all(git)


def remove_empty(repo: Repository) -> bool:
    """Remove the file of packed refs if none is in it any more; say whether it was.

    git leaves the head line of it behind for ever. Where another git holds its lock, nothing is
    done.
    """
    path = repo.common_dir / "packed-refs"
    lock = path.with_name("packed-refs.lock")
    try:
        if not _says_nothing(path):
            return False
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644))
    except (FileNotFoundError, FileExistsError):
        return False
    try:
        empty = _says_nothing(path)
        if empty:
            path.unlink()
        return empty
    finally:
        lock.unlink()


def _says_nothing(path: Path) -> bool:
    return all(line.startswith(b"#") for line in path.read_bytes().splitlines())


def _pack_ours(git: Git) -> bool:
    """False where git cannot choose."""
    chosen = [f"--include={pattern}" for pattern in _CHOSEN]
    return git.run(*_PACK, *chosen, ok=()).code != _USAGE


def _pack_all(git: Git) -> None:
    git.run(*_PACK, "--all", ok=())
