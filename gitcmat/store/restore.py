"""Makes a work tree and its index what a checkpoint says, and never moves HEAD.

First ``index.lock`` is taken, so that no git of the person's can stage, commit or switch. Then the
present is taken, checked against what is to come, and saved; only then are files written, by
``read-tree -m -u`` from the one tree to the other, which leaves alone what is the same in both.
Last the new index is put in place. What is ignored is in neither tree and stays.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gitcmat.errors import Conflict
from gitcmat.model.marks import named
from gitcmat.store import restore_journal
from gitcmat.store.checkpoint import Commit
from gitcmat.store.checkpoint_tree import CheckSize, Place, Taken, taken
from gitcmat.store.git import Git, GitError, Repository, raise_passing
from gitcmat.store.gitdirs import make_empty
from gitcmat.store.half_written import Found, look, make_room, put, remove, write_out
from gitcmat.store.index_lock import IndexLock
from gitcmat.store.landing_journal import Side
from gitcmat.store.landing_repair import copy_index
from gitcmat.store.landing_steps import SUBMODULE, Ends, changed, in_the_way
from gitcmat.store.packs import OnStep, no_step
from gitcmat.store.restore_journal import Journal
from gitcmat.store.sources import under_way
from gitcmat.system import ids, orphans

STEPS: Final = ("announced", "locked", "checked", "kept", "begun", "written", "published")
"""The steps of a restore, in order; each is reported when it is done."""

_SHOWN: Final = 10
_INDEX: Final = (("core.splitIndex", "false"),)
_FLAGS: Final = {"S": "--skip-worktree", "h": "--assume-unchanged"}

Keep = Callable[[Taken], str]
"""Saves what was taken as a checkpoint and returns its commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What a restore changes, or would."""

    files: dict[str, Ends]
    """Path → what it is and what it becomes."""
    staged: int
    """How many paths of the index change."""
    head: str
    """The commit that is checked out."""
    submodules: tuple[str, ...]
    """Submodules that the checkpoint has at another commit: they stay where they are."""

    @property
    def statuses(self) -> dict[str, str]:
        """Path → ``A``, ``D`` or ``M``: what happens to it."""
        return {
            path: "A" if old is None else "D" if new is None else "M"
            for path, (old, new) in self.files.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A restore that had been broken off and is now over."""

    target: str
    """The commit that was restored; empty when nothing had been changed yet."""
    present: str
    left: tuple[str, ...]
    """Files that a person has changed since; they are as they were left."""


def preview(repo: Repository, target: Commit, check_size: CheckSize) -> Differences:
    """Say what a restore would change.

    Raises `Conflict` when it would be refused.
    """
    place = Place.of(repo)
    _check_free(place)
    with taken(repo, place, check_size) as found:
        return _check(place, found, target)


def restore(
    repo: Repository,
    target: Commit,
    keep: Keep,
    check_size: CheckSize,
    on_step: OnStep = no_step,
) -> Differences:
    """Restore the work tree and the index; `keep` saves what is there before.

    The caller holds the `turn` of the repository.

    Raises:
        Conflict: a merge or the like is under way, the index is held, or ignored files are in the
            way. Nothing has changed.
    """
    place = Place.of(repo)
    journal = Journal(
        token=ids.token(16),
        work_tree=str(place.work_tree),
        git_dir=str(place.git_dir),
        target=target.oid,
    )
    restore_journal.write(repo, journal)
    on_step("announced")
    with _locked(repo, journal):
        on_step("locked")
        _check_free(place)
        with taken(repo, place, check_size) as found:
            differences = _check(place, found, target)
            on_step("checked")
            journal = replace(journal, present=keep(found))
            restore_journal.write(repo, journal)
            on_step("kept")
            _write(_Tree(repo, replace(journal, begun=True)), found, target, on_step)
    return differences


