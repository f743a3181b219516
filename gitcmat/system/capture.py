"""The outputs of a running program and its input, all at once, without a thread."""

import os
import selectors
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Self

_CHUNK = 65536


class _Tail:
    """The last `limit` bytes of what was added (all of it when None)."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._chunks: deque[bytes] = deque()
        self._size = 0

    def add(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._limit is not None:
            while self._size - len(self._chunks[0]) >= self._limit and len(self._chunks) > 1:
                self._size -= len(self._chunks.popleft())

    def bytes(self) -> bytes:
        joined = b"".join(self._chunks)
        return joined if self._limit is None else joined[max(0, len(joined) - self._limit) :]


class Capture:
    """Feeds `source` to a program's input and keeps what comes out of `sinks`."""

    def __init__(
        self,
        into: IO[bytes] | None,
        sinks: Sequence[IO[bytes] | None],
        source: bytes,
        limit: int | None,
    ) -> None:
        """Take over the pipes; the last `limit` bytes of each sink are kept."""
        self._selector = selectors.DefaultSelector()
        self._rest = memoryview(source)
        self._files = {file.fileno(): file for file in (into, *sinks) if file is not None}
        self._tails = [_Tail(limit) for _ in sinks]
        for file, tail in zip(sinks, self._tails, strict=True):
            if file is not None:
                self._selector.register(file, selectors.EVENT_READ, tail)
        if into is not None:
            os.set_blocking(into.fileno(), False)
            self._selector.register(into, selectors.EVENT_WRITE)

    @property
    def open(self) -> bool:
        """Whether a pipe is open that more may come from or go to."""
        return bool(self._selector.get_map())

    @property
    def texts(self) -> list[bytes]:
        """What was kept of each sink so far."""
        return [tail.bytes() for tail in self._tails]

    def step(self, seconds: float) -> None:
        """Wait at most so long until some pipe can be served, and serve each that can, once."""
        for key, _ in self._selector.select(seconds):
            if key.events & selectors.EVENT_WRITE:
                done = self._feed(key.fd)
            else:
                chunk = os.read(key.fd, _CHUNK)
                key.data.add(chunk)
                done = not chunk
            if done:
                self._selector.unregister(key.fileobj)
                self._files[key.fd].close()

    def _feed(self, fd: int) -> bool:
        try:
            self._rest = self._rest[os.write(fd, self._rest[:_CHUNK]) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:  # it reads no more: not an error, `head` does so
            return True
        return not self._rest

    def __enter__(self) -> Self:
        """Return this object."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all pipes."""
        self._selector.close()
        for file in self._files.values():
            file.close()
