"""The ledger of this machine: which task, with which content, may run. Lines are only added."""

import json
import os
from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final, TypedDict

from gitcmat.errors import Conflict, InvalidData
from gitcmat.store import codec, memory
from gitcmat.store.git import Repository
from gitcmat.system.files import FileLock, read_regular

_LIMIT: Final = 256 << 20
_WAIT: Final = 10.0


class How(StrEnum):
    """Why a task may run."""

    ADDED = "task add"
    APPROVED = "task approve"
    COMMITTED = "committed here"
    COMMENTED = "approved in a comment"


class Ledger:
    """(task id, blob) pairs that may run, kept outside of the repository.

    A pair stays through rebase, revert and switch. A line that cannot be read counts for nothing; a
    file that cannot be read allows nothing, and `problem` says why.
    """

    def __init__(self, repo: Repository) -> None:
        self.path = memory.place(repo).with_suffix(".tasks")
        self.problem: str | None = None
        self._pairs: frozenset[tuple[str, str]] = frozenset()
        self._seen: tuple[int, int, int] | None = None

    def has(self, task_id: str, blob: str) -> bool:
        """Whether this task may run with this content. Reads the file only when it has changed."""
        return (task_id, blob) in self._load()

    def among(self, pairs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of these (id, blob) pairs that may run, by one look at the file."""
        known = self._load()
        return {pair for pair in pairs if pair in known}

    def add(self, task_id: str, blob: str, how: How, at: datetime) -> None:
        """Let this task run with this content."""
        self.add_all([(task_id, blob)], how, at)

    def add_all(self, pairs: Iterable[tuple[str, str]], how: How, at: datetime) -> None:
        """Let these (id, blob) pairs run; durable when it returns, safe beside other processes."""
        known = self._load()
        lines = [
            json.dumps({"id": task_id, "blob": blob, "how": how.value, "at": at.isoformat()})
            for task_id, blob in pairs
            if (task_id, blob) not in known
        ]
        if not lines:
            return
        memory.ready(self.path)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        with FileLock(self.path.with_suffix(".lock")).acquire(_WAIT):
            try:
                fd = os.open(self.path, flags, 0o600)
            except OSError as error:
                raise Conflict(
                    f"{self.path} cannot be written: {error.strerror}.",
                    hint="move that file away, then: gitcmat task approve --all",
                ) from error
            with os.fdopen(fd, "r+b", buffering=0) as stream:
                text = "".join(f"{line}\n" for line in lines)
                stream.write(_line_end(fd) + text.encode())
                os.fsync(fd)

    def _load(self) -> frozenset[tuple[str, str]]:
        try:
            memory.check_owner(self.path)
            about = self.path.stat()
            seen = (about.st_ino, about.st_size, about.st_mtime_ns)
            if seen != self._seen:
                pairs = (_pair(line) for line in read_regular(self.path, _LIMIT).splitlines())
                self._pairs = frozenset(pair for pair in pairs if pair)
                self._seen = seen
            self.problem = None
        except FileNotFoundError:
            self._pairs, self._seen, self.problem = frozenset(), None, None
        except (OSError, InvalidData) as error:
            self._pairs, self._seen = frozenset(), None
            self.problem = f"{self.path} cannot be read, so no task may run: {error}"
        return self._pairs


class _Line(TypedDict):
    """What counts of a line; why and when are for people."""

    id: str
    blob: str


def _pair(line: bytes) -> tuple[str, str] | None:
    try:
        data = codec.json_decode(_Line, line)
    except InvalidData:
        return None
    return data["id"], data["blob"]


def _line_end(fd: int) -> bytes:
    """A line break to begin with, where a crash left the last line without one."""
    size = os.fstat(fd).st_size
    return b"" if size == 0 or os.pread(fd, 1, size - 1) == b"\n" else b"\n"
