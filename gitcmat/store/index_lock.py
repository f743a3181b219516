"""git's own lock on an index, ``index.lock``, held by us: while it is, no git of the person's
stages, commits or checks out in that work tree.

The file is git's protocol (it exists, or not), so a process that is killed leaves it behind, and
git then refuses for ever. Ours therefore holds a token: it is told from the person's, which is
never removed.
"""

import errno
import os
import time
from pathlib import Path
from typing import Final

from gitcmat.errors import Conflict

WAIT: Final = 10.0
"""Seconds that another git process may hold the index before we give up."""

_PAUSE: Final = 0.02
_NO_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS)


class IndexLock:
    """The lock of the index in `git_dir`, under the name `token`."""

    def __init__(self, git_dir: Path, token: str) -> None:
        self.path = git_dir / "index.lock"
        self._mark = f"gitcmat {token}\n".encode()
        self._made = git_dir / f"index.lock.{token}"

    def acquire(self, seconds: float = WAIT) -> None:
        """Take the lock, waiting for another git process.

        Raises `Conflict` when it is still held after `seconds`.
        """
        self._write(self._made, os.O_TRUNC)
        try:
            deadline = time.monotonic() + seconds
            while not self._try():
                if time.monotonic() > deadline:
                    raise Conflict(
                        f"Another git process has held {self.path} for {seconds:g} seconds.",
                        hint="let it finish; if no git is running any more, remove that file",
                    )
                time.sleep(_PAUSE)
        finally:
            self._made.unlink(missing_ok=True)

    @property
    def ours(self) -> bool:
        """Whether the lock is there under this token, whichever process took it."""
        try:
            return self.path.read_bytes() == self._mark
        except OSError:
            return False

    def release(self) -> None:
        """Give the lock up; another's is left alone."""
        if self.ours:
            self.path.unlink(missing_ok=True)
        self._made.unlink(missing_ok=True)

    def _try(self) -> bool:
        try:
            # A link puts the file there whole: killed in between, we leave no lock without a token.
            os.link(self._made, self.path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
        else:
            return True
        try:
            self._write(self.path, os.O_EXCL)
        except FileExistsError:
            return False
        return True

    def _write(self, path: Path, flag: int) -> None:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flag, 0o644)
        try:
            os.write(fd, self._mark)
            os.fsync(fd)
        finally:
            os.close(fd)
