"""Brings a work tree and its index in line with where the target of a landing is.

After a landing that went well this puts the new index in place. After one that was refused or
killed on the way it puts back what the landing wrote. It touches only the landing's own paths, and
of these only what is still as the landing left it: a file that is neither the old nor the new one,
nor a beginning of the new one, is the person's.
"""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

from gitcmat.store import landing_journal
from gitcmat.store.git import Git, Repository
from gitcmat.store.half_written import Found, lines, look, make_room, put, remove, write_out
from gitcmat.store.index_lock import IndexLock
from gitcmat.store.landing_journal import Journal, Side, Step
from gitcmat.store.landing_steps import SUBMODULE, changed
from gitcmat.store.sources import blob_of
from gitcmat.system import orphans
from gitcmat.system.files import FileLock

TURN: Final = 120.0
"""Seconds that other gitcmat commands before us may work in the person's tree."""


MADE: Final = "made"
"""The new index, in the private folder of a landing; it is there when every file is written."""


def turn(repo: Repository) -> FileLock:
    """The lock that all our typed commands share which write in the person's tree."""
    return FileLock(repo.cmat / "commit.lock")


def repair(repo: Repository, git: Git) -> Journal | None:
    """Finish or undo a landing that was broken off; one under way is waited for.

    Returns the journal of one whose target has moved, for the caller to record and then to
    `landing_journal.remove`; None where nothing is left to do.

    Raises:
        Conflict: the person's git holds the index.
        InvalidData: the journal is damaged.
    """
    with turn(repo).acquire(TURN):
        journal = landing_journal.read(repo)
        if journal is None:
            return None
        # git itself survives the process that started it.
        orphans.sweep_marked(journal.token, [])
        if _is_open(journal):
            lock = IndexLock(Path(journal.git_dir), journal.token)
            if not lock.ours and journal.steps is not None:
                lock.acquire()
            if settle(repo, git, journal):
                journal = replace(journal, steps=None)
                landing_journal.write(repo, journal)
            lock.release()
        if is_landed(git, journal):
            return journal
        landing_journal.remove(repo, journal)
        return None


def is_landed(git: Git, journal: Journal) -> bool:
    """Whether the target has the commit."""
    return git.ok("merge-base", "--is-ancestor", journal.new, journal.target)


def settle(repo: Repository, git: Git, journal: Journal) -> bool:
    """Make work tree and index fit the target, under the index lock; whether it has landed."""
    landed = is_landed(git, journal)
    if journal.steps is not None and _is_open(journal):
        tree = _Tree(repo, journal)
        if landed and tree.is_made and tree.git.head() == journal.target:
            tree.publish()
        else:
            tree.put_back()
    return landed


def index_digest(index: Path, object_format: str) -> str:
    """What an index is told by from another one."""
    return blob_of(index.read_bytes(), object_format)


def copy_index(index: Path, copy: Path) -> None:
    """Copy an index with its time, by which git knows files that were saved in the same instant
    and must be read to be compared.
    """
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(index, copy)


def _is_open(journal: Journal) -> bool:
    """Whether there is a work tree to look after (it may have been removed since)."""
    return bool(journal.work_tree) and Path(journal.git_dir, "index").exists()


class _Tree:
    """The work tree of a landing."""

    def __init__(self, repo: Repository, journal: Journal) -> None:
        self._journal = journal
        self._steps = journal.steps or ()
        self._format = repo.object_format
        self._private = journal.private(repo)
        self._root = Path(journal.work_tree or "")
        self._index = Path(journal.git_dir) / "index"
        mark = {orphans.VARIABLE: journal.token}
        self.git = Git(Path(journal.git_dir), work_tree=self._root, env=mark)

    @property
    def is_made(self) -> bool:
        """Whether all files were written, and the new index with them."""
        return (self._private / MADE).exists()

    def publish(self) -> None:
        """Make the index that of the new commit, with what the person has staged elsewhere."""
        if index_digest(self._index, self._format) == self._journal.index:
            (self._private / MADE).replace(self._index)
        else:
            self._change_index()

    def put_back(self) -> None:
        """Make the files what they were."""
        held = self._held()
        steps = [
            s
            for s in self._steps
            if held.get(s.path) == s.old and not s.absent and not _submodule(s)
        ]
        old, new = self._private / "old", self._private / "new"
        write_out(self.git, old, self._journal.old, [s.path for s in steps if s.old is not None])
        write_out(self.git, new, self._journal.new, [s.path for s in steps if s.new is not None])
        found = {s.path: look(self._root, old, new, s.path) for s in steps}
        ours = (Found.NEW, Found.TORN)
        for step in steps:
            if step.old is None and found[step.path] in ours:
                remove(self._root, step.path)
        missing = [
            s.path
            for s in steps
            if s.old is not None and (found[s.path] in ours or make_room(self._root, s.path))
        ]
        for path in missing:
            # Each in one step: a file that a killed repair had half put back would pass for theirs.
            put(old / path, self._root / path)

    def _held(self) -> dict[str, Side]:
        """The person's index at our paths."""
        wanted = {step.path for step in self._steps}
        listed = self.git.run("ls-files", "--stage", "-z").out
        found: dict[str, Side] = {}
        for line in listed.split(b"\0")[:-1]:
            meta, name = line.split(b"\t", 1)
            mode, oid, stage = meta.decode().split(" ")
            path = os.fsdecode(name)
            if path in wanted:
                found[path] = Side(mode if stage == "0" else "unmerged", oid)
        return found

    def _change_index(self) -> None:
        """Change the person's index, which is another by now, at our paths alone."""
        later = changed(self.git, "diff-tree", self._journal.new, self._journal.target)
        held = self._held()
        gone = Side("0", self.git.null)
        ours = [s for s in self._steps if held.get(s.path) == s.old and s.path not in later]
        if not ours:
            return
        made = self._private / "again"
        copy_index(self._index, made)
        env = {"GIT_INDEX_FILE": str(made)}
        # What goes is told first: it may be a file where a folder is to be.
        rows = [
            f"{side.mode} {side.oid}\t{s.path}"
            for s in sorted(ours, key=lambda s: s.new is not None)
            for side in (s.new or gone,)
        ]
        self.git.run("update-index", "-z", "--index-info", input=lines(rows), env=env)
        self.git.run("update-index", "-q", "--refresh", env=env, ok=())
        made.replace(self._index)


def _submodule(step: Step) -> bool:
    return any(side is not None and side.mode == SUBMODULE for side in (step.old, step.new))
