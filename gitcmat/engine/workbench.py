"""Where a run's programs work: setup, agent and gates share environment, log and supervision."""

import os
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitcmat.engine import inbox
from gitcmat.engine.runfolder import RunFolder
from gitcmat.engine.runlog import RunLog
from gitcmat.engine.supervision import Ended, Limits, StopRequest, Supervisor
from gitcmat.model.job import Job
from gitcmat.store.borrowing import linked_trees
from gitcmat.system import environment, orphans

_MOST_LOGGED = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """What the phases of one run share."""

    job: Job
    folder: RunFolder
    tree: Path
    """The work tree."""
    inbox: Path
    """Where the agent asks, one JSON object a line (`gitcmat.engine.inbox`)."""
    log: RunLog
    stop: StopRequest

    @property
    def supervisor(self) -> Supervisor:
        """Starts programs and leaves nothing of them."""
        return Supervisor(self.folder, self.stop)

    def environment(
        self, chosen: Mapping[str, str], *, pass_env: Collection[str] = ()
    ) -> dict[str, str]:
        """The environment of a program: the workspace's ``.venv`` first, nothing of the person's.

        `chosen` are variables to set; ours cannot be set otherwise. `.venv` is looked for at each
        call, because setup makes it.

        Raises:
            NotTrusted: a forbidden variable is named that the person has not allowed.
        """
        job = self.job
        own = {
            orphans.VARIABLE: job.run,
            "CMAT_TASK": job.task,
            "CMAT_ATTEMPT": str(job.attempt),
            "CMAT_WORKSPACE": str(self.tree),
            inbox.VARIABLE: str(self.inbox),
        }
        return environment.agent_environment(
            os.environ,
            set={**chosen, **own},
            pass_env=pass_env,
            drop_paths=self.theirs,
            venv=self.tree / ".venv",
            allow_forbidden=self.job.allow_env,
        )

    def outside(self, argv: Sequence[str]) -> tuple[str, ...]:
        """`argv` with the absolute path of its program, which is none that an agent could have
        written: not in the repository, not in a workspace, not in a virtual environment there.

        Raises:
            NotFound: there is no such program.
        """
        program = environment.find_program(argv[0], os.environ, self.theirs)
        if program is None:
            raise environment.not_found(argv[0])
        return (str(program), *argv[1:])

    @property
    def theirs(self) -> list[Path]:
        """Where agents and the repository can put programs."""
        job = self.job
        tree = [Path(job.work_tree)] if job.work_tree is not None else []
        linked = linked_trees(Path(job.git_dir))
        return [Path(job.git_dir), Path(job.workspace), self.tree, *tree, *linked]

    def run(
        self, argv: Sequence[str], *, env: Mapping[str, str], wall: float, keep: int
    ) -> tuple[Ended, str]:
        """Run a setup command or a gate: how it ended, and the last `keep` characters it printed.

        Raises:
            ProgramMissing, ProgramRefused, FolderMissing: it could not be started.
        """
        stream = self.log.stream(limit=_MOST_LOGGED, keep=keep)
        try:
            ended = self.supervisor.run(
                argv,
                cwd=self.tree,
                env=env,
                limits=Limits(wall=wall, memory=self.job.memory, processes=self.job.processes),
                on_out=stream.feed,
                on_err=stream.feed,
            )
        finally:
            stream.end()
        return ended, stream.tail

    def begin(self, phase: str, argv: Sequence[str]) -> None:
        """Say in log and events that a program starts; its arguments are shown, never a prompt."""
        self.log.note(f"{phase}: {shlex.join(argv)}")
        self.log.event(phase, shlex.join(argv))
