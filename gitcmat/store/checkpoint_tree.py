"""Takes what a work tree and its index are at this moment as two trees, and touches neither.

Everything is done with a copy of the index, and new objects go to a store of their own beside the
person's, where no ``git gc`` looks. They come home as one pack, or are gone.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from gitcmat.errors import Conflict, NotFound
from gitcmat.model.checkpoint import NewFiles
from gitcmat.model.marks import named
from gitcmat.store.git import Git, Repository, raise_passing
from gitcmat.store.gitdirs import quoted
from gitcmat.store.landing_repair import copy_index
from gitcmat.store.layout import is_fact
from gitcmat.system import clock, ids
from gitcmat.system.files import remove_tree
from gitcmat.system.proc import Done

_SETTINGS: Final = (
    ("core.fsync", "none"),  # what counts is synced when it comes home, as one pack
    ("core.looseCompression", "1"),
    ("core.splitIndex", "false"),
    ("pack.packSizeLimit", "0"),
)
_STATUS: Final = (
    *("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames"),
    # "dirty": of a submodule only its HEAD counts, so no git is started in it.
    *("--ignore-submodules=dirty", "--no-ahead-behind"),
)
_FIELDS: Final = 9
_UNMERGED_FIELDS: Final = 11
_HIDDEN: Final = re.compile(rb"(?<![^\0])[Sa-z] ([^\0]+)")
"""What ``ls-files -v`` marks as not to be looked at."""
_OLD_SECONDS: Final = 86_400
_SHOWN: Final = 10
_FLAGS: Final = ("--no-assume-unchanged", "--no-skip-worktree")

CheckSize = Callable[[NewFiles], None]
"""Is told of the new files, before they are read; may raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A work tree at one moment. Its objects are seen by `git` alone, until they come home."""

    head: str
    branch: str
    """Full ref; empty when HEAD is detached."""
    tree: str
    """The work tree: tracked and new files, ignored ones not, nor gitcmat's own facts."""
    index_tree: str
    files: int
    """How many paths differ from HEAD."""
    new_files: int
    new_bytes: int
    left_out: tuple[str, ...]
    """Repositories inside, which are not in the tree."""
    git: Git
    """Works with an index that has `tree`, and knows the files it was read from."""
    folder: Path
    """For what is made on the way home, and that index; gone at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to take it."""

    work_tree: Path
    git_dir: Path
    """Its own git directory."""
    objects: Path
    """The folder of the objects that are there."""
    index: Path
    base: str | None = None
    """What is compared with; None for HEAD."""
    env: Mapping[str, str] | None = None
    settings: tuple[tuple[str, str], ...] = ()
    timeout: float | None = None
    """Seconds that each look at it may take, for trees that an agent has made."""
    flagged: bool = True
    """Whether its index may have flags of a person's that hide files."""

    @classmethod
    def of(cls, repo: Repository) -> "Place":
        """The person's work tree.

        Raises `NotFound` when there is none.
        """
        if repo.work_tree is None:
            raise NotFound(
                f"{repo.root} is a bare repository: it has no work tree to save.",
                hint="gitcmat -C DIR, in a work tree of it",
            )
        return cls(
            work_tree=repo.work_tree,
            git_dir=repo.git_dir,
            objects=repo.common_dir / "objects",
            index=repo.git_dir / "index",
        )


@contextmanager
def taken(repo: Repository, place: Place, check_size: CheckSize) -> Iterator[Taken]:
    """Take the work tree at `place`; see `Look.take`."""
    with looked(repo, place) as look:
        yield look.take(check_size)


@contextmanager
def looked(repo: Repository, place: Place) -> Iterator["Look"]:
    """Look at what differs in the work tree at `place`, and take nothing yet."""
    parent = repo.cmat / "checkpoint"
    parent.mkdir(parents=True, exist_ok=True)
    oldest = clock.now().timestamp() - _OLD_SECONDS
    for left in parent.iterdir():
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < oldest:
                remove_tree(left)
    folder = parent / ids.token(16)
    (folder / "objects").mkdir(parents=True)
    try:
        yield Look(place, folder)
    finally:
        remove_tree(folder)


