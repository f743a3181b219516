"""Clears a work tree of what does not belong to a commit, as a fresh checkout would be.

``git clean`` leaves too much: it passes over every ``.git`` below the root, over folders of
submodules and over what it may not enter.
"""

import os
import re
import stat
from collections.abc import Sequence
from contextlib import suppress
from fnmatch import translate
from pathlib import Path

from gitcmat.store.vault import Listing
from gitcmat.system.files import remove_tree

_OPEN = stat.S_IRWXU


class Keep:
    """What stays between tasks: names at any depth (``.venv``), or paths from the root (``a/b``).

    Both may be globs; a leading ``**/`` or ``/`` and a trailing ``/`` are understood.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        names: list[str] = []
        paths: list[str] = []
        for pattern in patterns:
            bare = pattern.removesuffix("/").removeprefix("**/")
            (paths if "/" in bare else names).append(translate(bare.removeprefix("/")))
        self._names = re.compile("|".join(names)) if names else None
        self._paths = re.compile("|".join(paths)) if paths else None

    def __call__(self, path: bytes) -> bool:
        """Whether what lies at `path` stays, with all that is in it."""
        text = os.fsdecode(path)
        if self._names and self._names.match(text.rpartition("/")[2]):
            return True
        return bool(self._paths and self._paths.match(text))


def sweep(tree: Path, wanted: Listing, keep: Keep) -> None:
    """Remove from `tree` all but the paths of `wanted`, what is kept, and ``.git`` of the root.

    Folders that were closed are opened. Files of `wanted` may still have other content.

    Raises:
        OSError: something is not ours to remove.
    """
    folders = {b""}
    for path in wanted.paths:
        parent = path.rpartition(b"/")[0]
        while parent not in folders:
            folders.add(parent)
            parent = parent.rpartition(b"/")[0]
    _Sweep(os.fsencode(tree), wanted, folders, keep).folder(b"")


class _Sweep:
    def __init__(self, root: bytes, wanted: Listing, folders: set[bytes], keep: Keep) -> None:
        self._root = root
        self._wanted = wanted
        self._folders = folders
        self._keep = keep

    def folder(self, path: bytes) -> bool:
        """Clear a folder; whether it is needed: for a wanted file, or one that is kept."""
        full = os.path.join(self._root, path)  # noqa: PTH118 - names that are no text
        open_folder(full)
        needed = path in self._folders
        prefix = path + b"/" if path else b""
        with os.scandir(full) as entries:
            for entry in entries:
                name = prefix + entry.name
                # Nearly all that is there is such a file.
                if name in self._wanted.paths and entry.is_file(follow_symlinks=False):
                    needed = True
                else:
                    needed |= self._entry(name, entry)
        return needed

    def _entry(self, path: bytes, entry: os.DirEntry[bytes]) -> bool:
        if path == b".git" or (path in self._wanted.paths and entry.is_symlink()):
            return True
        if self._keep(path):
            return True
        if path in self._wanted.submodules:
            _empty(entry.path)
            return True
        if entry.is_dir(follow_symlinks=False) and self.folder(path):
            return True
        remove_tree(Path(os.fsdecode(entry.path)))
        return False


def open_folder(path: bytes) -> bool:
    """Let its owner into a folder; whether it was closed."""
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode) or mode & _OPEN == _OPEN:
        return False
    os.chmod(path, stat.S_IMODE(mode) | _OPEN)  # noqa: PTH101 - names that are no text
    return True


def open_folders(tree: Path) -> None:
    """Open every closed folder below `tree`, so that git can look into all of them."""
    root = os.fsencode(tree)
    open_folder(root)
    for parent, names, _ in os.walk(root):
        for name in names:
            open_folder(os.path.join(parent, name))  # noqa: PTH118 - names that are no text


def remove_pipes(tree: Path) -> None:
    """Remove pipes and the like below `tree`; git would wait in vain to read some of them."""
    for parent, _, names in os.walk(os.fsencode(tree)):
        for name in names:
            path = Path(os.fsdecode(os.path.join(parent, name)))  # noqa: PTH118 - as above
            with suppress(FileNotFoundError):
                mode = path.lstat().st_mode
                if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
                    path.unlink()


def _empty(path: bytes) -> None:
    folder = Path(os.fsdecode(path))
    remove_tree(folder)
    folder.mkdir()
