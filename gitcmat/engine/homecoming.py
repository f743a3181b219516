"""From the agent's work tree to the person's repository: collected, brought home, described."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from gitcmat.model.job import Job, Result, RunOutcome
from gitcmat.model.marks import named, path_marks
from gitcmat.store.collected import Collected, Mark
from gitcmat.store.git import Git, Repository
from gitcmat.store.workspaces import Workspace

_MOST_FILES: Final = 500


@dataclass(frozen=True, slots=True)
class Home:
    """What came home."""

    collected: Collected
    head: str
    """The commit on the run's ref."""
    tree: str

    def describe(self, job: Job, result: Result) -> Result:
        """`result`, with what came home in it."""
        paths = [change.path for change in self.collected.files]
        protected = [pattern for gate in job.gates for pattern in gate.protect]
        marks = path_marks(paths, allowed=job.paths, protected=protected)
        return replace(
            result,
            head=self.head,
            tree=self.tree,
            commits=self.collected.commits,
            files=self.collected.files[:_MOST_FILES],
            more_files=max(0, len(paths) - _MOST_FILES),
            marks=(*_worded(self.collected), *marks),
            ignored=self.collected.ignored,
        )


def repository(job: Job) -> Repository:
    """The person's repository, as a job names it."""
    return Repository(
        git_dir=Path(job.git_dir),
        common_dir=Path(job.git_dir),
        work_tree=Path(job.work_tree) if job.work_tree else None,
        object_format=job.object_format,
    )


def bring_home(job: Job, workspace: Workspace) -> Home:
    """Commit what is left over, and move the run's ref to the result; once, then it stays there.

    May be repeated after a death in the middle.

    Raises:
        UserError: git refuses it, or the run's ref was moved by somebody else.
        OSError: the disk refuses it.
    """
    trailers = {"Cmat-Task": job.task} if job.task else {}
    trailers["Cmat-Run"] = job.run
    if job.agent is not None:
        trailers["Assisted-by"] = job.agent.name
    collected = workspace.collect(
        base=job.base,
        start=job.start,
        message=job.title,
        identity=job.identity,
        trailers=trailers,
    )
    git = Git(Path(job.git_dir))
    there = git.ref(job.run_ref)
    if there not in (None, job.start):
        # It is home already, from before the death; the commit of leftovers has another date now.
        workspace.note_home()
        return Home(collected, there, git.text("rev-parse", f"{there}^{{tree}}"))
    if collected.head != there:
        workspace.bring_home(
            collected.head,
            known=tuple(dict.fromkeys((job.start, job.base))),
            ref=job.run_ref,
            old=there,
            why=f"gitcmat: result of {job.run}",
        )
    workspace.note_home()
    return Home(collected, collected.head, collected.tree)


def keep_aside(job: Job) -> Path | None:
    """Move a workspace away whose work could not be brought home, so that nothing overwrites it.

    Returns where it is now; None when it cannot be moved, or is not there.
    """
    folder = Path(job.workspace)
    aside = kept_aside(job)
    try:
        folder.rename(aside)
    except OSError:
        return None
    return aside


def kept_aside(job: Job) -> Path:
    """Where `keep_aside` puts the workspace of a run."""
    folder = Path(job.workspace)
    return folder.with_name(f"{folder.name}-kept-{job.run}")


def blank(job: Job, started: datetime) -> Result:
    """The result of a run of which nothing is known yet."""
    return Result(
        run=job.run,
        outcome=RunOutcome.INTERRUPTED,
        head=job.start,
        started=started,
        ended=started,
    )


def _worded(collected: Collected) -> list[str]:
    return [
        str(mark) if mark is Mark.NO_CHANGE else f"{mark}: {named(collected.details[mark])}"
        for mark in collected.marks
    ]
