"""The files that an agent has the bridge read and write: inside of the work tree, whatever links
lie there.
"""

import os
import stat
from pathlib import Path
from typing import Final

_LARGEST: Final = 20_000_000


class Outside(Exception):
    """A path that is not for the agent: outside of the work tree, or what git keeps there."""


class WorkTree:
    """Regular files below one folder. No symlink on the way is followed, not even one that leads
    back: another process may change it between the look and the open.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def holds(self, path: str) -> bool:
        """Whether `path` lies in it, through no link."""
        try:
            parts = self._parts(path)
        except Outside:
            return False
        folder = self._root
        for part in parts:
            folder /= part
            if folder.is_symlink():
                return False
        return True

    def read(self, path: str, line: int | None = None, limit: int | None = None) -> str:
        """The text of a file, from `line` (the first is 1) and at most `limit` lines of it.

        Raises:
            Outside: it is not for the agent.
            OSError: it cannot be read, or is no regular file of a size that makes sense.
        """
        fd = self._open(path, os.O_RDONLY)
        with os.fdopen(fd, "rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise OSError(f"it is larger than {_LARGEST:,} bytes")
        text = data.decode("utf-8", "replace")
        if line is None and limit is None:
            return text
        first = max(0, (line or 1) - 1)
        last = None if limit is None else first + max(0, limit)
        return "".join(text.splitlines(keepends=True)[first:last])

    def write(self, path: str, content: str) -> None:
        """Give a file this text; folders on the way are made.

        Raises:
            Outside: it is not for the agent.
            OSError: it cannot be written, or is no regular file.
        """
        fd = self._open(path, os.O_WRONLY | os.O_CREAT)
        with os.fdopen(fd, "wb") as file:
            file.truncate()
            file.write(content.encode("utf-8", "surrogateescape"))

    def _parts(self, path: str) -> tuple[str, ...]:
        for root in (self._root, self._root.resolve()):
            if Path(path).is_relative_to(root):
                parts = Path(path).relative_to(root).parts
                break
        else:
            raise Outside(f"{path} is not in the work tree")
        if not parts or ".." in parts or "\0" in path:
            raise Outside(f"{path} is no file of the work tree")
        if any(part.casefold() == ".git" for part in parts):
            raise Outside(f"{path} belongs to git")
        return parts

    def _open(self, path: str, flags: int) -> int:
        *folders, name = self._parts(path)
        at = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for folder in folders:
                inner = _enter(folder, at, make=bool(flags & os.O_CREAT))
                os.close(at)
                at = inner
            # Not to hang on a pipe, and not to take a terminal.
            safe = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            fd = os.open(name, flags | safe, 0o666, dir_fd=at)
        finally:
            os.close(at)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError("it is no regular file")
        return fd


def _enter(folder: str, at: int, *, make: bool) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(folder, flags, dir_fd=at)
    except FileNotFoundError:
        if not make:
            raise
        os.mkdir(folder, dir_fd=at)
        return os.open(folder, flags, dir_fd=at)
