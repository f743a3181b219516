"""What stands at a path where a checkout was killed in the middle, and how to go on from there."""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterable
from enum import Enum, auto
from pathlib import Path

from gitcmat.store.git import Git


class Found(Enum):
    """What stands at a path."""

    GONE = auto()
    OLD = auto()
    NEW = auto()
    TORN = auto()
    """A beginning of the new file: git was killed while it wrote."""
    FOREIGN = auto()
    """Neither: a person's."""


def look(root: Path, old: Path, new: Path, path: str) -> Found:
    """Compare what is at `path` below `root` with the two sides, written out below `old` and
    `new`.
    """
    file = root / path
    if not os.path.lexists(file):
        return Found.GONE
    if _same(file, old / path) and _runs(file) == _runs(old / path):
        return Found.OLD
    if _same(file, new / path):
        return Found.NEW
    if _regular(file) and _regular(new / path):
        begun = file.read_bytes()
        return Found.TORN if (new / path).read_bytes().startswith(begun) else Found.FOREIGN
    return Found.FOREIGN


def write_out(git: Git, folder: Path, commit: str, names: Iterable[str]) -> None:
    """Write files of a commit below `folder` as a checkout would, with filters and line ends."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.with_suffix(".index.lock").unlink(missing_ok=True)  # of one that was killed here
    env = {"GIT_INDEX_FILE": str(folder.with_suffix(".index"))}
    git.run("read-tree", "--no-sparse-checkout", commit, env=env)
    how = ("-f", "-q", "-z", f"--prefix={folder}/", "--stdin")
    git.run("checkout-index", *how, input=lines(names), env=env)


def put(source: Path, target: Path) -> None:
    """Move a file that was written out to its place, over what is there, in one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        near = target.with_name(f".{target.name}.{os.getpid()}.cmat")
        shutil.copy2(source, near, follow_symlinks=False)
        near.replace(target)


def remove(root: Path, path: str) -> None:
    """Remove a file, and the folders that are empty then."""
    file = root / path
    file.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        for folder in file.parents:
            if folder == root:
                break
            folder.rmdir()


def make_room(root: Path, path: str) -> bool:
    """Whether nothing stands at the path, or nothing but an empty folder, now removed."""
    file = root / path
    with contextlib.suppress(OSError):
        file.rmdir()
    return not os.path.lexists(file) and not _is_below_a_file(root, file)


def lines(names: Iterable[str]) -> bytes:
    """Paths as git reads them with ``-z``."""
    return b"".join(os.fsencode(name) + b"\0" for name in names)


def _same(one: Path, other: Path) -> bool:
    if one.is_symlink() and other.is_symlink():
        return one.readlink() == other.readlink()
    return _regular(one) and _regular(other) and one.read_bytes() == other.read_bytes()


def _regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _runs(path: Path) -> bool:
    return bool(path.lstat().st_mode & stat.S_IXUSR)


def _is_below_a_file(root: Path, file: Path) -> bool:
    between = file.relative_to(root).parents
    return any((root / f).is_symlink() or (root / f).is_file() for f in between if f != Path())
