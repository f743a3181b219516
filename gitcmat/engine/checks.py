"""Checks: gates on a commit that is there already, by a runner like any other, in the foreground.

Nothing of such a run comes home, and no entry waits for it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gitcmat.engine import alone, claims, runs
from gitcmat.engine.alone import Decided
from gitcmat.engine.claims import Claim
from gitcmat.engine.deps import Deps
from gitcmat.engine.runner import salvage
from gitcmat.errors import CheckFailed, NotFound
from gitcmat.model.job import Job, JobKind, Result, RunOutcome
from gitcmat.model.run import Run
from gitcmat.model.settings import Config
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
    claim, record = _record(deps, check)
    claims.start(claim)
    on_line(f"{claim.job.run}: {', '.join(check.gates)} on {check.commit[:10]}")
    _follow(deps, claim, record, on_text)
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


def _record(deps: Deps, check: Check) -> tuple[Claim, Run]:
    run_id = ids.run_id()

    def decide(_change: Change, workspace: Path) -> Decided:
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
        return Decided(job=job, plan=check.plan, note=f"checks {check.commit[:10]}")

    return alone.record(deps, f"check {check.commit[:10]}", decide)


def _follow(deps: Deps, claim: Claim, record: Run, on_text: Callable[[str], None]) -> None:
    """Pass on what is printed until the runner has ended."""
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