class Look:
    """What a look at a work tree has shown; made by `looked`."""

    def __init__(self, place: Place, folder: Path) -> None:
        self._place = place
        self._folder = folder
        index = folder / "index"
        with suppress(FileNotFoundError):  # no index is an empty one
            copy_index(place.index, index)
        env = {
            **(place.env or {}),
            "GIT_INDEX_FILE": str(index),
            "GIT_OBJECT_DIRECTORY": str(folder / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.fsdecode(quoted(place.objects)),
        }
        settings = (*place.settings, *_SETTINGS)
        self._git = Git(place.git_dir, work_tree=place.work_tree, env=env, settings=settings)
        if place.flagged:
            self._look_at_hidden()
        self._seen = _Seen.parse(self._run(*_STATUS).out)

    @property
    def moved(self) -> bool:
        """Whether a file differs from the index."""
        return bool(self._seen.changed or self._seen.new)

    def take(self, check_size: CheckSize) -> Taken:
        """Take it.

        Raises:
            Conflict: nothing is committed yet, files are unmerged, or git cannot read one.
        """
        seen = self._seen
        head = self._place.base or seen.head
        if head is None:
            raise Conflict(
                "Nothing was saved: there is no commit yet that a checkpoint could stand on.",
                hint="git commit first",
            )
        if seen.unmerged:
            names = named(map(os.fsdecode, seen.unmerged), _SHOWN)
            raise Conflict(
                f"Nothing was saved: these files are unmerged: {names}",
                hint="git add them once they are merged, or give the merge up",
            )
        new = NewFiles.of({os.fsdecode(path): self._size(path) for path in seen.new})
        check_size(new)
        index_tree = tree = self._index_tree(head)
        if self.moved:
            self._stage([*seen.changed, *seen.new])
            tree = self._write_tree()
        return Taken(
            head=head,
            branch=seen.branch,
            tree=tree,
            index_tree=index_tree,
            files=len({*seen.differ, *seen.new}),
            new_files=len(seen.new),
            new_bytes=new.size,
            left_out=tuple(os.fsdecode(path) for path in seen.nested),
            git=self._git,
            folder=self._folder,
        )

    def _index_tree(self, head: str) -> str:
        """The tree of what is staged; of a work tree of ours, where nobody stages, the base's."""
        if self._seen.staged and self._place.base is None:
            return self._write_tree()
        return self._git.text("rev-parse", "--verify", f"{head}^{{tree}}")

    def _write_tree(self) -> str:
        # git would look for each object in every folder whose tree is new; packing them does so.
        return self._git.text("write-tree", "--missing-ok")

    def _look_at_hidden(self) -> None:
        """Take off the flags by which a person tells git not to look at a file that is there."""
        hidden = _HIDDEN.findall(self._run("ls-files", "-v", "-z").out)
        there = [path for path in hidden if os.path.lexists(self._path(path))]
        for flag in _FLAGS if there else ():
            self._git.run("update-index", flag, "-z", "--stdin", input=_lines(there))

    def _stage(self, paths: Iterable[bytes]) -> None:
        paths = list(paths)
        if behind := {path for path in paths if self._behind_link(path)}:
            # A folder that became a link: what git knows below it is gone, and it refuses to look.
            self._run("update-index", "--force-remove", "-z", "--stdin", input=_lines(behind))
            paths = [path for path in paths if path not in behind]
        how = ("update-index", "--add", "--remove", "--replace", "-z", "--stdin")
        done = self._run(*how, input=_lines(paths), ok=())
        if done.code != 0:
            raise_passing(done)
            said = done.err.decode("utf-8", "replace").strip()
            raise Conflict(
                f"Nothing was saved, because git cannot read a file:\n{said}",
                hint="make it readable, or name it in .gitignore",
            )

    def _run(self, *args: str, input: bytes | None = None, ok: Iterable[int] = (0,)) -> Done:  # noqa: A002 - as in Git.run
        return self._git.run(*args, input=input, ok=ok, timeout=self._place.timeout)

    def _path(self, path: bytes) -> Path:
        return self._place.work_tree / os.fsdecode(path)

    def _behind_link(self, path: bytes) -> bool:
        top = self._place.work_tree
        return any((top / p).is_symlink() for p in PurePosixPath(os.fsdecode(path)).parents)

    def _size(self, path: bytes) -> int:
        try:
            return self._path(path).lstat().st_size
        except OSError:
            return 0


class _Seen:
    """What ``git status`` says, as paths from the root."""

    def __init__(self) -> None:
        self.head: str | None = None
        self.branch = ""
        self.staged = False
        """Whether the index differs from HEAD."""
        self.differ: list[bytes] = []
        self.changed: list[bytes] = []
        """Those of them that differ from the index."""
        self.unmerged: list[bytes] = []
        self.new: list[bytes] = []
        self.nested: list[bytes] = []

    @classmethod
    def parse(cls, out: bytes) -> "_Seen":
        seen = cls()
        for row in out.split(b"\0"):
            kind, _, rest = row.partition(b" ")
            if kind == b"#":
                seen._head(rest)
            elif kind == b"1":
                path = row.split(b" ", _FIELDS - 1)[-1]
                seen.differ.append(path)
                seen.staged = seen.staged or row[2:3] != b"."
                if row[3:4] != b".":
                    seen.changed.append(path)
            elif kind == b"u":
                seen.unmerged.append(row.split(b" ", _UNMERGED_FIELDS - 1)[-1])
            elif kind == b"?" and rest.endswith(b"/"):
                seen.nested.append(rest)
            elif kind == b"?" and not is_fact(os.fsdecode(rest)):
                seen.new.append(rest)
        return seen

    def _head(self, text: bytes) -> None:
        key, _, value = text.partition(b" ")
        if key == b"branch.oid" and value != b"(initial)":
            self.head = value.decode()
        if key == b"branch.head" and value != b"(detached)":
            self.branch = f"refs/heads/{os.fsdecode(value)}"


def _lines(paths: Iterable[bytes]) -> bytes:
    return b"".join(path + b"\0" for path in paths)
