"""Checkpoints of what agents do: again and again while they work, and before it is cleaned away.

The agent's own git directory is never used and its index never read. While it works its files are
taken as they are, with a private index that remembers what was saved last, so a look at a work tree
in which nothing has changed is one process. What lies in a workspace that nobody works in any more
is collected as the result of a run is, with the agent's commits.
"""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gitcmat.errors import UserError
from gitcmat.model.job import Identity
from gitcmat.store import refs
from gitcmat.store.checkpoint import FILES, Label, made, save, write_commits
from gitcmat.store.checkpoint_tree import CheckSize, Place, looked
from gitcmat.store.collected import Collected, Mark
from gitcmat.store.git import Git
from gitcmat.store.gitdirs import PRIVATE
from gitcmat.store.workspaces import Workspace

KEPT_OF_A_RUN: Final = 12
"""So many of a run that goes on are kept, the newest."""

LOOK_SECONDS = 20.0
"""How long a look may take: the agent's output is not read meanwhile."""


class RunCheckpoints:
    """The checkpoints of one run that goes on; made by its runner, one after the other."""

    def __init__(self, workspace: Workspace, start: str, folder: Path) -> None:
        """`start` is the commit that the run began at, `folder` one of ours, for an index."""
        self._workspace = workspace
        self._start = start
        self._index = folder / "saved-index"
        self._git = Git(workspace.host.common_dir)
        self._made: list[tuple[str, str]] = []
        """Id and commit of each that was made, the oldest first."""

    def save(self, label: Label, check_size: CheckSize) -> str | None:
        """Save the files as they are; None when nothing has changed since the last time.

        Returns the commit, on top of the start. Nothing in the workspace is changed.

        Raises:
            Conflict, GitError, InvalidData: as for `checkpoint.save`, or `check_size` said no.
            Timeout: something keeps git from reading the files.
        """
        host = self._workspace.host
        try:
            with looked(host, self._place()) as look:
                if not look.moved:
                    return None
                found = look.take(check_size)
                commit = save(host, self._git, found, label, after=self._last())
                shutil.move(found.folder / "index", self._index)
        except UserError:
            # What the index knows may be gone from the store, with a checkpoint that was deleted.
            self._index.unlink(missing_ok=True)
            raise
        self._made.append((label.id, commit))
        self._drop_old()
        return commit

    @property
    def last(self) -> str | None:
        """The commit of the last one that was made."""
        return self._made[-1][1] if self._made else None

    def end(self) -> None:
        """Remove the index that remembers what was saved last."""
        self._index.unlink(missing_ok=True)

    def _place(self) -> Place:
        vault = self._workspace.vault
        first = vault.folder / "index"
        return Place(
            work_tree=vault.tree,
            git_dir=vault.folder,
            objects=vault.objects,
            index=self._index if self._index.exists() else first,
            base=self._start,
            env=PRIVATE,
            settings=vault.settings,
            timeout=LOOK_SECONDS,
            flagged=False,
        )

    def _last(self) -> tuple[str, ...]:
        """The last one, if it is still there."""
        return tuple(c for i, c in self._made[-1:] if self._git.ref(refs.checkpoint_ref(i)) == c)

    def _drop_old(self) -> None:
        while len(self._made) > KEPT_OF_A_RUN:
            checkpoint_id, commit = self._made.pop(0)
            self._git.delete_ref(refs.checkpoint_ref(checkpoint_id), commit)


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What lies in a workspace and is nowhere else."""

    start: str
    run: str
    """Whose it is; empty when no run left it, but somebody afterwards."""
    collected: Collected


def left_behind(workspace: Workspace, identity: Identity) -> LeftBehind | None:
    """Collect what lies in a workspace; None when there is nothing, or all of it is home.

    The caller holds its lock. Nothing of the work is changed by it.

    Raises:
        GitError, OSError: it cannot be read.
    """
    slot = workspace.adopt()
    if slot is None:
        return None
    judged = workspace.vault.head()
    found = workspace.collect(
        base=slot.start,
        start=slot.start,
        message=f"What lay in workspace {workspace.folder.name}",
        identity=identity,
        trailers={"Cmat-Run": slot.work} if slot.work else {},
    )
    if Mark.DELETED in found.details or found.head == slot.start:
        return None
    if not slot.work and judged is not None and _is_home(workspace, judged, found):
        return None
    return LeftBehind(slot.start, slot.work, found)


def keep_left_behind(workspace: Workspace, left: LeftBehind, label: Label) -> str:
    """Make it a checkpoint, with the agent's own commits; return its commit.

    Raises:
        Conflict, GitError, InvalidData: git refused it. There is no checkpoint.
    """
    host, vault = workspace.host, workspace.vault
    trees = (left.collected.tree, vault.trees(left.start)[0])
    head = left.collected.head
    counts = {FILES: f"{len(left.collected.files)} 0 0"}
    label = replace(label, trailers={**label.trailers, **counts})
    commit = write_commits(vault.objects, host.object_format, trees, head, label)
    move = made(label, commit)
    workspace.bring_home(commit, known=[left.start], ref=move.ref, old=None, why=move.why)
    return commit


def _is_home(workspace: Workspace, judged: str, found: Collected) -> bool:
    """Whether the files are those of the commit that was brought home last."""
    host = Git(workspace.host.common_dir)
    return host.rev(judged) is not None and workspace.vault.trees(judged)[0] == found.tree
