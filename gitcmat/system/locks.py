"""Locks between processes (``flock``): gone when their last holder ends, however it ends."""

import contextlib
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from gitcmat.errors import Conflict

_FIRST_PAUSE, _LONGEST_PAUSE = 0.0005, 0.01
# `is_locked` holds a shared lock for some microseconds; a try must not take that for a holder.
_TRY_SECONDS = 0.02


class FileLock:
    """An exclusive lock on the file at `path`, which is made when missing and never removed.

    One object is one holder: two objects in one process exclude each other as two processes do.
    The open file may be inherited by a child (`fd`, then `hand_over`): the lock then lasts until
    the child ends.
    """

    def __init__(self, path: Path) -> None:
        """Name the lock; nothing is opened yet."""
        self.path = path
        self._fd: int | None = None

    @classmethod
    def adopt(cls, path: Path, fd: int) -> Self:
        """The lock that a parent process took and passed on as the open file `fd`."""
        lock = cls(path)
        lock._fd = fd
        os.set_inheritable(fd, False)  # noqa: FBT003 - takes no keywords
        return lock

    @property
    def fd(self) -> int:
        """The open, locked file, to pass to a child.

        Raises:
            ValueError: the lock is not held.
        """
        if self._fd is None:
            raise ValueError(f"the lock {self.path} is not held")
        return self._fd

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._fd is not None

    def acquire(self, timeout: float | None = None, *, blocking: bool = True) -> Self:
        """Take the lock, waiting up to `timeout` seconds for it (None: for ever).

        Without `blocking` there is no wait.

        Raises:
            Conflict: somebody else still held it then.
            ValueError: this object holds it already.
        """
        if self._fd is not None:
            raise ValueError(f"the lock {self.path} is already held by this object")
        limit = timeout if blocking else _TRY_SECONDS
        deadline = None if limit is None else time.monotonic() + limit
        while True:
            fd = self._open()
            try:
                taken = _lock(fd, deadline)
            except BaseException:
                os.close(fd)
                raise
            if taken and self._is_current(fd):
                self._fd = fd
                return self
            os.close(fd)
            if not taken:
                raise Conflict(
                    f"Another gitcmat process holds {self.path}.",
                    hint="Wait until it has finished, then try again.",
                )

    def try_lock(self) -> bool:
        """Take the lock if nobody holds it; whether it is held now."""
        try:
            self.acquire(blocking=False)
        except Conflict:
            return False
        return True

    def release(self) -> None:
        """Give the lock up, also for children that inherited it; no error when not held."""
        fd, self._fd = self._fd, None
        if fd is not None:
            try:
                fcntl.flock(fd, fcntl.LOCK_UN)
            finally:
                os.close(fd)

    def hand_over(self) -> None:
        """Close our copy without unlocking: a child that inherited `fd` holds it now."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def __enter__(self) -> Self:
        """Take the lock, waiting for ever, unless it was taken by `acquire` before."""
        return self if self._fd is not None else self.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the lock up."""
        self.release()

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(self.path, flags, 0o600)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self.path, flags, 0o600)

    def _is_current(self, fd: int) -> bool:
        # A file that was removed and made anew meanwhile: we locked one that nobody else will look
        # at.
        try:
            return os.path.samestat(os.fstat(fd), self.path.lstat())
        except FileNotFoundError:
            return False


def is_locked(path: Path) -> bool:
    """Whether somebody, this process included, holds the `FileLock` at `path`."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(fd)


def wait_until_free(path: Path) -> None:
    """Wait, without looking again and again, until nobody holds the `FileLock` at `path`."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)
    finally:
        os.close(fd)


def _lock(fd: int, deadline: float | None) -> bool:
    if deadline is None:
        fcntl.flock(fd, fcntl.LOCK_EX)
        return True
    pause = _FIRST_PAUSE
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_PAUSE)
