"""Moves a branch to a new commit, with the work tree where it is checked out.

Where it is checked out, the way is git's own for a checkout, step by step: take ``index.lock``, so
that no git of the person's can stage, commit or switch; write the files with ``read-tree -m -u``
and an index of ours; move the branch by compare-and-swap; put the index in place.

``git merge --ff-only`` would be one step, and is as careful with the person's files. But it moves
whatever branch HEAD is on when it gets there: beside a ``git checkout`` it moved the wrong one in 6
of 25 tries (a checkout gives ``index.lock`` back before it moves HEAD). This way never did, and
where HEAD has moved the files are put back.
"""

import contextlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gitcmat.errors import Conflict
from gitcmat.model.marks import named
from gitcmat.store import landing_journal
from gitcmat.store.git import Git, Repository, raise_passing
from gitcmat.store.index_lock import IndexLock
from gitcmat.store.landing_journal import Journal
from gitcmat.store.landing_repair import (
    MADE,
    TURN,
    copy_index,
    index_digest,
    is_landed,
    settle,
    turn,
)
from gitcmat.store.landing_steps import changed, steps_between
from gitcmat.store.packs import OnStep, RefMove, move_ref, no_step
from gitcmat.store.sources import under_way
from gitcmat.store.worktrees import WorkTree, holder, work_trees
from gitcmat.system import clock, ids, orphans

STEPS: Final = ("announced", "locked", "checked", "begun", "written", "moved", "published")
"""The steps of a landing on a branch that is checked out, in order."""

_TRIES: Final = 5
_SHOWN: Final = 10
_ENDING: Final = 0.5
_PAUSE: Final = 0.05


