"""The one way from an agent to us: lines in the file that ``CMAT_INBOX`` names.

The agent may write anything there, so it is read like something from a stranger. Each line has the
run's nonce, ``CMAT_NONCE``: a process that another run left behind speaks for nobody.
"""

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gitcmat.errors import InvalidData
from gitcmat.model import message
from gitcmat.model.message import Message

VARIABLE: Final = "CMAT_INBOX"
NONCE: Final = "CMAT_NONCE"
NAME: Final = "messages.jsonl"
"""The file in the workspace's folder of messages."""

_LARGEST: Final = 4_000_000
"""Bytes that are read of one run, whatever it replaces."""
_MOST_WARNINGS: Final = 20


def send(path: Path, nonce: str, what: Message) -> None:
    """Append a message to the inbox at `path`.

    Raises:
        InvalidData: something in it is empty or too long.
        OSError: the inbox cannot be written.
    """
    line = check(what, nonce)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(path, flags, 0o600)
    try:
        os.write(fd, line)  # one call, so that lines of two writers do not mix
    finally:
        os.close(fd)


def check(what: Message, nonce: str = "") -> bytes:
    """Return the line that says it.

    Raises:
        InvalidData: something in it is empty or too long.
    """
    try:
        return message.written(what, nonce)
    except ValueError as error:
        raise InvalidData(
            f"This {what.kind} was not sent: {error}.", hint="Say it shorter."
        ) from error


class Inbox:
    """What has come into the inbox of one run; asking again and again costs a look at the file."""

    def __init__(self, path: Path, nonce: str) -> None:
        """Read nothing yet; `nonce` is the run's."""
        self._path = path
        self._nonce = nonce
        self._seen = (0, 0)
        """Number and size of the file as it was read last."""
        self._at = 0
        self._left = _LARGEST
        self._held = b""
        self._lines = 0
        self._counts: Counter[str] = Counter()
        self._wrong: list[str] = []
        self._trouble = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was wrong so far."""
        found = [self._trouble] if self._trouble else []
        for kind, count in sorted(self._counts.items()):
            most = message.KINDS[kind].most
            if count > most:
                found.append(f"the agent sent {count} of {kind}; {most} were taken")
        more = len(self._wrong) - _MOST_WARNINGS
        found += self._wrong[:_MOST_WARNINGS]
        if more > 0:
            found.append(f"{more} more lines of the inbox were not understood")
        return tuple(found)

    def new(self, *, final: bool = False) -> Iterator[Message]:
        """Yield what has come since, the oldest first; with `final` also a line without an end.

        A file that was cut or replaced is read from its beginning: an agent may well write where it
        should append.
        """
        for line in self._read(final=final):
            self._lines += 1
            if not line.strip():
                continue
            try:
                found = message.read(line, self._nonce)
            except ValueError as error:
                self._wrong.append(f"inbox line {self._lines} was not understood: {error}")
                continue
            self._counts[found.kind] += 1
            if self._counts[found.kind] <= found.most:
                yield found

    def _read(self, *, final: bool) -> list[bytes]:
        try:
            about = self._path.lstat()
            if not final and (about.st_ino, about.st_size) == self._seen:
                return []
            if not stat.S_ISREG(about.st_mode):
                return self._refuse("is not a regular file")
            data = self._more()
        except FileNotFoundError:
            return []
        except OSError as error:
            refused = error.errno in (errno.ELOOP, errno.ENXIO)
            return self._refuse(
                "is not a regular file" if refused else os.strerror(error.errno or 0)
            )
        *lines, self._held = (self._held + data).split(b"\n")
        if final and self._held:
            lines.append(self._held)
            self._held = b""
        return lines

    def _more(self) -> bytes:
        # Between the look and the open it may become a pipe: do not hang on it.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        fd = os.open(self._path, flags)
        try:
            about = os.fstat(fd)
            if not stat.S_ISREG(about.st_mode):
                raise OSError(errno.ENXIO, "a pipe")
            if about.st_ino != self._seen[0] or about.st_size < self._at:
                self._at, self._held = 0, b""
            data = os.pread(fd, min(max(0, about.st_size - self._at), self._left), self._at)
        finally:
            os.close(fd)
        self._seen = (about.st_ino, about.st_size)
        self._at += len(data)
        self._left -= len(data)
        if about.st_size > self._at:
            self._refuse(f"has more than {_LARGEST:,} bytes; the rest was not read")
        return data

    def _refuse(self, why: str) -> list[bytes]:
        self._trouble = f"the inbox {why}"
        return []
