"""One attempt from a prepared workspace to a result: setup, agent, home, gates."""

import contextlib
import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from gitcmat.engine import inbox
from gitcmat.engine.agent_turn import TurnEnd, take_turn
from gitcmat.engine.gates import Gates, not_judged
from gitcmat.engine.homecoming import blank, bring_home
from gitcmat.engine.inbox import Inbox
from gitcmat.engine.mail import Mail, left_in
from gitcmat.engine.runfolder import RunFolder
from gitcmat.engine.runlog import RunLog
from gitcmat.engine.saving import Saving, before_cleaning
from gitcmat.engine.setup import Setup
from gitcmat.engine.supervision import StopRequest
from gitcmat.engine.workbench import Workbench
from gitcmat.errors import UserError
from gitcmat.model.gate import GateOutcome, GateResult
from gitcmat.model.job import Job, JobKind, Result, RunOutcome
from gitcmat.ports import Agent
from gitcmat.store.collected import ASKING, Mark
from gitcmat.store.guard import compare, host_digest
from gitcmat.store.workspaces import Workspace
from gitcmat.system import clock, environment
from gitcmat.system.logs import Redactor, visible

_STOPPED: Final = TurnEnd(outcome=RunOutcome.STOPPED, message="stopped on request")


def do(
    job: Job,
    run: RunFolder,
    workspace: Workspace,
    make_agent: Callable[[str], Agent],
    stop: StopRequest,
) -> Result:
    """Do a job and return its result. When this raises, nothing of the work has been destroyed.

    Raises:
        UserError: the workspace cannot be made, git refuses the work, …
        OSError: the disk does.
    """
    started = clock.now()
    with RunLog(run.log, run.events, secrets(job)) as log:
        about = f" of {job.task}, attempt {job.attempt}" if job.task else ""
        log.note(f"run {job.run}{about}")
        log.event("started")
        bench = Workbench(
            job=job,
            folder=run,
            tree=workspace.tree,
            inbox=workspace.inbox / inbox.NAME,
            log=log,
            stop=stop,
        )
        before = host_digest(workspace.host)
        result = _Attempt(bench, workspace, make_agent).do(started)
        seen = compare(workspace.host, before, host_digest(workspace.host))
        result = replace(result, warnings=(*result.warnings, *seen), ended=clock.now())
        result = without_secrets(result, log.redacted)
        with contextlib.suppress(OSError):  # the work is home: a full disk must not hide that
            log.note(f"{result.outcome}" + (f": {result.message}" if result.message else ""))
            log.event("ended", result.outcome)
        return result


def secrets(job: Job) -> list[str]:
    """Values that nothing that is kept of a run may hold: the nonce, and what agent and gates are
    given or could find.
    """
    found = [job.nonce] if job.nonce else []
    given = [gate.env for gate in job.gates]
    if job.agent is not None:
        given.append(job.agent.env)
    passed = job.agent.pass_env if job.agent is not None else ()
    for more in ({}, *given):
        found += environment.secrets({**os.environ, **more}, passed)
    return list(dict.fromkeys(found))


def started_at(run: RunFolder) -> datetime:
    """When the run was claimed: the time of its job file, for a runner that can tell no more."""
    return datetime.fromtimestamp(run.job.stat().st_mtime, UTC)


def with_mail(job: Job, workspace: Workspace, result: Result) -> Result:
    """`result`, with what a runner that died had not read yet of the agent's inbox."""
    box = Inbox(workspace.inbox / inbox.NAME, job.nonce)
    questions, subtasks = left_in(box)
    redact = Redactor(secrets(job)).text
    result = replace(
        result,
        questions=tuple(dict.fromkeys(visible(redact(text)) for text in questions)),
        subtasks=tuple(dict.fromkeys(visible(redact(text)) for text in subtasks)),
        warnings=(*result.warnings, *map(visible, box.warnings)),
    )
    return without_secrets(result, redact)


def without_secrets(result: Result, redact: Callable[[str], str]) -> Result:
    """`result`, with what is named in it redacted: a secret may be the name of a file."""
    return replace(
        result,
        message=redact(result.message),
        marks=tuple(map(redact, result.marks)),
        warnings=tuple(map(redact, result.warnings)),
        ignored=tuple(map(redact, result.ignored)),
        files=tuple(replace(file, path=redact(file.path)) for file in result.files),
    )