class _HeadMoved(Exception):
    """The branch was checked out, or left, while we worked: all is put back, look again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """One landing that has happened; `landing_journal.remove` it once it is recorded."""

    journal: Journal
    work_tree: Path | None = None
    """Where the target was checked out; None for nowhere."""
    behind: Path | None = None
    """A work tree that checked the target out in the same instant, as it was before, and could
    not be brought along.
    """


def land(
    repo: Repository, git: Git, move: RefMove, note: Mapping[str, str], on_step: OnStep = no_step
) -> Landing:
    """Move the branch `move.ref` from `move.old` to its descendant `move.new`.

    `note` is kept in the journal until the caller has recorded the landing.

    Raises `Conflict`, with nothing changed: something is under way there, files or staged changes
    of the person's are in the way, the index is held, or the branch was moved.
    """
    with turn(repo).acquire(TURN):
        if landing_journal.needs_repair(repo):
            raise Conflict(
                "Nothing was landed: an earlier landing was broken off.", hint="try again"
            )
        for _ in range(_TRIES):
            tree = holder(repo, git, move.ref)
            attempt = _Attempt(repo, move, note, on_step)
            try:
                if tree is not None:
                    return Landing(journal=attempt.in_tree(tree), work_tree=tree.path)
                attempt.nowhere()
            except _HeadMoved:
                continue
            return attempt.followed()
    raise Conflict(
        f"Nothing was landed: {_short(move.ref)} is switched to and from all the time.",
        hint="try again when no checkout is running",
    )


class _Attempt:
    """One try. Whatever it starts carries its token, so that a repair can end it."""

    def __init__(
        self, repo: Repository, move: RefMove, note: Mapping[str, str], on_step: OnStep
    ) -> None:
        self._repo = repo
        self._move = move
        self._on_step = on_step
        self._journal = Journal(
            token=ids.token(16), target=move.ref, old=move.old or "", new=move.new, note=dict(note)
        )
        self._mark = {orphans.VARIABLE: self._journal.token}

    def nowhere(self) -> None:
        """Move a branch that is checked out nowhere."""
        git = Git(self._repo.common_dir, env=self._mark)
        landing_journal.write(self._repo, self._journal)
        try:
            move_ref(self._repo, git, self._move)
        finally:
            if not is_landed(git, self._journal):
                landing_journal.remove(self._repo, self._journal)

    def followed(self) -> Landing:
        """Look whether a checkout of the branch as it was before came between, and bring it along.

        Nothing holds back a checkout that has read the old tip and not yet moved HEAD. So where git
        was at work in this second it gets half another one to end.
        """
        git = Git(self._repo.common_dir, env=self._mark)
        deadline = time.monotonic() + _ENDING
        while True:
            trees = list(work_trees(self._repo, git))
            behind = [t for t in trees if t.branch == self._move.ref and self._is_behind(t)]
            late = time.monotonic() > deadline
            if not behind and (late or not any(_is_restless(t) for t in trees)):
                return Landing(journal=self._journal)
            if behind and late:
                return Landing(journal=self._journal, behind=behind[0].path)
            for tree in behind:
                with contextlib.suppress(_HeadMoved, Conflict):
                    self.in_tree(tree, moved=True)
            time.sleep(_PAUSE)

    def in_tree(self, tree: WorkTree, *, moved: bool = False) -> Journal:
        """Move a branch with the work tree that has it checked out, or the work tree alone."""
        self._journal = replace(
            self._journal, work_tree=str(tree.path), git_dir=str(tree.git_dir), steps=None
        )
        landing_journal.write(self._repo, self._journal)
        self._on_step("announced")
        git = Git(tree.git_dir, work_tree=tree.path, env=self._mark)
        lock = IndexLock(tree.git_dir, self._journal.token)
        held = landed = False
        try:
            lock.acquire()
            held = True
            self._on_step("locked")
            self._check_head(git)
            self._write(git, tree)
            self._check_head(git)
            if not moved:
                self._move_branch(git)
        finally:
            if held:
                # Looks at HEAD once more: where it has left, the files are put back.
                landed = settle(self._repo, git, self._journal)
                self._on_step("published")
            if landed:
                self._journal = replace(self._journal, steps=None)
                landing_journal.write(self._repo, self._journal)
            lock.release()
            if not landed and not moved:
                landing_journal.remove(self._repo, self._journal)
        return self._journal

    def _move_branch(self, git: Git) -> None:
        try:
            move_ref(self._repo, git, self._move)
        except Conflict:
            self._check_head(git)
            raise
        self._on_step("moved")

    def _write(self, git: Git, tree: WorkTree) -> None:
        """Write the files and the new index, each only where nothing of the person's is."""
        index = tree.git_dir / "index"
        if not index.exists():
            raise Conflict(f"Nothing was landed: {tree.path} has no index.", hint="git reset")
        private = self._journal.private(self._repo) / "index"
        made = private.with_name(MADE)
        made.unlink(missing_ok=True)
        copy_index(index, private)
        env = {"GIT_INDEX_FILE": str(private)}
        git.run("update-index", "-q", "--refresh", env=env, ok=())
        ends = (self._journal.old, self._journal.new)
        steps, found = steps_between(git, tree.path, *ends, env)
        if not found:
            tried = git.run("read-tree", "-n", "-m", "-u", *ends, env=env, ok=())
            raise_passing(tried)
            found = [] if tried.code == 0 else _named(tried.err)
        if found:
            self._check_head(git)
            raise _refusal(tree.path, found)
        self._on_step("checked")
        digest = index_digest(index, self._repo.object_format)
        self._journal = replace(self._journal, steps=tuple(steps), index=digest)
        landing_journal.write(self._repo, self._journal)
        self._on_step("begun")
        done = git.run("read-tree", "-m", "-u", *ends, env=env, ok=())
        if done.code != 0:
            raise _refusal(tree.path, _named(done.err))
        private.rename(made)
        self._on_step("written")

    def _check_head(self, git: Git) -> None:
        if git.head() != self._move.ref or under_way(git.git_dir):
            raise _HeadMoved

    def _is_behind(self, tree: WorkTree) -> bool:
        """Whether what is checked out there is what the branch was before."""
        git = tree.git()
        paths = changed(git, "diff-tree", self._journal.old, self._journal.new)
        staged = changed(git, "diff-index", "--cached", self._journal.new)
        return bool(paths.keys() & staged.keys())


def _is_restless(tree: WorkTree) -> bool:
    """Whether some git changes the index of a work tree, or did so a moment ago."""
    if (tree.git_dir / "index.lock").exists():
        return True
    try:
        age = clock.now().timestamp() - (tree.git_dir / "index").stat().st_mtime
    except FileNotFoundError:
        return False
    return 0 <= age < 1


def _named(err: bytes) -> list[str]:
    """The files that git names when it refuses, else what it says."""
    said = err.decode("utf-8", "surrogateescape").strip()
    return sorted(set(re.findall(r"'([^']+)'", said))) or [said]


def _refusal(root: Path, found: list[str]) -> Conflict:
    return Conflict(
        f"Nothing was landed: these files of yours in {root} are in the way: "
        f"{named(found, _SHOWN)}",
        hint="commit, stash or move them, then try again",
    )


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/")