def repair(repo: Repository, git: Git) -> Repaired | None:
    """Finish a restore that was broken off while it wrote; the caller holds the `turn`.

    What a person has changed since is left as it is.

    Raises:
        Conflict: the person's git holds the index.
        InvalidData: the journal is damaged.
    """
    journal = restore_journal.read(repo)
    if journal is None:
        return None
    # git itself survives the process that started it.
    orphans.sweep_marked(journal.token, [])
    left: tuple[str, ...] = ()
    there = Path(journal.git_dir, "HEAD").exists() and Path(journal.work_tree).is_dir()
    with _locked(repo, journal):
        if journal.begun and there:
            left = _finish(_Tree(repo, journal), git)
    done = journal.target if journal.begun and there else ""
    return Repaired(target=done, present=journal.present, left=left)


@contextmanager
def _locked(repo: Repository, journal: Journal) -> Iterator[None]:
    """Hold the index; at the end the journal is gone, unless files could not be settled."""
    lock = IndexLock(Path(journal.git_dir), journal.token)
    try:
        if Path(journal.git_dir).is_dir() and not lock.ours:
            lock.acquire()
        yield
    except BaseException:
        held = restore_journal.read(repo)
        if held is None or not held.begun:
            lock.release()
            restore_journal.remove(repo, journal)
        raise
    # First it says that nothing is left to do: the person may stage again from here on.
    restore_journal.write(repo, replace(journal, begun=False))
    lock.release()
    restore_journal.remove(repo, journal)


def _check_free(place: Place) -> None:
    if found := under_way(place.git_dir):
        what, how = found
        raise Conflict(f"Nothing was restored: {what} is under way.", hint=how)


def _check(place: Place, found: Taken, target: Commit) -> Differences:
    """Compare, and refuse where something that is in no checkpoint would be written over."""
    every = changed(found.git, "diff-tree", found.tree, target.tree)
    files = {path: ends for path, ends in every.items() if not _is_submodule(*ends)}
    gone = {path for path, (_, new) in files.items() if new is None}
    blocking: set[str] = set()
    for path, (old, new) in files.items():
        if old is None and new is not None:
            blocking |= in_the_way(place.work_tree, path, gone, folder=False)
    if blocking:
        raise Conflict(
            "Nothing was restored: these files are ignored, so in no checkpoint, and in the way: "
            f"{named(blocking, _SHOWN)}",
            hint="move them away, then try again",
        )
    staged = changed(found.git, "diff-tree", found.index_tree, target.index_tree)
    return Differences(
        files=files,
        staged=len(staged),
        head=found.head,
        submodules=tuple(sorted(every.keys() - files.keys())),
    )


def _write(tree: "_Tree", found: Taken, target: Commit, on_step: OnStep) -> None:
    index = tree.private / "index"
    copy_index(found.folder / "index", index)
    env = {"GIT_INDEX_FILE": str(index)}
    tree.git.run("update-index", "-q", "--refresh", env=env, ok=())
    ends = (found.tree, target.tree)
    tried = tree.git.run("read-tree", "-n", "-m", "-u", *ends, env=env, ok=())
    raise_passing(tried)
    if tried.code != 0:
        said = tried.err.decode("utf-8", "replace").strip()
        raise Conflict(
            f"Nothing was restored, because git refused:\n{said}",
            hint="save what an editor has open, then try again",
        )
    tree.begin()
    on_step("begun")
    try:
        tree.git.run("read-tree", "-m", "-u", *ends, env=env)
        tree.write_left_out(target)
        on_step("written")
        tree.publish(index, target.index_tree)
    except BaseException:
        tree.settle(found.tree, target.tree, forward=False)
        tree.end()
        raise
    on_step("published")


def _finish(tree: "_Tree", git: Git) -> tuple[str, ...]:
    """Write what is left to write; where the disk does not let us, put back what was there."""
    commits = (tree.journal.present, tree.journal.target)
    asked = [f"{commit}^{{tree}}" for commit in commits] + [f"{commits[1]}^2^{{tree}}"]
    present, target, index_tree = git.text("rev-parse", *asked).split()
    make_empty(tree.private)  # what was begun there may be locked
    try:
        left = tree.settle(present, target, forward=True)
        index = tree.private / "index"
        env = {"GIT_INDEX_FILE": str(index)}
        tree.git.run("read-tree", target, env=env)
        tree.git.run("update-index", "-q", "--refresh", env=env, ok=())
        tree.publish(index, index_tree)
    except (OSError, GitError):
        tree.settle(present, target, forward=False)
        raise
    return left


