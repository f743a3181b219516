"""The work trees of a repository, and which of them a branch belongs to just now."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitcmat.errors import Conflict
from gitcmat.store.git import Git, Repository
from gitcmat.store.sources import under_way

_HEADS: Final = "refs/heads/"
_STARTED_FROM: Final = ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START")
"""Where git notes the branch that HEAD was taken off for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTree:
    """One work tree, main or linked."""

    path: Path
    git_dir: Path
    """Its own git directory: HEAD, index and what is under way are its own."""
    branch: str | None
    """Full name of the branch that it has checked out; None when detached."""

    def git(self) -> Git:
        """Git in this work tree."""
        return Git(self.git_dir, work_tree=self.path)

    @property
    def taken_off(self) -> str | None:
        """Full name of the branch that a rebase or bisect here started from, and will move or
        check out again.
        """
        for name in _STARTED_FROM:
            try:
                text = (self.git_dir / name).read_text("utf-8", "surrogateescape").strip()
            except OSError:
                continue
            return text if text.startswith("refs/") else _HEADS + text
        return None


def work_trees(repo: Repository, git: Git) -> Iterator[WorkTree]:
    """Find all work trees, the main one first; those whose folder is gone are there too."""
    listed = git.run("worktree", "list", "--porcelain", "-z").out
    for number, block in enumerate(listed.split(b"\0\0")):
        lines = dict(line.partition(b" ")[::2] for line in block.strip(b"\0").split(b"\0"))
        if b"worktree" not in lines or b"bare" in lines:
            continue
        path = Path(os.fsdecode(lines[b"worktree"]))
        if number == 0:
            path = repo.main_work_tree or path
        branch = os.fsdecode(lines[b"branch"]) if b"branch" in lines else None
        yield WorkTree(
            path=path,
            git_dir=repo.common_dir if number == 0 else _git_dir(repo, path),
            branch=branch,
        )


def holder(repo: Repository, git: Git, branch: str) -> WorkTree | None:
    """Return the work tree that has `branch` checked out, None when none has.

    Raises `Conflict` when something is under way there or with that branch, when its folder is
    gone, or when several have it.
    """
    found: list[WorkTree] = []
    for tree in work_trees(repo, git):
        busy = under_way(tree.git_dir)
        concerned = branch in (tree.branch, tree.taken_off)
        if concerned and busy:
            what, how = busy
            raise Conflict(f"Nothing was landed: {what} is under way in {tree.path}.", hint=how)
        if tree.branch == branch:
            found.append(tree)
    for tree in found:
        if not tree.path.is_dir():
            raise Conflict(
                f"Nothing was landed: {_short(branch)} is checked out in {tree.path}, which is "
                "gone.",
                hint="git worktree prune",
            )
    if len(found) > 1:
        places = " and ".join(str(tree.path) for tree in found)
        raise Conflict(
            f"Nothing was landed: {_short(branch)} is checked out in {places}.",
            hint="git switch to another branch in all but one of them",
        )
    return found[0] if found else None


def _git_dir(repo: Repository, path: Path) -> Path:
    """The git directory of a linked work tree, from the list that the repository keeps of them:
    what stands in the work tree itself may be gone.
    """
    for folder in sorted((repo.common_dir / "worktrees").glob("*")):
        try:
            text = (folder / "gitdir").read_bytes().rstrip(b"\n")
        except OSError:
            continue
        if Path(os.fsdecode(text)).parent == path:
            return folder
    return repo.common_dir


def _short(branch: str) -> str:
    return branch.removeprefix(_HEADS)
