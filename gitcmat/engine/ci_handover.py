"""What a job that ran a task hands on: its commits in one name and with harmless words, and a
report without secrets. Where its work holds one, nothing of the work.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gitcmat.engine import ci_content, ci_report
from gitcmat.engine.deps import Deps
from gitcmat.engine.runfolder import RunFolder
from gitcmat.model import ci_text
from gitcmat.model.ci import BUNDLE, REPORT, Attempt, Offer, Report
from gitcmat.model.entry import Entry
from gitcmat.model.job import Result, RunOutcome
from gitcmat.model.run import Run
from gitcmat.store.bundles import make_bundle
from gitcmat.store.resealing import reseal
from gitcmat.system.logs import Redactor

RESULT: Final = "refs/cmat/result"
"""The one ref of a bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What happened to a task in a job."""

    offer: Offer
    before: Entry
    """What its entry was before anything ran."""
    runs: tuple[Run, ...]
    """The first one first; at least one."""
    secrets: Collection[str]
    """Values that nothing may hold which leaves the machine."""

    @property
    def start(self) -> str:
        """Where the work of this job began."""
        return self.runs[0].start


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What is handed on."""

    report: Report
    bundle: Path | None
    """None where nothing was changed."""
    secrets: tuple[str, ...]
    """Where the work holds secrets; then it stays here."""


def hand_on(deps: Deps, story: Story, out: Path) -> Handed:
    """Write to `out` what came of a task.

    Raises:
        OSError, GitError: the disk refuses it.
    """
    git, start = deps.git, story.start
    results = [_result(deps, run) for run in story.runs]
    head = results[-1].head or story.runs[-1].start
    changed = head != start
    found = ci_content.secrets_in(git, start, head, tuple(story.secrets)) if changed else []
    made: dict[str, str] = {}
    if changed and not found:
        ours = ci_text.trailers(story.offer.task, [run.id for run in story.runs])
        made = reseal(git, head, start, deps.me, lambda text: ci_text.sealed(text, ours))
    attempts = _attempts(story, results, made, found)
    report = Report(
        task=story.offer.task,
        sha=story.offer.sha,
        state=story.offer.state,
        lease=story.offer.lease,
        version=story.before.version,
        blob=story.before.approval,
        runs=attempts,
    )
    out.mkdir(parents=True, exist_ok=True)
    tip, bundle = attempts[-1].result.head, None
    if tip != start:
        bundle = out / BUNDLE
        git.run("update-ref", RESULT, tip)
        make_bundle(git, bundle, RESULT, {start, story.offer.sha})
    ci_report.write(out / REPORT, report)
    return Handed(report=report, bundle=bundle, secrets=tuple(found))


def _attempts(
    story: Story, results: list[Result], made: dict[str, str], found: list[str]
) -> tuple[Attempt, ...]:
    redactor = Redactor(story.secrets)
    attempts: list[Attempt] = []
    at = story.start
    for run, result in zip(story.runs, results, strict=True):
        shown = ci_report.presentable(result, redactor.text)
        shown = replace(shown, head=made.get(result.head, at))
        if found:
            shown = replace(shown, outcome=RunOutcome.FAILED, message=_holds(found), gates=())
        attempts.append(
            Attempt(
                run=run.id,
                agent=run.agent,
                base=run.base,
                start=at,
                plan=run.plan,
                account=run.account,
                sandbox=run.sandbox,
                started=run.started,
                result=shown,
            )
        )
        at = shown.head
    return tuple(attempts)


def _result(deps: Deps, run: Run) -> Result:
    """What a run has reported; one that left nothing was interrupted."""
    found = RunFolder(deps.runs / run.id).read_result()
    if found is not None and found.outcome is RunOutcome.STOPPED:
        # Whoever ended the job did not say that the task should wait for them.
        return replace(found, outcome=RunOutcome.INTERRUPTED, message="its job was ended")
    if found is not None:
        return found
    return Result(
        run=run.id,
        outcome=RunOutcome.INTERRUPTED,
        message=run.message,
        head=run.start,
        started=run.started,
        ended=run.ended or run.started,
    )


def _holds(found: list[str]) -> str:
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"its work holds a secret ({found[0]}{more}), so nothing of it was handed on"
