"""`run exec`: one attempt, in a process of its own that outlives the daemon.

It knows its run's folder and nothing else: no settings, no records. It moves one ref, the run's,
makes checkpoints, and writes ``result.json`` last. Nothing is imported on this way that a run does
not need.
"""

import contextlib
import os
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from gitcmat.engine import attempt
from gitcmat.engine.homecoming import blank, bring_home, keep_aside, kept_aside, repository
from gitcmat.engine.runfolder import LOCK_FD, RunFolder
from gitcmat.engine.supervision import StopRequest
from gitcmat.errors import Conflict, NotFound, UserError
from gitcmat.model.job import Job, Result, RunOutcome
from gitcmat.ports import Agent
from gitcmat.store import slots
from gitcmat.store.git import Repository
from gitcmat.store.workspaces import Workspace
from gitcmat.system import clock, files, orphans, supervise
from gitcmat.system.locks import FileLock, is_locked
from gitcmat.system.refusals import passes, told

_PATIENCE: Final = 60.0
"""Seconds to wait for a lock that only another salvage, or the end of a runner, holds."""

_BUG: Final = 70


def execute(folder: Path, make_agent: Callable[[str], Agent]) -> int:
    """Do the job in a run's folder; return the exit code of this process: 0 when there is a result.

    `make_agent` gives the driver for a kind of agent. This process must be the runner's own: it
    adopts orphans, takes signals as requests to stop and ends every process below it.

    Raises:
        Conflict: another runner has this folder.
        FileNotFoundError, InvalidData: there is no job in it.
    """
    run = RunFolder(folder)
    if not run.job.exists():
        raise NotFound(f"There is no job in {folder}.", hint="gitcmat run list")
    with _own(run):
        if run.read_result() is not None:
            return 0
        supervise.become_subreaper()
        job = run.read_job()
        with StopRequest(run).listening() as stop:
            code, result = _attempt(job, run, make_agent, stop)
            if not run.path.is_dir():
                raise NotFound(
                    f"{run.path} is gone, so nothing can be reported; was the repository moved?",
                    hint="gitcmat watch, where it is now, brings the work home",
                )
            run.write_result(result)
        return code


def salvage(
    folder: Path, *, moved_to: Repository | None = None, patience: float = _PATIENCE
) -> None:
    """Finish the run of a dead runner: its processes end, its work comes home, it has a result.

    `moved_to` is where its repository is now, if it was elsewhere when the run was claimed.

    Does nothing when there is a result, or no job. May be repeated, also by two at once: one waits
    up to `patience` seconds for the other.

    Raises:
        Conflict: the runner lives.
        InvalidData: the job or the result is damaged.
    """
    run = RunFolder(folder)
    if not run.job.exists():
        return
    with FileLock(run.lock).acquire(timeout=patience):
        if run.read_result() is not None:
            return
        job = run.read_job()
        if moved_to is not None:
            job = _follow(job, moved_to)
        orphans.sweep_marked(job.run, [Path(job.workspace)], record=run.processes)
        run.drop_half_written()
        result = run.read_home() or _salvaged(job, run)
        said = "interrupted: its runner ended before its time"
        run.write_result(
            replace(
                result,
                outcome=RunOutcome.INTERRUPTED,
                message=f"{said}; {result.message}" if result.message else said,
                ended=clock.now(),
            )
        )


def request_stop(folder: Path) -> None:
    """Ask the runner of a run to stop: the agent is ended, its work so far comes home."""
    RunFolder(folder).request_stop()


def _own(run: RunFolder) -> FileLock:
    """The lock of the run's folder: inherited from whoever claimed the run, or taken now."""
    handed = os.environ.pop(LOCK_FD, "")
    if handed.isdigit() and _is_lock(int(handed), run.lock):
        return FileLock.adopt(run.lock, int(handed))
    return FileLock(run.lock).acquire(blocking=False)


def _is_lock(fd: int, path: Path) -> bool:
    try:
        same = os.path.samestat(os.fstat(fd), path.lstat())
    except OSError:
        return False
    return same and is_locked(path)


def _attempt(
    job: Job, run: RunFolder, make_agent: Callable[[str], Agent], stop: StopRequest
) -> tuple[int, Result]:
    """The exit code and the result, whatever happens; work that is not home is kept aside."""
    result = blank(job, clock.now())
    code = 0
    try:
        workspace = Workspace(repository(job), Path(job.workspace))
        with workspace.lock.acquire(timeout=_PATIENCE):
            try:
                return 0, attempt.do(job, run, workspace, make_agent, stop)
            finally:
                supervise.end_all(0)
    except UserError as error:
        result = replace(result, outcome=_outcome(run, error), message=_sentence(error))
    except OSError as error:
        said = f"{error.strerror or error}: {error.filename or 'a file of the run'}"
        result = replace(result, outcome=RunOutcome.FAILED, message=said)
    except Exception as error:  # noqa: BLE001 - a bug must not cost the work: it is kept, and told
        code = _BUG
        with contextlib.suppress(OSError):
            files.write_atomic(run.crash, traceback.format_exc().encode(), mode=0o600)
        said = f"a bug in gitcmat: {type(error).__name__}: {error} ({run.crash})"
        result = replace(result, outcome=RunOutcome.FAILED, message=said)
    result = _rescued(job, run, result)
    _note(run, result.message)
    return code, replace(result, ended=clock.now())


def _outcome(run: RunFolder, error: UserError) -> RunOutcome:
    if run.prepared.exists():
        return RunOutcome.FAILED
    # A workspace in use is nobody's failure: the task is queued again.
    return RunOutcome.INTERRUPTED if isinstance(error, Conflict) else RunOutcome.CANNOT_START


def _rescued(job: Job, run: RunFolder, failed: Result) -> Result:
    """`failed`, with what came home before it, or with the place where the work is kept."""
    home = run.read_home()
    if home is not None:
        return replace(home, outcome=failed.outcome, message=failed.message)
    if not run.prepared.exists():
        return failed
    return _kept(job, failed)


def _follow(job: Job, host: Repository) -> Job:
    """`job` for the repository as it is now; its workspace borrows from there."""
    before = Path(job.git_dir)
    tree = host.main_work_tree
    slots.follow(Path(job.workspace), host, before)
    return replace(job, git_dir=str(host.common_dir), work_tree=str(tree) if tree else None)


def _salvaged(job: Job, run: RunFolder) -> Result:
    """What can still be brought home; its message says what could not."""
    result = blank(job, attempt.started_at(run))
    if not run.prepared.exists():
        return result
    workspace = Workspace(repository(job), Path(job.workspace))
    try:
        with workspace.lock.acquire(timeout=_PATIENCE):
            home = bring_home(job, workspace)
    except (UserError, OSError) as error:
        if passes(error):
            raise  # it can be brought home later, and lies well where it is
        said = told(error)
        return _kept(job, replace(result, message=said))
    return attempt.with_mail(job, workspace, home.describe(job, result))


def _kept(job: Job, result: Result) -> Result:
    """`result`, after the workspace was moved out of the way, with the place in its marks."""
    place = kept_aside(job)
    if not place.exists() and keep_aside(job) is None:
        return result
    return replace(result, marks=(*result.marks, f"work not brought home: it lies in {place}"))


def _note(run: RunFolder, text: str) -> None:
    """One line at the end of the log, if the disk takes it."""
    try:
        with run.log.open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"[gitcmat] {text}\n")
    except OSError:
        return


def _sentence(error: UserError) -> str:
    return f"{error.message} {error.hint}".strip()
