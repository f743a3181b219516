"""Saves the work of agents as checkpoints: at intervals, and before a workspace is cleaned.

It runs in the runner, which knows no records: what a checkpoint is stands in its commit, and the
record is made later (`checkpoints.mend`). Most runs save nothing, so what saves is imported late.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from gitcmat.engine.workbench import Workbench
from gitcmat.errors import Conflict, UserError
from gitcmat.model.job import Identity, Job
from gitcmat.store.workspaces import UNKNOWN, Workspace
from gitcmat.system import clock, ids
from gitcmat.system.proc import Timeout

if TYPE_CHECKING:
    from gitcmat.model.checkpoint import NewFiles, Why
    from gitcmat.store.checkpoint import Label
    from gitcmat.store.run_checkpoints import RunCheckpoints

_MEGABYTE: Final = 1_000_000


class Saving:
    """Saves what an agent does, each time that so many seconds are over and something changed."""

    def __init__(self, bench: Workbench, workspace: Workspace) -> None:
        self._bench = bench
        self._workspace = workspace
        self._every = bench.job.checkpoint_every
        self._begun = self._looked = clock.monotonic()
        self._checkpoints: RunCheckpoints | None = None
        self._problem = ""

    def look(self) -> None:
        """Save, if it is time; asked several times a second.

        A failure is told in the log, once. After one that took too long nothing more is tried: the
        agent's output waits meanwhile.
        """
        now = clock.monotonic()
        if not self._every or now - self._looked < self._every:
            return
        try:
            self._save_at_interval(timedelta(seconds=int(now - self._begun)))
        except (UserError, OSError) as error:
            said = _words(error)
            if said != self._problem:
                self._bench.log.note(f"no checkpoint: {said}")
            self._problem = said
            if isinstance(error, Timeout):
                self._every = 0
        self._looked = clock.monotonic()

    def save_now(self, name: str) -> str:
        """Save, because the agent asks for it, under a name of its own; return the checkpoint's id,
        empty when nothing has changed since the last one.

        Raises:
            UserError, OSError: it cannot be saved.
        """
        from gitcmat.model.checkpoint import Why

        return self._save(f"{name} ({self._whose})", Why.AGENT)

    def snapshot(self) -> str:
        """Return a commit with the files as they are, on top of the run's start; that itself when
        nothing has changed.

        Raises:
            UserError, OSError: it cannot be made.
        """
        from gitcmat.model.checkpoint import Why

        self._save(f"before delegating ({self._whose})", Why.AGENT)
        made = self._checkpoints.last if self._checkpoints is not None else None
        return made or self._bench.job.start

    @property
    def _whose(self) -> str:
        job = self._bench.job
        return f"{job.task}, {job.run}" if job.task else job.run

    def end(self) -> None:
        """Forget what was only needed to save again."""
        if self._checkpoints is not None:
            self._checkpoints.end()

    def _save_at_interval(self, after: timedelta) -> None:
        from gitcmat.model.checkpoint import Why

        job = self._bench.job
        self._save(f"{job.task} after {after} of {job.run}", Why.INTERVAL)
        self._problem = ""

    def _save(self, name: str, why: "Why") -> str:
        from gitcmat.store.run_checkpoints import RunCheckpoints

        job = self._bench.job
        if self._checkpoints is None:
            folder = self._bench.folder.path
            self._checkpoints = RunCheckpoints(self._workspace, job.start, folder)
        label = _label(name, why, job.identity, job.run, job.task)
        if self._checkpoints.save(label, _few) is None:
            return ""
        self._bench.log.event("saved", label.id)
        return label.id


def before_cleaning(job: Job, workspace: Workspace) -> tuple[str, ...]:
    """Save what an earlier run left in the workspace and did not bring home; say where it is.

    Where it cannot be saved, everything is moved out of the way.
    """
    if not workspace.may_hold_work:
        return ()
    try:
        saved = save_left_behind(workspace, job.identity)
    except (UserError, OSError) as error:
        aside = workspace.put_aside(f"{workspace.folder.name}-kept-{job.run}")
        return (f"earlier work lies in {aside}, because it could not be saved: {_words(error)}",)
    return (f"earlier work that was still in the workspace is now {saved}",) if saved else ()


def save_left_behind(workspace: Workspace, identity: Identity) -> str:
    """Save what lies in a workspace and is nowhere else; return the id of the checkpoint.

    Empty when there is nothing to save. The caller holds the lock of the workspace.

    Raises:
        UserError, OSError: it cannot be saved.
    """
    from gitcmat.model.checkpoint import Why
    from gitcmat.store.run_checkpoints import keep_left_behind, left_behind

    left = left_behind(workspace, identity)
    if left is None:
        return ""
    run = "" if left.run == UNKNOWN else left.run
    name = f"left in workspace {workspace.folder.name}{f' by {run}' if run else ''}"
    label = _label(name, Why.CLEAN_UP, identity, run)
    keep_left_behind(workspace, left, label)
    workspace.note_home()
    return label.id


def _label(name: str, why: "Why", identity: Identity, run: str, task: str = "") -> "Label":
    from gitcmat.store.checkpoint import Label

    return Label(
        id=ids.checkpoint_id(),
        name=name,
        by=identity,
        at=clock.now().astimezone(),
        trailers={"Cmat-Why": why.value, "Cmat-Task": task, "Cmat-Run": run},
    )


def _few(new: "NewFiles") -> None:
    """Refuse what is more likely a folder that should be ignored than work."""
    from gitcmat.model.checkpoint import is_large

    if is_large(new.count, new.size):
        raise Conflict(
            f"too much is new ({new.count:,} files, {new.size / _MEGABYTE:,.1f} MB), "
            f"such as {new}.",
            hint="name what is no work in .gitignore",
        )


def _words(error: Exception) -> str:
    return error.message if isinstance(error, UserError) else str(error)
