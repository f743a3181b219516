"""Putting files into a person's work tree without ever losing a save of theirs.

What is replaced is exchanged with the new file in one step and looked at afterwards: if it was not
what it was taken for, it goes back. The file that came out is kept for a while, since an editor
that had it open may still write to it.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Collection
from enum import Enum, auto
from pathlib import Path
from typing import Final

from gitcmat.errors import InvalidData
from gitcmat.store.view_manifest import Sign
from gitcmat.system import ids
from gitcmat.system.files import exchange, read_regular

LIMIT: Final = 1 << 20
"""Bytes; no record is nearly as large."""

_KINDS: Final = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a folder",
    stat.S_IFREG: "a file",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


class ObstacleError(Exception):
    """Something that is no folder, or no plain file, is where one of ours should be."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class Outcome(Enum):
    """What became of a file that was to be put in place from its spare."""

    PLACED = auto()
    """It is there; nothing came out, the spare is gone."""
    REPLACED = auto()
    """It is there; the spare is what came out."""
    KEPT = auto()
    """A person's save is there; the spare is still the new file."""
    CROSSED = auto()
    """A person's save is there; the spare is an earlier save of theirs."""


class ViewFiles:
    """The files of the view; paths are relative to the work tree."""

    def __init__(
        self, root: Path, kept: Path, object_format: str, between: Callable[[str], None]
    ) -> None:
        """Work in `root`; `kept` is for what comes out, `between` is called before an exchange."""
        self.root = root
        self.kept = kept
        self._new_hash = hashlib.sha256 if object_format == "sha256" else hashlib.sha1
        self._between = between
        self._folders: set[str] = set()

    def forget_folders(self) -> None:
        """Look at the folders again: somebody may have put a link in the place of one."""
        self._folders.clear()

    def oid(self, data: bytes) -> str:
        """Return the blob id of `data`."""
        return self._new_hash(b"blob %d\0" % len(data) + data).hexdigest()

    def sign(self, path: str) -> Sign | None:
        """Return the signature of a plain file, None when it or its folder is missing.

        Raises `ObstacleError` when anything else is there, or a folder above it is none.
        """
        self._check_folders(path)
        try:
            at = (self.root / path).lstat()
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(at.st_mode):
            raise ObstacleError(path, f"is {_kind(at.st_mode)}, not a plain file")
        return _sign(at)

    def sign_kept(self, file: Path) -> Sign | None:
        """Return the signature of a file that came out of the view, None when it is gone."""
        try:
            return _sign(file.lstat())
        except FileNotFoundError:
            return None

    def read(self, path: str) -> bytes:
        """Return the content of a plain file.

        Raises `ObstacleError` when it cannot be read as one, FileNotFoundError when it is gone.
        """
        self._check_folders(path)
        try:
            return read_regular(self.root / path, LIMIT)
        except InvalidData as error:
            reason = error.message.removeprefix(f"{self.root / path} ").rstrip(".")
            raise ObstacleError(path, reason) from error
        except PermissionError as error:
            raise ObstacleError(path, "cannot be read") from error

    def holds(self, file: Path, oids: Collection[str]) -> bool:
        """Whether `file` is a plain one with one of these contents."""
        try:
            return self.oid(read_regular(file, LIMIT)) in oids
        except (InvalidData, OSError):
            return False

    def oid_kept(self, file: Path) -> str:
        """Return the blob id of a file that came out of the view.

        Raises `ObstacleError` when it cannot be read.
        """
        try:
            return self.oid(read_regular(file, LIMIT))
        except (InvalidData, OSError) as error:
            raise ObstacleError(str(file), "cannot be read") from error

    def make_folders(self, path: str) -> list[str]:
        """Make the folders above `path`; return those that were missing.

        Raises `ObstacleError` when something else is in the place of one.
        """
        made = []
        for folder in _above(path):
            if folder in self._folders:
                continue
            try:
                (self.root / folder).mkdir()
            except FileExistsError:
                self._check_folders(f"{folder}/any")  # or the next one might be made elsewhere
            else:
                made.append(folder)
        return made

    def spare(self, path: str) -> Path:
        """Return a new name on the filesystem that `path` is on (or will be)."""
        near = self.root / path
        while not near.parent.exists():
            near = near.parent
        if near.parent.stat().st_dev == self.kept.stat().st_dev:
            return self.kept / ids.token(16)
        return (self.root / path).with_name(f".{ids.token(16)}.tmp")

    def put_new(self, spare: Path, path: str) -> Outcome:
        """Put `spare` at `path` unless something is there by now."""
        target = self.root / path
        try:
            target.hardlink_to(spare)
        except FileExistsError:
            return Outcome.KEPT
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}:
                raise
            if target.is_symlink() or target.exists():  # no links here: as close as it gets
                return Outcome.KEPT
            spare.rename(target)
        else:
            spare.unlink()
        return Outcome.PLACED

    def exchange_in(self, spare: Path, path: str, *, own: str, allowed: Collection[str]) -> Outcome:
        """Put `spare`, of blob `own`, in the place of what has one of the contents `allowed`."""
        target = self.root / path
        self._between(path)
        try:
            exchange(target, spare)
        except FileNotFoundError:
            return self.put_new(spare, path)
        if self.holds(spare, allowed):
            return Outcome.REPLACED
        # Somebody saved between our look and the exchange: their file goes back.
        try:
            exchange(target, spare)
        except FileNotFoundError:
            back = self.put_new(spare, path)
            return Outcome.KEPT if back is Outcome.PLACED else Outcome.CROSSED
        if self.holds(spare, {own}):
            return Outcome.KEPT
        # And saved once more between the two exchanges: the later save is what the view shows.
        exchange(target, spare)
        return Outcome.CROSSED

    def take_out(self, path: str, spare: Path, *, allowed: Collection[str]) -> Outcome:
        """Take the file at `path` out of the view if it has one of the contents `allowed`.

        The answer is REPLACED when it came out and is `spare` now, PLACED when it was gone already.
        """
        target = self.root / path
        self._between(path)
        try:
            target.rename(spare)
        except FileNotFoundError:
            return Outcome.PLACED
        if self.holds(spare, allowed):
            return Outcome.REPLACED
        back = self.put_new(spare, path)
        return Outcome.KEPT if back is Outcome.PLACED else Outcome.CROSSED

    def remove_folder(self, folder: str) -> bool:
        """Remove a folder if it is empty; say whether it is gone."""
        try:
            (self.root / folder).rmdir()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def _check_folders(self, path: str) -> None:
        for folder in _above(path):
            if folder in self._folders:
                continue
            try:
                mode = (self.root / folder).lstat().st_mode
            except FileNotFoundError:
                return
            if not stat.S_ISDIR(mode):
                raise ObstacleError(folder, f"is {_kind(mode)}, not a folder")
            self._folders.add(folder)


def _above(path: str) -> list[str]:
    """Return the folders above `path`, the outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


def _sign(at: os.stat_result) -> Sign:
    return (at.st_mtime_ns, at.st_size, at.st_ino, at.st_ctime_ns)


def _kind(mode: int) -> str:
    return _KINDS.get(stat.S_IFMT(mode), "a device")
