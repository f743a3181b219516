"""Checks: gates on a commit that is there already, by a runner like any other, in the foreground.

A check is a run that belongs to no claim: nothing comes home, and no entry waits for it.
`gitcmat.engine.direct` starts the other kind of such runs.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from gitcmat.engine import claims, results, runs
from gitcmat.engine.claims import Claim
from gitcmat.engine.deps import Deps
from gitcmat.engine.runfolder import Prompts
from gitcmat.engine.runner import salvage
from gitcmat.errors import CheckFailed, Conflict, NotFound
from gitcmat.model.job import Job, JobKind, Result, RunOutcome
from gitcmat.model.run import GATES, Run
from gitcmat.model.settings import Config
from gitcmat.model.state import State
from gitcmat.store.facts import Facts
from gitcmat.store.state import Change
from gitcmat.system import ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What is to be judged, and by what."""

    task: str
    """The task's id; empty when it is about no task."""
    title: str
    base: str
    """Where files that a gate protects are taken from."""
    commit: str
    gates: tuple[str, ...]
    config: Config
    plan: str
    """Digest of the trusted plan."""


def perform(
    deps: Deps,
    check: Check,
    *,
    on_text: Callable[[str], None],
    on_line: Callable[[str], None],
) -> Result:
    """Run the gates and return what they said; `on_text` is given the log as it grows.

    A Ctrl-C stops the gates, waits for their end and goes on as KeyboardInterrupt.

    Raises:
        NotFound: there is no such gate.
        CheckFailed: the gates could not be run (no workspace, setup failed, stopped).
    """
    unknown = [name for name in check.gates if name not in check.config.gates]
    if unknown:
        known = ", ".join(check.config.gates) or "none"
        raise NotFound(f"There is no gate {unknown[0]!r}; there is: {known}.", hint="gitcmat lint")
    claim = _record(deps, check)
    claims.start(claim)
    on_line(f"{claim.job.run}: {', '.join(check.gates)} on {check.commit[:10]}")
    _follow(deps, claim, on_text)
    if claim.folder.read_result() is None:
        salvage(claim.folder.path)
    result = claim.folder.read_result()
    if result is None:
        raise NotFound(f"The folder of {claim.job.run} is gone.", hint="try again")
    with deps.store.change(f"checked {check.commit[:10]}", by=deps.actor) as change:
        take_in(change, result)
    if result.outcome is not RunOutcome.FINISHED:
        raise CheckFailed(
            f"The gates could not be run: {result.outcome}"
            f"{f' ({result.message})' if result.message else ''}.",
            hint=f"gitcmat run show {result.run} --log",
        )
    for gate in result.gates:
        reason = f" ({gate.reason})" if gate.reason else ""
        on_line(f"{claim.job.run}: {gate.name} {gate.outcome}{reason}")
    return result


def left_over(deps: Deps, facts: Facts) -> dict[str, Result]:
    """Return the results of checks whose foreground has ended before them, and of what was run
    directly.
    """
    found: dict[str, Result] = {}
    for run in facts.runs(only_open=True):
        if not run.alone:
            continue
        try:
            result, damage = results.reported(deps, run.id, run.node)
        except Conflict:
            continue
        gone = Result(
            run=run.id,
            outcome=RunOutcome.INTERRUPTED,
            message=f"interrupted: {damage}",
            started=run.started,
            ended=deps.clock.now(),
        )
        found[run.id] = result or gone
    return found


def busy(facts: Facts) -> set[str]:
    """The workspaces that are used just now by runs for which no entry waits."""
    return {run.workspace for run in facts.runs(only_open=True) if run.alone}


def take_in(change: Change, result: Result) -> None:
    """Complete the record of a check; once."""
    record = change.run(result.run)
    if record is None or record.outcome is not None:
        return
    done = replace(
        record,
        ended=result.ended,
        outcome=result.outcome,
        message=result.message,
        tree=result.tree,
        gates=result.gates,
        warnings=result.warnings,
    )
    change.put(done, f"{result.run}: {result.outcome}")


def _record(deps: Deps, check: Check) -> Claim:
    run_id = ids.run_id()
    made: Claim | None = None
    try:
        with deps.store.change(f"check {check.commit[:10]}", by=deps.actor) as change:
            active = {entry.workspace for entry in change.facts.entries(State.ACTIVE)}
            workspace = claims.free_workspace(deps, active | busy(change.facts))
            job = Job(
                kind=JobKind.CHECK,
                run=run_id,
                task=check.task,
                title=check.title,
                attempt=0,
                base=check.base,
                start=check.commit,
                agent=None,
                gates=claims.job_gates(check.config, check.gates),
                paths=(),
                workspace=str(workspace),
                **claims.common(deps, check.config, run_id),
            )
            made = claims.prepare(deps, job, Prompts(whole=""))
            run = Run(
                id=run_id,
                task=check.task,
                attempt=0,
                agent=GATES,
                node=deps.store.node,
                base=check.base,
                start=check.commit,
                ref=job.run_ref,
                workspace=workspace.name,
                plan=check.plan,
                started=deps.clock.now(),
            )
            change.put(run, f"{run_id}: checks {check.commit[:10]}")
    except BaseException:
        if made is not None:
            claims.abandon(deps, made)
        raise
    return made


def _follow(deps: Deps, claim: Claim, on_text: Callable[[str], None]) -> None:
    """Pass on what is printed until the runner has ended."""
    record = deps.store.read().run(claim.job.run)
    if record is None:
        raise NotFound(f"The record of {claim.job.run} is missing.", hint="gitcmat run list")
    try:
        for text in runs.follow(deps, record):
            if text:
                on_text(text)
    except KeyboardInterrupt:
        claim.folder.request_stop()
        runs.wait(deps, claim.job.run)
        result = claim.folder.read_result()
        if result is not None:
            with deps.store.change(f"stopped {claim.job.run}", by=deps.actor) as change:
                take_in(change, result)
        raise
