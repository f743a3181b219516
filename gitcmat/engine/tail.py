"""Reading a log that grows: its last lines, and what comes after them.

Costs what is read, not what is there: the end of a log is found from its end.
"""

import codecs
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

_BLOCK: Final = 1 << 16
_PAUSE: Final = 0.1
_LONGEST_LINE: Final = 1 << 20
"""Bytes; a longer line is given out in pieces."""


def last_lines(path: Path, count: int) -> int:
    """Return the offset in bytes at which the last `count` lines begin; 0 when there are fewer.

    A last line that has not ended yet counts as a line. A missing file is an empty one.
    """
    try:
        with path.open("rb") as stream:
            return _from_end(stream, count)
    except FileNotFoundError:
        return 0


def after_line(path: Path, line: int) -> int:
    """Return the offset in bytes behind the first `line` lines, or the end when there are fewer."""
    left, at = line, 0
    try:
        with path.open("rb") as stream:
            while left and (block := stream.read(_BLOCK)):
                found = block.count(b"\n")
                if found < left:
                    left -= found
                    at += len(block)
                    continue
                end = -1
                for _ in range(left):
                    end = block.index(b"\n", end + 1)
                return at + end + 1
    except FileNotFoundError:
        return 0
    return at


def follow(path: Path, start: int, over: Callable[[], bool]) -> Iterator[str]:
    """Yield what stands in a file from the offset `start` on, and then what is appended to it.

    Each piece is whole lines; what has no line end yet is held back until it has one or until
    `over` says that nothing more will come. Bytes that are no UTF-8 are shown as escapes. A file
    that was replaced or cut is read again from its beginning. A missing one is waited for.
    """
    reader = _Reader(path, start)
    try:
        while True:
            last = over()  # asked before reading: what was written until then is read
            read = False
            while block := reader.read():
                read = True
                yield from reader.lines(block)
            if last:
                break
            if not read:
                yield ""  # a moment for the caller, who may want to stop
                time.sleep(_PAUSE)
        yield from reader.rest()
    finally:
        reader.close()


class _Reader:
    """An open log, its place in it, and what has not made a line yet."""

    def __init__(self, path: Path, start: int) -> None:
        self._path = path
        self._at = start
        self._stream: IO[bytes] | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._held = ""

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def read(self) -> bytes:
        """Return the next block; empty when there is none for now."""
        if self._stream is None and not self._open():
            return b""
        stream = self._stream
        block = stream.read(_BLOCK) if stream else b""
        if not block and self._changed():
            self.close()
            self._at = 0
            return self.read()
        self._at += len(block)
        return block

    def lines(self, block: bytes) -> Iterator[str]:
        text = self._held + self._decoder.decode(block)
        whole, end, self._held = text.rpartition("\n")
        if whole or end:
            yield whole + end
        if len(self._held) > _LONGEST_LINE:
            yield from self.rest(final=False)

    def rest(self, *, final: bool = True) -> Iterator[str]:
        held, self._held = self._held + self._decoder.decode(b"", final), ""
        if held:
            yield held

    def _open(self) -> bool:
        try:
            self._stream = self._path.open("rb")
        except FileNotFoundError:
            return False
        self._stream.seek(self._at)
        return True

    def _changed(self) -> bool:
        """Whether another file, or a shorter one, is there now."""
        if self._stream is None:
            return False
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        opened = os.fstat(self._stream.fileno())
        return not os.path.samestat(there, opened) or there.st_size < self._at


def _from_end(stream: IO[bytes], count: int) -> int:
    end = stream.seek(0, os.SEEK_END)
    left, at = count, end
    if not left:
        return end
    while at:
        size = min(_BLOCK, at)
        at -= size
        stream.seek(at)
        block = stream.read(size)
        upto = len(block)
        if at + upto == end and block.endswith(b"\n"):
            upto -= 1  # the end of the last line begins no other
        while (upto := block.rfind(b"\n", 0, upto)) >= 0:
            left -= 1
            if not left:
                return at + upto + 1
    return 0