@dataclass(frozen=True, slots=True)
class _Attempt:
    bench: Workbench
    workspace: Workspace
    make_agent: Callable[[str], Agent]

    def do(self, started: datetime) -> Result:
        job = self.bench.job
        saved = before_cleaning(job, self.workspace)
        prepared = self.workspace.prepare(
            job.start,
            base=job.base,
            identity=job.identity,
            keep=job.keep,
            copy=job.copy,
            work=job.run if job.kind is JobKind.WORK else "",
        )
        warnings = (*saved, *(f"not there to copy: {name}" for name in prepared.missing))
        setup = Setup(self.bench, self.workspace, prepared.set_up)
        result = replace(blank(job, started), warnings=warnings)
        if job.kind is JobKind.CHECK:
            return self._check(setup, result)
        # From here on what lies in the tree is this run's: a salvage may collect it.
        self.bench.folder.mark_prepared()
        return self._work(setup, result)

    def _work(self, setup: Setup, result: Result) -> Result:
        job = self.bench.job
        end = self._turn(setup)
        home = bring_home(job, self.workspace)
        asking = [mark for mark in home.collected.marks if mark in ASKING]
        outcome, message = end.outcome, end.message
        if asking and outcome is RunOutcome.FINISHED:
            outcome = RunOutcome.UNCLEAR
            message = f"the result needs a person: {', '.join(asking)}"
        result = home.describe(
            job,
            replace(
                result,
                outcome=outcome,
                message=message,
                exit_code=end.exit_code,
                questions=end.questions,
                subtasks=end.subtasks,
                said=end.said,
                session=end.session,
                spend=end.spend,
                until=end.until,
                warnings=(*result.warnings, *end.warnings),
                ended=clock.now(),
            ),
        )
        result = without_secrets(result, self.bench.log.redacted)
        self.bench.folder.write_home(result)
        if outcome is RunOutcome.UNCLEAR:
            reason = "not run, because the result needs a person first"
            return replace(result, gates=not_judged(job.gates, GateOutcome.SKIPPED, reason))
        if outcome is not RunOutcome.FINISHED or Mark.NO_CHANGE in home.collected.marks:
            return result
        return self._judged(result, self._gates(setup, home.head))

    def _turn(self, setup: Setup) -> TurnEnd:
        job = self.bench.job
        if self.bench.stop.is_made():
            return _STOPPED
        problem = setup.ensure(job.start)
        if self.bench.stop.is_made():
            return _STOPPED
        if problem:
            return TurnEnd(outcome=RunOutcome.CANNOT_START, message=problem)
        if job.agent is None:
            return TurnEnd(outcome=RunOutcome.CANNOT_START, message="the job names no agent")
        try:
            self.make_agent(job.agent.runs)
        except UserError as error:
            return TurnEnd(outcome=RunOutcome.CANNOT_START, message=error.message)
        make = functools.partial(self.make_agent, job.agent.runs)
        prompts = self.bench.folder.read_prompts()
        saving = Saving(self.bench, self.workspace)
        mail = Mail(self.bench, saving)
        try:
            return take_turn(self.bench, make, job.agent, prompts, saving.look, mail)
        finally:
            mail.close()
            saving.end()

    def _check(self, setup: Setup, result: Result) -> Result:
        """Judge the start; nothing comes home and the run's ref stays where it is."""
        job = self.bench.job
        tree = self.workspace.vault.trees(job.start)[0]
        result = replace(result, outcome=RunOutcome.FINISHED, tree=tree)
        return self._judged(result, self._gates(setup, job.start))

    def _gates(self, setup: Setup, commit: str) -> tuple[GateResult, ...]:
        job = self.bench.job
        if not job.gates:
            return ()
        self.workspace.check_out(commit)
        problem = setup.ensure(commit)
        if problem:
            return not_judged(job.gates, GateOutcome.ERROR, problem)
        tracked = [entry.path for entry in self.workspace.vault.git.tree(commit)]
        return Gates(self.bench, self.workspace, tracked).run()

    def _judged(self, result: Result, gates: tuple[GateResult, ...]) -> Result:
        if not self.bench.stop.is_made():
            return replace(result, gates=gates)
        said = "stopped on request, while the gates ran"
        return replace(result, gates=gates, outcome=RunOutcome.STOPPED, message=said)
