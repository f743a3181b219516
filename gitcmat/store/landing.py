"""Moves a branch to a new commit, with the work tree where it is checked out.

Where it is checked out, the way is git's own for a checkout, step by step: take ``index.lock``, so
that no git of the person's can stage, commit or switch; write the files with ``read-tree -m -u``
and an index of ours; move the branch by compare-and-swap; put the index in place.

``git merge --ff-only`` would be one step, and is as careful with the person's files. But it moves
whatever branch HEAD is on when it gets there: beside a ``git checkout`` it moved the wrong one in 6
of 25 tries (a checkout gives ``index.lock`` back before it moves HEAD). This way never did, and
where HEAD has moved the files are put back.
"""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gitcmat.errors import Conflict
from gitcmat.store import landing_journal
from gitcmat.store.git import Git, Repository
from gitcmat.store.index_lock import IndexLock
from gitcmat.store.landing_journal import Journal
from gitcmat.store.landing_repair import TURN, index_digest, is_landed, settle, turn
from gitcmat.store.landing_steps import changed, steps_between
from gitcmat.store.packs import OnStep, RefMove, move_ref, no_step
from gitcmat.store.sources import under_way
from gitcmat.store.worktrees import WorkTree, holder, work_trees
from gitcmat.system import ids, orphans

STEPS: Final = ("announced", "locked", "checked", "begun", "written", "moved", "published")
"""The steps of a landing on a branch that is checked out, in order."""

_TRIES: Final = 5
_SHOWN: Final = 10


class _HeadMoved(Exception):
    """The branch was checked out, or left, while we worked: all is put back, look again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """One landing that has happened; `landing_journal.remove` it once it is recorded."""

    work_tree: Path | None
    """Where the target was checked out; None for nowhere."""
    journal: Journal


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
                journal = attempt.in_tree(tree) if tree else attempt.nowhere()
            except _HeadMoved:
                continue
            return Landing(work_tree=tree.path if tree else None, journal=journal)
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

    def nowhere(self) -> Journal:
        """Move a branch that is checked out nowhere."""
        git = Git(self._repo.common_dir, env=self._mark)
        landing_journal.write(self._repo, self._journal)
        try:
            move_ref(self._repo, git, self._move)
            for tree in work_trees(self._repo, git):
                if tree.branch == self._move.ref and self._is_behind(tree):
                    # Checked out before the branch had moved: back, then both together.
                    back = RefMove(self._move.ref, self._move.old or "", self._move.new, "back")
                    move_ref(self._repo, git, back)
                    raise _HeadMoved
        finally:
            if not is_landed(git, self._journal):
                landing_journal.remove(self._repo, self._journal)
        return self._journal

    def in_tree(self, tree: WorkTree) -> Journal:
        """Move a branch with the work tree that has it checked out."""
        at = {"work_tree": str(tree.path), "git_dir": str(tree.git_dir)}
        self._journal = replace(self._journal, **at)  # type: ignore[arg-type]
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
            move_ref(self._repo, git, self._move)
            self._on_step("moved")
        finally:
            if held:
                # Looks at HEAD once more: where it has left, the files are put back.
                landed = settle(self._repo, git, self._journal)
                self._on_step("published")
            if landed:
                self._journal = replace(self._journal, steps=None)
                landing_journal.write(self._repo, self._journal)
            lock.release()
            if not landed:
                landing_journal.remove(self._repo, self._journal)
        return self._journal

    def _write(self, git: Git, tree: WorkTree) -> None:
        """Write the files and the new index, each only where nothing of the person's is."""
        index = tree.git_dir / "index"
        if not index.exists():
            raise Conflict(f"Nothing was landed: {tree.path} has no index.", hint="git reset")
        private = self._journal.private(self._repo) / "index"
        private.parent.mkdir(parents=True)
        shutil.copyfile(index, private)
        env = {"GIT_INDEX_FILE": str(private)}
        git.run("update-index", "-q", "--refresh", env=env, ok=())
        ends = (self._journal.old, self._journal.new)
        steps, found = steps_between(git, tree.path, *ends, env)
        if not found:
            tried = git.run("read-tree", "-n", "-m", "-u", *ends, env=env, ok=())
            found = [] if tried.code == 0 else _named(tried.err)
        if found:
            raise _refusal(tree.path, found)
        self._on_step("checked")
        digest = index_digest(index, self._repo.object_format)
        self._journal = replace(self._journal, steps=tuple(steps), index=digest)
        landing_journal.write(self._repo, self._journal)
        self._on_step("begun")
        done = git.run("read-tree", "-m", "-u", *ends, env=env, ok=())
        if done.code != 0:
            raise _refusal(tree.path, _named(done.err))
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


def _named(err: bytes) -> list[str]:
    """The files that git names when it refuses, else what it says."""
    said = err.decode("utf-8", "surrogateescape").strip()
    return sorted(set(re.findall(r"'([^']+)'", said))) or [said]


def _refusal(root: Path, found: list[str]) -> Conflict:
    rest = len(found) - _SHOWN
    names = ", ".join(found[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
    return Conflict(
        f"Nothing was landed: these files of yours in {root} are in the way: {names}",
        hint="commit, stash or move them, then try again",
    )


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/")
