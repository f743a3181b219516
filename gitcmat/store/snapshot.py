"""The files below ``.cmat/`` of a commit, of the index or of the work tree, all seen alike.

What is run comes from commits only. The other two are for ``lint``, which judges a file before it
is committed.
"""

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from gitcmat.errors import InvalidData, NotFound
from gitcmat.model.agent_config import CLAUDE_AGENTS, PLACES, SKILLS, is_below
from gitcmat.store import layout
from gitcmat.store.git import Git
from gitcmat.system.files import read_regular

LINK: Final = "120000"
MODULE: Final = "160000"
OTHER: Final = "000000"
"""A pipe, socket or device of the work tree."""
UNMERGED: Final = "unmerged"
"""In the index: the two sides of a merge."""

_PLACES: Final = (layout.CMAT, *PLACES)
_READ_AS_SAVED: Final = (CLAUDE_AGENTS, *SKILLS[1:])
"""Of the guests in the work tree only those that ``lint`` has something to say about."""
_REGULAR: Final = "100644"
_FOLDER: Final = "040000"
_LIMIT: Final = 1 << 20


class File(NamedTuple):
    """One file; `mode` as git writes it or as above; `blob` is empty in the work tree."""

    path: str
    mode: str
    blob: str

    @property
    def regular(self) -> bool:
        """Whether it is a plain file, executable or not."""
        return self.mode in (_REGULAR, "100755")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Files in the order of their paths, without gitcmat's own folders of facts."""

    files: tuple[File, ...]
    read: Callable[[Iterable[File]], Mapping[str, bytes | InvalidData]]
    """Return the contents by path; what cannot be read is the error."""
    facts: tuple[str, ...] = ()
    """Paths in gitcmat's own folders that a commit or the index has, where none should be."""
    guests: tuple[File, ...] = ()
    """What programs of agents read outside of ``.cmat/``: their settings, agents and skills."""


def tree_of(git: Git, commit: str) -> str:
    """Return the object that ``.cmat`` is in `commit`, a folder or not; empty when there is none.

    Raises `GitError` when there is no such commit, so that a lost one is never taken for an empty
    one.
    """
    return _listed(git, commit).tree


def key_of(git: Git, commit: str) -> str:
    """Return what is the same for commits that have the same files here, guests too."""
    listed = _listed(git, commit)
    return "\n".join((listed.tree, *(f"{f.mode} {f.blob} {f.path}" for f in listed.guests)))


def of_revision(git: Git, name: str) -> Snapshot:
    """Take the files of the commit that a person calls `name`.

    Raises `NotFound` when there is no such commit.
    """
    found = git.rev(name)
    if found is None:
        raise NotFound(f"There is no commit {name}.", hint="git log")
    return of_commit(git, found)


def of_commit(git: Git, commit: str) -> Snapshot:
    """Take the files of a commit, named by its whole id.

    Raises `GitError` when there is no such commit.
    """
    listed = _listed(git, commit)
    return _of_objects(git, listed.files, listed.guests)


class _Listing:
    """What a commit holds below ``.cmat`` and of guests, as ``ls-tree -r -t -z`` says it."""

    def __init__(self, said: bytes) -> None:
        self._lines = said.split(b"\0")[:-1]

    @property
    def tree(self) -> str:
        """The object that ``.cmat`` itself is; empty when there is none."""
        own = (line.partition(b"\t") for line in self._lines)
        found = (meta for meta, _, path in own if path == layout.CMAT.encode())
        return next((meta.split(b" ")[-1].decode() for meta in found), "")

    @functools.cached_property
    def files(self) -> tuple[File, ...]:
        """All below ``.cmat`` but the folders."""
        return tuple(f for f in self._every if is_below(f.path, (layout.CMAT,)))

    @functools.cached_property
    def guests(self) -> tuple[File, ...]:
        """All others but the folders."""
        return tuple(f for f in self._every if not is_below(f.path, (layout.CMAT,)))

    @functools.cached_property
    def _every(self) -> tuple[File, ...]:
        rows = (os.fsdecode(line).split("\t", 1) for line in self._lines)
        told = ((meta.split(" "), path) for meta, path in rows)
        return tuple(File(path, mode, oid) for (mode, _, oid), path in told if mode != _FOLDER)


