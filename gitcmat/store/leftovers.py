"""Takes what lies uncommitted in a work tree into the index of its vault.

Only plumbing is used, on lists of paths: ``git add`` would run ``git status`` inside a submodule,
with settings that an agent can write there, and would record a nested repository as a mere number.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gitcmat.store.git import GitError
from gitcmat.store.remains import read_head
from gitcmat.store.sweep import open_folders, remove_pipes
from gitcmat.store.vault import Vault
from gitcmat.system.proc import Done, Timeout

MOST_NESTED: Final = 20
"""So many nested repositories are looked into; more are only named."""

FIRST_SECONDS = 60.0
"""After this time something is in git's way: a pipe named ``.gitignore`` stops it for ever."""

_SECONDS: Final = 900.0
_STATUS: Final = (
    *("status", "--porcelain=v2", "-z", "--untracked-files=all", "--ignored=matching"),
    *("--ignore-submodules=all", "--no-renames", "--no-ahead-behind"),
)
_REFUSED: Final = re.compile(rb"^Ignoring path (.*)$", re.MULTILINE)
_SUBMODULE_PATH: Final = re.compile(rb"^\s*path\s*=\s*(.*?)\s*$", re.MULTILINE)
_CHANGED_FIELDS: Final = 9


@dataclass(slots=True)
class Leftovers:
    """What was found, as paths from the root."""

    new: list[bytes] = field(default_factory=list)
    """Files that were not tracked and are now."""
    ignored: list[bytes] = field(default_factory=list)
    nested: list[bytes] = field(default_factory=list)
    """Folders of repositories inside the work tree."""
    refused: list[bytes] = field(default_factory=list)
    """Names that git does not take, such as ``.git`` in disguise."""
    opened: list[bytes] = field(default_factory=list)
    """Files that nobody was allowed to read; they are now."""


@dataclass(slots=True)
class _Seen:
    changed: list[bytes] = field(default_factory=list)
    gone: list[bytes] = field(default_factory=list)
    new: list[bytes] = field(default_factory=list)
    ignored: list[bytes] = field(default_factory=list)


