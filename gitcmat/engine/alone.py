"""Runs for which no entry waits: checks, and agents that are run directly or by other agents.

Each has a record and a workspace of its own, and nobody's state follows from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gitcmat.engine import claims, results
from gitcmat.engine.claims import Claim
from gitcmat.engine.deps import Deps
from gitcmat.engine.runfolder import Prompts
from gitcmat.errors import Conflict
from gitcmat.model.job import Job, Result, RunOutcome
from gitcmat.model.run import GATES, Run
from gitcmat.model.sandbox import NO_BOX
from gitcmat.model.state import State
from gitcmat.store.facts import Facts
from gitcmat.store.state import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """All that is decided about such a run."""

    job: Job
    plan: str
    """Digest of the trusted plan."""
    note: str
    """What the history says of it, behind its id."""
    prompt: str = ""
    group: str = ""
    """What it has in common with other runs that were delegated together."""


def record(
    deps: Deps, subject: str, decide: Callable[[Change, Path], Decided]
) -> tuple[Claim, Run]:
    """Decide about a run, write it and record it, as one change; the caller starts it.

    `decide` is given the change, inside of which nothing moves, and a free workspace. What it
    raises leaves nothing.
    """
    made: tuple[Claim, Run] | None = None
    try:
        with deps.store.change(subject, by=deps.actor) as change:
            used = {entry.workspace for entry in change.facts.entries(State.ACTIVE)}
            workspace = claims.free_workspace(deps, used | busy(change.facts))
            made = put(deps, change, decide(change, workspace))
    except BaseException:
        if made is not None:
            claims.abandon(deps, made[0])
        raise
    return made


def put(deps: Deps, change: Change, decided: Decided) -> tuple[Claim, Run]:
    """Write a run, and record it in `change`."""
    job, agent = decided.job, decided.job.agent
    made = claims.prepare(deps, job, Prompts(whole=decided.prompt))
    run = Run(
        id=job.run,
        task=job.task,
        attempt=job.attempt,
        agent=agent.name if agent is not None else GATES,
        node=deps.store.node,
        base=job.base,
        start=job.start,
        ref=job.run_ref,
        workspace=Path(job.workspace).name,
        plan=decided.plan,
        account=agent.account if agent is not None else "",
        sandbox=agent.sandbox.text if agent is not None else NO_BOX.text,
        parent=job.parent,
        group=decided.group,
        started=deps.clock.now(),
    )
    try:
        change.put(run, f"{run.id}: {decided.note}")
    except BaseException:
        claims.abandon(deps, made)
        raise
    return made, run


def left_over(deps: Deps, facts: Facts) -> dict[str, Result]:
    """Return the results of such runs that are over, by run; a check's foreground takes its own in
    when it lives to do so.
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
    """The workspaces that such runs use just now."""
    return {run.workspace for run in facts.runs(only_open=True) if run.alone}
