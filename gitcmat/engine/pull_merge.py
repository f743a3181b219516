"""Merging a task's pull request: only what is green, approved and looked at, unless a person says
why all the same.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from gitcmat.engine import branches, forge_sync, pulls
from gitcmat.engine.deps import Deps
from gitcmat.engine.hub import Hub
from gitcmat.engine.pull_record import record
from gitcmat.engine.reconcile import Reconciler
from gitcmat.engine.synced import Synced
from gitcmat.errors import Conflict, UserError
from gitcmat.forge import OutcomeUnknown
from gitcmat.model import landing, pull_body, pull_rules
from gitcmat.model.approval import Standing, standing
from gitcmat.model.entry import Entry
from gitcmat.model.forge import ChangedFile, Check, MergeMethod, PullRequest, Review
from gitcmat.model.marks import one_line
from gitcmat.model.names import short
from gitcmat.model.pull import Pull, PullState


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How a pull request is doing, asked now."""

    entry: Entry
    pull: Pull
    """Its record, as a look at the forge would write it by now."""
    seen: PullRequest
    checks: tuple[Check, ...]
    standing: Standing
    reasons: tuple[str, ...]
    """What the forge has against merging it, in words; gates are in the entry."""
    against: tuple[str, ...]
    """All that `merge` would refuse it for now, in words."""


def status(deps: Deps, hub: Hub, task: str) -> Status:
    """Ask how the pull request of a task is doing.

    Raises `Conflict` when it has none, or as the forge does.
    """
    entry = pulls.named(deps, task)
    seen = hub.forge.pulls.get(pull_rules.recorded(entry).number)
    checks = hub.forge.checks.list(seen.head_sha)
    said = _standing(hub, seen)
    approvals = deps.settings.forge.approvals
    reasons = pull_rules.why_not_merged(seen, checks, said, approvals=approvals)
    pull = replace(
        pull_rules.followed(pull_rules.recorded(entry), seen),
        approved=said.approved,
        rejected=said.rejected,
        checks=pull_rules.together(checks),
    )
    return Status(
        entry=entry,
        pull=pull,
        seen=seen,
        checks=checks,
        standing=said,
        reasons=reasons,
        against=_against(deps, entry, seen, reasons),
    )


def files(deps: Deps, hub: Hub, task: str) -> tuple[ChangedFile, ...]:
    """Return the files that the pull request of a task changes, as the forge has it."""
    return hub.forge.pulls.files(pull_rules.recorded(pulls.named(deps, task)).number)


def merge(
    reconciler: Reconciler, hub: Hub, task: str, *, method: MergeMethod, override: str
) -> Synced:
    """Merge the pull request of a task in review, and take it in.

    With `override`, a reason, it is merged although gates or checks are red, or approvals are
    missing: that stands in the facts before it is done, and in a comment after it.

    Raises:
        Usage: the reason is longer than what a comment shows.
        Conflict: something speaks against it; the message says what.
        UserError: the forge does not do it; see `gitcmat.forge`.
    """
    deps = reconciler.deps
    pull_rules.check_length(override, pull_body.LONGEST_PART)
    reconciler(start=False)
    now = status(deps, hub, task)
    entry, seen = now.entry, now.seen
    pull = pull_rules.still_open(entry)
    if seen.state is not PullState.OPEN:
        return forge_sync.sync(reconciler, hub)
    landing.check_state(entry)
    work = branches.tip(deps.git, entry).commit
    _check_head(entry, seen, work)
    _check(entry, now.reasons, work, override)
    _because(deps, entry.id, pull, override)
    try:
        hub.forge.pulls.merge(
            pull.number,
            method=method,
            head_sha=seen.head_sha,
            title=_title(seen),
            message=_message(deps, entry),
        )
    except OutcomeUnknown:
        if hub.forge.pulls.get(pull.number).state is not PullState.MERGED:
            raise
    except UserError:
        _because(deps, entry.id, pull, "")  # it was not merged by that reason
        raise
    try:
        return forge_sync.sync(reconciler, hub, merged=entry.id)
    except UserError as error:
        raise UserError(
            f"#{pull.number} was merged. What follows is not taken in yet: {error.message}",
            hint="gitcmat pr sync",
        ) from error


def _check_head(entry: Entry, seen: PullRequest, work: str) -> None:
    if seen.draft:
        raise Conflict(
            f"#{seen.number} of {entry.id} is a draft.",
            hint=f"gitcmat pr create {entry.id} --ready",
        )
    if seen.head_sha != work:
        raise Conflict(
            f"#{seen.number} shows {short(seen.head_sha)}, and the work of {entry.id} is at "
            f"{short(work)}.",
            hint=f"gitcmat pr create {entry.id}, which pushes it",
        )


def _check(entry: Entry, reasons: tuple[str, ...], work: str, override: str) -> None:
    """Refuse what is not green and approved, unless there is a reason."""
    _check_gates(entry, override)
    reasons = (*reasons, *_not_judged(entry, work))
    if reasons and not override:
        raise Conflict(
            f"{entry.id} is not merged by itself: {'; '.join(reasons)}.",
            hint=f'gitcmat pr merge {entry.id} --override "why it may be merged all the same"',
        )


def _check_gates(entry: Entry, override: str) -> None:
    landing.check_override(entry, entry.gates, override, command="pr merge")


def _not_judged(entry: Entry, work: str) -> tuple[str, ...]:
    if work == entry.head or not entry.gates:
        return ()
    return ("there are commits on its branch that the gates have not judged",)


def _against(
    deps: Deps, entry: Entry, seen: PullRequest, reasons: tuple[str, ...]
) -> tuple[str, ...]:
    """Return all that `merge` refuses for, by the checks that it makes itself."""
    if seen.state is not PullState.OPEN:
        return (f"it is {seen.state}",)
    work = branches.tip(deps.git, entry).commit
    checks = (
        lambda: landing.check_state(entry),
        lambda: _check_head(entry, seen, work),
        lambda: _check_gates(entry, ""),
    )
    refused = (_refusal(check) for check in checks)
    return (*filter(None, refused), *reasons, *_not_judged(entry, work))


def _refusal(check: Callable[[], object]) -> str:
    try:
        check()
    except Conflict as error:
        return error.message.rstrip(".")
    return ""


def _because(deps: Deps, task: str, pull: Pull, why: str) -> None:
    """Write down why it is merged all the same; empty where it is not."""
    what = f"is to be merged by an override: {one_line(why)}" if why else "has no override any more"
    record(deps, task, lambda known: replace(known or pull, override=why), what=what)


def _title(seen: PullRequest) -> str:
    return f"{pull_body.title(seen.title)} (#{seen.number})"


def _message(deps: Deps, entry: Entry) -> str:
    """Return the body of the commit: a title of its own comes before, trailers after."""
    run = deps.store.read().run(entry.run or "")
    whole = landing.message(entry, agent=run.agent if run else "")
    return pull_body.defused(whole.partition("\n")[2].strip())


def _standing(hub: Hub, seen: PullRequest) -> Standing:
    reviews = hub.forge.reviews.list(seen.number)
    writers = {login for login in _people(reviews) if hub.forge.permission(login).may_write}
    return standing(seen, reviews, writers=writers, ours={hub.forge.whoami().login})


def _people(reviews: Iterable[Review]) -> set[str]:
    return {review.author.login for review in reviews if not review.author.bot}