class _Tree:
    """The work tree of a restore."""

    def __init__(self, repo: Repository, journal: Journal) -> None:
        self.journal = journal
        self.private = journal.private(repo)
        self.private.mkdir(parents=True, exist_ok=True)
        self._repo = repo
        self._root = Path(journal.work_tree)
        self._index = Path(journal.git_dir) / "index"
        mark = {orphans.VARIABLE: journal.token}
        self.git = Git(Path(journal.git_dir), work_tree=self._root, env=mark, settings=_INDEX)

    def begin(self) -> None:
        """Say that from here on files may be half written."""
        restore_journal.write(self._repo, self.journal)

    def end(self) -> None:
        """Say that none is any more."""
        restore_journal.write(self._repo, replace(self.journal, begun=False))

    def publish(self, index: Path, index_tree: str) -> None:
        """Put an index in place that has what was staged.

        `index` has the files as they are now, from which their times are taken over. The person's
        flags for files that git is not to look at stay.
        """
        env = {"GIT_INDEX_FILE": str(index)}
        self.git.run("read-tree", "--reset", index_tree, env=env)
        if self._index.exists():
            held = self.git.run("ls-files", "-v", "-z").out.split(b"\0")
            now = set(self.git.run("ls-files", "-z", env=env).out.split(b"\0"))
            for tag, flag in _FLAGS.items():
                paths = [row[2:] for row in held if _has_flag(row, tag) and row[2:] in now]
                if paths:
                    fed = b"".join(path + b"\0" for path in paths)
                    self.git.run("update-index", flag, "-z", "--stdin", input=fed, env=env)
        index.replace(self._index)

    def write_left_out(self, target: Commit) -> None:
        """Write what the checkpoint has beyond its index outside of a sparse checkout too: it was
        there when it was saved, though git does not write it.
        """
        if not (Path(self.journal.git_dir) / "info/sparse-checkout").exists():
            return
        ends = changed(self.git, "diff-tree", target.index_tree, target.tree)
        wanted = {path for path, (_, new) in ends.items() if new and not _is_submodule(new)}
        missing = [path for path in wanted if not os.path.lexists(self._root / path)]
        if missing:
            new = self.private / "new"
            write_out(self.git, new, target.tree, missing)
            for path in missing:
                put(new / path, self._root / path)

    def settle(self, present: str, target: str, *, forward: bool) -> tuple[str, ...]:
        """Make each file that differs that of `target`, or, not `forward`, of `present`.

        Returns those that are neither's: a person has changed them meanwhile.
        """
        steps = changed(self.git, "diff-tree", present, target)
        steps = {path: ends for path, ends in steps.items() if not _is_submodule(*ends)}
        old, new = self.private / "old", self.private / "new"
        write_out(self.git, old, present, [p for p, (was, _) in steps.items() if was])
        write_out(self.git, new, target, [p for p, (_, now) in steps.items() if now])
        found = {path: look(self._root, old, new, path) for path in steps}
        ours = {Found.TORN, Found.OLD if forward else Found.NEW}
        wanted = {path: ends[1] if forward else ends[0] for path, ends in steps.items()}
        for path, side in wanted.items():
            if side is None and found[path] in ours:
                remove(self._root, path)
        missing = [
            path
            for path, side in wanted.items()
            if side is not None and (found[path] in ours or make_room(self._root, path))
        ]
        for path in missing:
            put((new if forward else old) / path, self._root / path)
        foreign = (path for path, how in found.items() if how is Found.FOREIGN)
        return tuple(sorted(path for path in foreign if path not in missing))


def _has_flag(row: bytes, tag: str) -> bool:
    """Whether a line of ``ls-files -v`` has a flag; both give a small ``s``."""
    return row[:1].upper() == b"S" if tag == "S" else row[:1].islower()


def _is_submodule(*ends: Side | None) -> bool:
    return any(side is not None and side.mode == SUBMODULE for side in ends)
