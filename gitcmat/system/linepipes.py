"""Lines from a descriptor and to one, for a program that must not be held up by either side."""

import contextlib
import os
import select
from collections.abc import Callable
from typing import Final

from gitcmat.system import clock

_CHUNK: Final = 65536
_AT_ONCE: Final = 64
"""Pieces that are read in one look: whoever writes without end does not keep us from the rest."""
_PIECE: Final = 4096
"""POSIX promises that a pipe which takes anything takes so much without waiting."""
_SLICE: Final = 0.1


class TooLong:
    """Stands for a line that was longer than allowed; nothing of it was kept."""


class LineReader:
    """Cuts what comes into lines."""

    def __init__(self, fd: int, longest: int) -> None:
        """`longest` is in bytes, without the line's end."""
        self._fd = fd
        self._longest = longest
        self._parts: list[bytes] = []
        self._size = 0
        self._skips = False
        self._wake = os.pipe()
        for end in self._wake:
            os.set_blocking(end, False)
        self.closed = False
        """Whether nothing can come any more."""

    def wake(self) -> None:
        """End a `read` that waits; for signal handlers."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake[1], b"x")

    def read(self, seconds: float | None) -> list[bytes | TooLong]:
        """Wait at most so long (None: as long as it takes) and return the lines that are complete;
        a last one without an end counts when nothing follows.
        """
        found: list[bytes | TooLong] = []
        for _ in range(_AT_ONCE):
            wanted = [self._wake[0]] if self.closed else [self._fd, self._wake[0]]
            ready = select.select(wanted, (), (), 0 if found else seconds)[0]
            if self._wake[0] in ready:
                os.read(self._wake[0], _CHUNK)
                seconds = 0
            if self._fd not in ready:
                break
            seconds = 0
            try:
                chunk = os.read(self._fd, _CHUNK)
            except OSError:  # a terminal that is gone, a folder
                chunk = b""
            found += self._cut(chunk) if chunk else self._end()
        return found

    def _cut(self, chunk: bytes) -> list[bytes | TooLong]:
        found: list[bytes | TooLong] = []
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            found += self._keep(part)
            if not self._skips:
                found.append(b"".join(self._parts))
            self._parts, self._size, self._skips = [], 0, False
        found += self._keep(rest)
        return found

    def _keep(self, part: bytes) -> list[bytes | TooLong]:
        if self._skips:
            return []
        self._size += len(part)
        if self._size > self._longest:
            self._parts, self._skips = [], True
            return [TooLong()]
        self._parts.append(part)
        return []

    def _end(self) -> list[bytes | TooLong]:
        self.closed = True
        rest, self._parts = b"".join(self._parts), []
        return [rest] if rest and not self._skips else []


class LineWriter:
    """Writes whole lines; whoever reads them may be slow, but not for ever."""

    def __init__(self, fd: int, patience: float, give_up: Callable[[], bool]) -> None:
        """`patience` is how many seconds nothing may be read; `give_up` is asked meanwhile."""
        self._fd = fd
        self._patience = patience
        self._give_up = give_up
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)
        self._gone = ""

    @property
    def gone(self) -> str:
        """Why nobody reads any more, in a word; empty while somebody does."""
        if not self._gone and self._events(0) & (select.POLLERR | select.POLLNVAL):
            self._gone = "broken_pipe"
        return self._gone

    def write(self, line: bytes) -> None:
        """Write it, if somebody is there to read it; see `gone` afterwards."""
        rest = memoryview(line)
        deadline = clock.monotonic() + self._patience
        while rest and not self.gone:
            if not self._events(_SLICE) & select.POLLOUT:
                if clock.monotonic() > deadline or self._give_up():
                    self._gone = "not_read"
                continue
            try:
                rest = rest[os.write(self._fd, rest[:_PIECE]) :]
            except BlockingIOError:
                continue
            except OSError:
                self._gone = "broken_pipe"
            deadline = clock.monotonic() + self._patience

    def _events(self, seconds: float) -> int:
        return next((events for _, events in self._poll.poll(seconds * 1000)), 0)
