"""The lock of a ref, ``<ref>.lock``: git's protocol is that the file is there, so a git that is
killed leaves it, and the ref then moves no more.

In our own namespace such a lock is removed once it is older than a minute and nobody has it open.
One of the person's is named and never touched.
"""

from pathlib import Path
from typing import Final

from gitcmat.errors import Conflict
from gitcmat.store.refs import OURS
from gitcmat.system import clock
from gitcmat.system.locks import FileLock
from gitcmat.system.usage import is_open

OLD: Final = 60.0
"""Seconds after which a lock or a temporary file that nobody has open is taken to be left over."""


_TURN: Final = "cmat/ref.lock"
"""Held by whoever removes a lock, below the git directory."""
_PATIENCE: Final = 10.0
"""Seconds that the others may take: each looks at one file."""


def is_left(path: Path, seconds: float = OLD) -> bool:
    """Whether a file is old and nobody has it open or locked.

    One from the future, of before the clock was put back, is old too.
    """
    try:
        age = clock.now().timestamp() - path.lstat().st_mtime
    except FileNotFoundError:
        return False
    return abs(age) > seconds and not is_open(path)


def lock_of(git_dir: Path, ref: str) -> Path:
    """Where the lock of a ref lies."""
    return git_dir / f"{ref}.lock"


def remove_left(git_dir: Path, ref: str) -> bool:
    """Remove the lock of a ref of ours if a dead git has left it; whether that was so.

    One at a time: else the second of two who find it left removes the lock that a git has made
    after the first.
    """
    path = lock_of(git_dir, ref)
    if not ref.startswith(OURS) or not is_left(path):
        return False
    turn = git_dir / _TURN
    turn.parent.mkdir(exist_ok=True)
    with FileLock(turn).acquire(_PATIENCE):
        if not is_left(path):
            return not path.exists()
        path.unlink(missing_ok=True)
    return True


def held(git_dir: Path, ref: str) -> Conflict | None:
    """Return what to say while the lock of a ref is there; None when it is not."""
    path = lock_of(git_dir, ref)
    if not path.exists():
        return None
    hint = f"let it finish; if no git is running any more: rm {path}"
    if ref.startswith(OURS):
        hint = f"try again; if that git was killed, its lock goes by itself after {OLD:g} seconds"
    return Conflict(f"{ref} cannot be moved: a git process holds {path}.", hint=hint)