def _listed(git: Git, commit: str) -> _Listing:
    """What a commit holds never changes, and a look at the status asks three times."""
    key = (git.git_dir, commit)
    if key not in _known:
        done = git.run("ls-tree", "-r", "-t", "-z", "--full-tree", commit, "--", *_PLACES)
        _known.clear()
        _known[key] = _Listing(done.out)
    return _known[key]


_known: Final[dict[tuple[Path, str], _Listing]] = {}
"""The last commit that was listed: git directory and id to what git said."""


def of_index(git: Git) -> Snapshot:
    """Take the files as they are staged."""
    places = [f":(top,literal){place}" for place in _PLACES]
    done = git.run("ls-files", "--stage", "-z", "--", *places)
    files: dict[str, File] = {}
    for line in done.out.split(b"\0")[:-1]:
        meta, name = line.split(b"\t", 1)
        mode, blob, stage = meta.decode().split(" ")
        path = os.fsdecode(name)
        files[path] = File(path, mode if stage == "0" else UNMERGED, blob)
    own = [f for f in files.values() if is_below(f.path, (layout.CMAT,))]
    return _of_objects(git, own, [f for f in files.values() if f not in own])


def of_work_tree(root: Path) -> Snapshot:
    """Take the files as they are saved. Links are not followed; editors' own files are left out."""
    files: list[File] = []
    top = root / layout.CMAT
    if top.is_symlink() or not top.is_dir():
        if top.is_symlink() or top.exists():
            files.append(File(layout.CMAT, _mode(top), ""))
    else:
        files += _below(str(top), layout.CMAT)

    def read(wanted: Iterable[File]) -> dict[str, bytes | InvalidData]:
        return {file.path: _saved(f"{root}/", file.path) for file in wanted}

    guests = [f for place in _READ_AS_SAVED for f in _guests(root, place)]
    return Snapshot(files=tuple(sorted(files)), read=read, guests=tuple(sorted(guests)))


def _guests(root: Path, place: str) -> Iterator[File]:
    """The files of a folder that is reached by no link."""
    top = root / place
    if top.is_dir() and not any(p.is_symlink() for p in (top, top.parent)):
        yield from _below(str(top), place)


def _below(folder: str, inside: str) -> Iterator[File]:
    """Yield the files of a folder whose path in the repository is `inside`; one that nobody may
    list has none.
    """
    try:
        held = list(os.scandir(folder))
    except OSError:
        return
    for one in held:
        path = f"{inside}/{one.name}"
        if layout.is_fact(path):
            continue
        if one.is_dir(follow_symlinks=False):
            yield from _below(one.path, path)
        elif not _of_an_editor(one.name):
            yield File(path, _mode(one), "")


def _of_objects(git: Git, files: Iterable[File], guests: Iterable[File]) -> Snapshot:
    def read(wanted: Iterable[File]) -> dict[str, bytes | InvalidData]:
        asked = list(wanted)
        blobs = git.blobs(dict.fromkeys(file.blob for file in asked))
        missing = InvalidData("is not in this repository", hint="git fetch, or git fsck")
        return {file.path: blobs.get(file.blob, missing) for file in asked}

    every = sorted(files)
    facts = tuple(file.path for file in every if layout.is_fact(file.path))
    kept = tuple(file for file in every if not layout.is_fact(file.path))
    return Snapshot(files=kept, read=read, facts=facts, guests=tuple(sorted(guests)))


def _saved(root: str, path: str) -> bytes | InvalidData:
    try:
        return read_regular(root + path, _LIMIT)
    except InvalidData as error:
        return InvalidData(error.message.removeprefix(f"{root}{path} "), hint=error.hint)
    except OSError as error:
        return InvalidData(f"cannot be read: {error.strerror}")


def _mode(there: Path | os.DirEntry[str]) -> str:
    if there.is_symlink():
        return LINK
    return _REGULAR if there.is_file() else OTHER


def _of_an_editor(name: str) -> bool:
    """Swap and backup files, which come and go while a person types."""
    hidden = name.startswith((".", "#")) and name not in (
        ".gitignore",
        ".gitkeep",
        ".gitattributes",
    )
    return hidden or name.endswith(("~", ".swp", ".tmp", ".bak", ".orig"))
