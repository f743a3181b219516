"""Files that are never seen half written and never followed out of their place."""

import contextlib
import errno
import functools
import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from gitcmat.errors import InvalidData
from gitcmat.system import ids, trace
from gitcmat.system.locks import FileLock, is_locked
from gitcmat.system.refusals import naming

__all__ = [
    "FileLock",
    "exchange",
    "fsync_dir",
    "inside",
    "is_locked",
    "read_regular",
    "remove_tree",
    "write_atomic",
]

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # the same number as RENAME_SWAP of macOS
_REMOVE_ATTEMPTS = 5


def write_atomic(
    path: Path, data: bytes, *, mode: int = 0o644, durable: bool = False, parents: bool = True
) -> None:
    """Put `data` at `path` by temp file and rename; readers see the old or the new content.

    Missing folders are made, unless `parents` is False. A symlink at `path` is replaced, not
    followed. `mode` is narrowed by the umask. With `durable`, content and name are on the disk when
    this returns; without, a power cut may lose the write, but never leaves half of it under the
    name on the usual filesystems.

    Raises:
        OSError: the folder cannot be written or the disk is full; nothing is left behind.
    """
    with naming(path):
        _write(path, data, mode, durable=durable, parents=parents)
    if durable:
        fsync_dir(path.parent)


def _write(path: Path, data: bytes, mode: int, *, durable: bool, parents: bool) -> None:
    temporary = path.with_name(f".{path.name[:80]}.{ids.token()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        fd = os.open(temporary, flags, mode)
    except FileNotFoundError:
        if not parents:
            raise
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(temporary, flags, mode)
    try:
        with os.fdopen(fd, "wb") as stream:
            stream.write(data)
            if durable:
                stream.flush()
                os.fsync(fd)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):  # that of the write is the one to be told
            temporary.unlink(missing_ok=True)
        raise


def read_regular(path: str | Path, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes; a symlink is not followed.

    Raises:
        FileNotFoundError: nothing is there.
        InvalidData: a symlink, folder, pipe, socket or device, or more than `limit` bytes.
    """
    trace.event("read", str(path))
    _check_regular(path, os.lstat(path).st_mode)
    # Between the look and the open it may become a pipe: do not hang on it, look again at what is
    # open.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        fd = os.open(path, flags)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise InvalidData(
                f"{path} is not a regular file.", hint="Put a plain file there."
            ) from error
        raise
    try:
        about = os.fstat(fd)
        _check_regular(path, about.st_mode)
        data = b""
        # Not limit + 1 at once: room for that takes longer to get than most files to read.
        room = min(about.st_size, limit) + 1
        while room and (more := os.read(fd, room)):
            data += more
            room = room - len(more) or limit + 1 - len(data)
    finally:
        os.close(fd)
    if len(data) > limit:
        raise InvalidData(
            f"{path} is larger than the {limit} bytes allowed here.", hint="Make the file smaller."
        )
    return data


def _check_regular(path: str | Path, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    kind = kinds.get(stat.S_IFMT(mode), "not a file")
    raise InvalidData(f"{path} is {kind}, not a regular file.", hint="Put a plain file there.")


def inside(root: Path, relative: str) -> Path:
    """The path `relative` below `root`, which it cannot leave.

    Raises:
        InvalidData: it is empty or absolute, has ``..``, a NUL or a ``.git`` part, or a symlink
            on the way leads out of `root`.
    """
    parts = PurePosixPath(relative).parts
    bad = not parts or relative.startswith("/") or "\0" in relative or ".." in parts
    if not bad:
        bad = any(part.lower() == ".git" for part in parts)
    if not bad:
        path = root.joinpath(*parts)
        if path.resolve().is_relative_to(root.resolve()):
            return path
    raise InvalidData(
        f"The path {relative!r} leads out of {root}.", hint="Name a path inside that folder."
    )


def fsync_dir(path: Path) -> None:
    """Put the names in a folder on the disk (renames and new files in it)."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with naming(path):
            os.fsync(fd)
    finally:
        os.close(fd)


def exchange(first: Path, second: Path) -> bool:
    """Swap two existing paths of one filesystem; True when no moment was without one of them.

    Where the system has no call for that, three renames do it: False, and for a moment `first` did
    not exist.

    Raises:
        FileNotFoundError: one of them is missing; nothing was moved.
        OSError: they cannot be renamed; nothing was moved.
    """
    swap = _exchange_call()
    if swap is not None:
        code = swap(os.fsencode(first), os.fsencode(second))
        if code == 0:
            return True
        if code not in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
            raise OSError(code, os.strerror(code), str(first), None, str(second))
    os.lstat(second)  # or the first rename would already have moved something
    aside = first.with_name(f".{first.name[:80]}.{ids.token()}.tmp")
    first.rename(aside)
    try:
        second.rename(first)
    except OSError:
        aside.rename(first)
        raise
    aside.rename(second)
    return False


@functools.cache
def _exchange_call() -> Callable[[bytes, bytes], int] | None:
    """The function that swaps two paths and returns an errno (0: done), if any."""
    import ctypes  # with shutil below: 8 ms that most commands can do without

    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux" and hasattr(library, "renameat2"):

        def swap(first: bytes, second: bytes) -> int:
            at = _AT_FDCWD
            failed = library.renameat2(at, first, at, second, _RENAME_EXCHANGE)
            return ctypes.get_errno() if failed else 0

        return swap
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):

        def swap_apple(first: bytes, second: bytes) -> int:
            return ctypes.get_errno() if library.renamex_np(first, second, _RENAME_EXCHANGE) else 0

        return swap_apple
    return None


def remove_tree(path: Path) -> None:
    """Remove a file or a folder with its content; a missing one is fine.

    Links are removed, not followed. Folders that were made read-only (Go's module cache) are
    opened first, and what is written into the tree meanwhile is removed too, within reason.

    Raises:
        OSError: something is not ours to remove.
    """
    import shutil

    for attempt in range(_REMOVE_ATTEMPTS):
        try:
            if path.is_symlink() or not path.is_dir():
                path.unlink(missing_ok=True)
            else:
                shutil.rmtree(path)
        except FileNotFoundError:
            continue  # somebody removes it at the same time
        except OSError as error:
            if attempt == _REMOVE_ATTEMPTS - 1:
                raise
            if error.errno in (errno.EACCES, errno.EPERM):
                _open_folders(path)
            else:
                time.sleep(0.01 * (attempt + 1))
        else:
            return


def _open_folders(root: Path) -> None:
    with contextlib.suppress(OSError):
        root.chmod(0o700)
    for parent, folders, _ in os.walk(root):
        for name in folders:
            folder = Path(parent, name)
            if not folder.is_symlink():
                with contextlib.suppress(OSError):
                    folder.chmod(0o700)