class Stager:
    """Stages the work tree of one vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.found = Leftovers()

    def stage_all(self) -> None:
        """Stage every change and new file that is not ignored.

        Raises:
            GitError: git cannot take a file, also not as plain bytes.
        """
        seen = self._look()
        files: list[bytes] = []
        for path in seen.new:
            if path.endswith(b"/"):
                self._note_nested(path[:-1], files)
        seen.new = [path for path in seen.new if not path.endswith(b"/")]
        seen.new += self._not_ignored(files)
        self.found.new += seen.new
        self.found.ignored += seen.ignored
        self._stage(seen.changed + seen.new, seen.gone)

    def unfold(self, submodules: Iterable[bytes]) -> None:
        """Replace entries that are only the number of a nested repository by its files."""
        named = self._declared()
        files: list[bytes] = []
        numbers: list[bytes] = []
        for path in submodules:
            if path in named:
                self.found.nested.append(path)
            else:
                numbers.append(path)
                self._note_nested(path, files)
        self._stage([], numbers)
        files = self._not_ignored(files)
        self.found.new += files
        self._stage(files, [])

    def look_into_submodules(self) -> None:
        """Name the submodules whose own history has moved: it does not come home with ours."""
        if not os.path.lexists(self._vault.tree / ".gitmodules"):
            return
        for row in self._vault.git.run("ls-files", "-s", "-z").out.split(b"\0"):
            if row.startswith(b"160000"):
                meta, path = row.split(b"\t", 1)
                oid = meta.split()[1].decode()
                folder = self._vault.tree / os.fsdecode(path)
                if not folder.is_dir() or not any(folder.iterdir()):
                    continue
                if read_head(folder / ".git", _format_of(oid)) != oid:
                    self.found.nested.append(path)

    def _look(self) -> _Seen:
        done = self._run(*_STATUS)
        if b"Permission denied" in done.err:
            open_folders(self._vault.tree)
            done = self._run(*_STATUS)
        seen = _Seen()
        for row in done.out.split(b"\0"):
            if row.startswith(b"? "):
                seen.new.append(row[2:])
            elif row.startswith(b"! "):
                seen.ignored.append(row[2:])
            elif row.startswith(b"1 "):
                self._sort(row.split(b" ", _CHANGED_FIELDS - 1), seen)
        return seen

    def _sort(self, fields: list[bytes], seen: _Seen) -> None:
        """Sort a row ``1 XY sub mH mI mW hH hI path`` by its state in the work tree."""
        state, index_mode, tree_mode, index_oid, path = (fields[i] for i in (1, 4, 5, 7, 8))
        if state[1:] == b"." or index_mode == b"160000":
            return
        # A deleted path may still lead to a file, through a link where its folder was.
        if state[1:] == b"D" or not self._can_be_stored(path):
            seen.gone.append(path)
        elif index_mode != tree_mode or not self._is_same(path, index_oid.decode()):
            seen.changed.append(path)

    def _is_same(self, path: bytes, oid: str) -> bool:
        """Whether a file has the very bytes of `oid`.

        git calls it changed when its attributes ask for other line ends than were committed.
        """
        full = self._full(path)
        self._make_readable(path)
        try:
            data = full.read_bytes() if not full.is_symlink() else b""
        except OSError:
            return False
        return _oid(data, _format_of(oid)) == oid

    def _stage(self, paths: list[bytes], gone: list[bytes]) -> None:
        for path in paths:
            self._make_readable(path)
        if gone:
            self._update("--force-remove", paths=gone)
        if paths:
            done = self._update("--add", "--replace", paths=paths)
            self.found.refused += _REFUSED.findall(done.err)

    def _update(self, *how: str, paths: list[bytes]) -> Done:
        fed = b"".join(path + b"\0" for path in paths)
        return self._run("update-index", *how, "-z", "--stdin", stdin=fed)

    def _run(self, *args: str, stdin: bytes | None = None) -> Done:
        """Run git, and once more after putting out of its way what an agent can put there."""
        git = self._vault.git
        try:
            return git.run(*args, input=stdin, timeout=FIRST_SECONDS)
        except Timeout:
            remove_pipes(self._vault.tree)
        except GitError:
            open_folders(self._vault.tree)
            self._vault.treat_files_as_bytes()
        return git.run(*args, input=stdin, timeout=_SECONDS)

    def _note_nested(self, folder: bytes, files: list[bytes]) -> None:
        """Add the files of a nested repository, and of those inside it, to `files`."""
        self.found.nested.append(folder)
        full = self._full(folder)
        if len(self.found.nested) > MOST_NESTED or full.is_symlink() or not full.is_dir():
            return
        for name in self._vault.files_below(full):
            path = folder + b"/" + name
            if name.endswith(b"/"):
                self._note_nested(path[:-1], files)
            else:
                files.append(path)

    def _not_ignored(self, files: list[bytes]) -> list[bytes]:
        """Leave out what the project ignores; a nested repository knows only its own rules."""
        if not files:
            return files
        fed = b"".join(path + b"\0" for path in files)
        done = self._vault.git.run("check-ignore", "-z", "--stdin", input=fed, ok=(0, 1))
        ignored = frozenset(done.out.split(b"\0"))
        return [path for path in files if path not in ignored]

    def _make_readable(self, path: bytes) -> None:
        full = self._full(path)
        with suppress(OSError):
            info = full.lstat()
            if stat.S_ISREG(info.st_mode) and not info.st_mode & stat.S_IRUSR:
                full.chmod(stat.S_IMODE(info.st_mode) | stat.S_IRUSR)
                self.found.opened.append(path)

    def _declared(self) -> frozenset[bytes]:
        file = self._vault.tree / ".gitmodules"
        if file.is_symlink() or not file.is_file():
            return frozenset()
        return frozenset(_SUBMODULE_PATH.findall(file.read_bytes()))

    def _can_be_stored(self, path: bytes) -> bool:
        try:
            mode = self._full(path).lstat().st_mode
        except OSError:
            return False
        return stat.S_ISREG(mode) or stat.S_ISLNK(mode)

    def _full(self, path: bytes) -> Path:
        return self._vault.tree / os.fsdecode(path)


def _oid(data: bytes, object_format: str) -> str:
    digest = hashlib.new(object_format, usedforsecurity=False)
    digest.update(b"blob %d\0" % len(data))
    digest.update(data)
    return digest.hexdigest()


def _format_of(oid: str) -> str:
    return "sha1" if len(oid) == 40 else "sha256"  # noqa: PLR2004 - digits of an id
