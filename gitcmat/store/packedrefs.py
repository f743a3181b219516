"""Packing refs of ours, in idle time.

A loose ref is a file, and whatever shows or walks refs opens all of them: a thousand make the
person's `git log` take four times as long, packed they cost next to nothing.
"""

from typing import Final

from gitcmat.store import ref_damage, refs
from gitcmat.store.git import Git, Repository

_USAGE: Final = 129
"""How git says that it does not know an option."""
_CHOSEN: Final = (f"{refs.RUNS}*", f"{refs.CHECKPOINTS}*")


def pack_many_refs(repo: Repository, git: Git, *, more_than: int) -> bool:
    """Pack our refs if there are more than `more_than` loose ones; say whether it was tried."""
    count = sum(1 for _ in ref_damage.loose(repo, [refs.RUNS, refs.CHECKPOINTS]))
    if count > more_than:
        pack_refs(git)
    return count > more_than


def pack_refs(git: Git) -> None:
    """Pack our refs, but for that of the state, which moves all the time.

    A git before 2.43 cannot choose: it packs all, as every ``git gc`` does. Where another git
    holds the lock, nothing is done: that one packs, or the next time will do.
    """
    how = ("-c", "core.packedRefsTimeout=0", "pack-refs")
    chosen = [f"--include={pattern}" for pattern in _CHOSEN]
    if git.run(*how, *chosen, ok=()).code == _USAGE:
        git.run(*how, "--all", ok=())
