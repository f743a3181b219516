"""`gitcmat ci publish`: takes the result of a job that ran a task, and believes nothing of it. It
starts nothing: commits are checked as data, words are checked as words, and the table of states
decides what becomes of the task as it is by now.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from gitcmat.engine import (
    ci_claimed,
    ci_content,
    ci_report,
    gate_reports,
    pull_replies,
    pulls,
    results,
)
from gitcmat.engine.ci_claimed import Stale
from gitcmat.engine.ci_handover import RESULT
from gitcmat.engine.ci_node import Node, Nodes
from gitcmat.engine.ci_run import check_lease
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After, happen
from gitcmat.engine.forge_look import Look
from gitcmat.engine.hub import Hub
from gitcmat.engine.intake import Wants
from gitcmat.engine.synced import Synced
from gitcmat.errors import Conflict, InvalidData, UserError
from gitcmat.model import ci_text
from gitcmat.model.blocker import Blocker
from gitcmat.model.ci import BUNDLE, REPORT, Attempt, Offer, Outcome, Report
from gitcmat.model.entry import Entry
from gitcmat.model.events import Claimed
from gitcmat.model.forge_settings import PullMode
from gitcmat.model.pull import Pull
from gitcmat.model.run import Run
from gitcmat.store import refs, remote_claims
from gitcmat.store.bundles import REFUSED, OpenedBundle
from gitcmat.store.remote_state import Move
from gitcmat.store.state import Change
from gitcmat.system.logs import Redactor

_WORKSPACE: Final = "1"
"""What the place is called that a job works in: it has one, and then none."""


@dataclass(slots=True, kw_only=True)
class Done:
    """What is published."""

    entry: Entry
    outcome: Outcome
    state: str
    """The commit of the facts that say so."""
    pull: Pull | None = None
    questions: list[Blocker] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What did not work out, and is done by the next sync."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What came from the other job, read and held against what was offered."""

    offer: Offer
    report: Report
    folder: Path
    secrets: tuple[str, ...]

    @property
    def start(self) -> str:
        """Where its work began."""
        return self.report.runs[0].start

    @property
    def head(self) -> str:
        """The commit that its work ended in."""
        return self.report.runs[-1].result.head


def receive(folder: Path, offer: Offer, nodes: Nodes, secrets: tuple[str, ...]) -> Parcel:
    """Read what came from the job that ran what was offered.

    `secrets` are values that nothing of it may hold. Raises `InvalidData`, which says what is wrong
    with it.
    """
    report = ci_report.read(folder / REPORT, nodes.clock.now())
    ci_claimed.check_report(report, offer)
    finder = Redactor(secrets)
    if any(finder.has_secret(text.encode()) for text in ci_text.texts(report)):
        raise InvalidData("report.json is refused: it holds a secret.", hint=REFUSED)
    return Parcel(offer=offer, report=report, folder=folder, secrets=secrets)


def publish(parcel: Parcel, nodes: Nodes, open_hub: Callable[[Deps], Hub]) -> Done:
    """Record what came of a task, push its work, and open its pull request.

    Killed after the first of these, a sync does the rest.

    Raises:
        Conflict: its claim is lost, or it has moved on (`Stale`); nothing was changed.
        InvalidData: the result is not what it may be; nothing was changed.
        UserError: the remote or the forge does not do it.
    """
    try:
        done = nodes.agree(lambda node: _record(node, nodes, parcel))
    except Stale:
        _let_go(nodes, parcel.offer)
        raise
    if nodes.settings.pull is PullMode.OFF or not (_worked(done) or done.pull):
        return done
    draft = nodes.settings.pull is PullMode.DRAFT
    return nodes.agree(lambda node: _show(node, open_hub, done, draft=draft))


def _record(node: Node, nodes: Nodes, parcel: Parcel) -> Done:
    """Decide on the state as it is now, and push it with the end of the claim, or not at all."""
    deps, report = node.deps, parcel.report
    check_lease(node, parcel.offer)
    wants = node.reconciler(start=False).wants
    if wants is None:
        raise Conflict("Nothing is known of the repository.", hint="gitcmat lint")
    entry = ci_claimed.still_there(node, report)
    run_ref = refs.run_ref(report.runs[-1].run)
    _take_work(node, nodes, parcel, run_ref)
    after = After()
    with deps.store.change(f"ci publish {entry.id}", by=deps.daemon) as change:
        for attempt in report.runs:
            _replay(deps, change, entry.id, attempt, wants, after)
    node.reconciler(start=False)
    moves = [Move(ref=run_ref, new=parcel.head, was="")]
    if parcel.offer.lease:
        moves.append(remote_claims.end(entry.id, parcel.offer.lease))
    state = node.push(*moves)
    return _done(node, entry.id, state)


def _take_work(node: Node, nodes: Nodes, parcel: Parcel, run_ref: str) -> None:
    """Bring the commits home, once they were checked; those of a try before are here already."""
    git, path = node.deps.git, parcel.folder / BUNDLE
    if parcel.head == parcel.start:
        if path.exists() or path.is_symlink():
            raise InvalidData("There is a bundle, and the report says no change.", hint=REFUSED)
        git.run("update-ref", run_ref, parcel.head)
        return
    if nodes.holds(parcel.head):
        git.run("update-ref", run_ref, parcel.head)
        return
    if not path.exists() and not path.is_symlink():
        raise InvalidData(f"There is no {BUNDLE}.", hint=REFUSED)
    known = (parcel.start, parcel.offer.sha)
    opened = OpenedBundle(path, nodes.folder / "opened", node.deps.repo, ref=RESULT, known=known)
    if opened.head != parcel.head:
        raise InvalidData("The bundle holds another commit than the report says.", hint=REFUSED)
    runs = [one.run for one in parcel.report.runs]
    rules = ci_content.Rules(
        who=nodes.settings.identity,
        ours=ci_text.trailers(parcel.offer.task, runs),
        secrets=parcel.secrets,
        github=nodes.settings.allow_github,
    )
    ci_content.check(opened.git, parcel.start, parcel.head, rules)
    for one in parcel.report.runs:
        if not opened.git.ok("merge-base", "--is-ancestor", one.result.head, parcel.head):
            raise InvalidData(f"The work of {one.run} is not in the bundle.", hint=REFUSED)
    opened.bring_home(run_ref)
    nodes.hold(parcel.head)


def _replay(
    deps: Deps, change: Change, task: str, one: Attempt, wants: Wants, after: After
) -> None:
    """Let a run happen to its entry as it is in `change`: its claim, and its end."""
    now = deps.clock.now()
    before = change.entry(task)
    result = ci_claimed.believed(deps.git, before, wants, one)
    claimed = Claimed(run=one.run, base=one.base, workspace=_WORKSPACE)
    entry = happen(change, task, claimed, now, after)
    if entry.branch and one.start not in (before.head, one.base):
        # Others committed on the branch: the result stands on that, and may move it from there.
        change.put(replace(entry, branch_head=one.start))
    change.put(
        Run(
            id=one.run,
            task=task,
            attempt=entry.attempt,
            agent=one.agent,
            node=deps.store.node,
            base=one.base,
            start=one.start,
            ref=refs.run_ref(one.run),
            workspace=_WORKSPACE,
            plan=one.plan,
            account=one.account,
            sandbox=one.sandbox,
            started=one.started,
        ),
        f"{one.run}: claimed",
    )
    results.take_in(deps, change, {one.run: result}, wants, after)


def _worked(done: Done) -> bool:
    """Whether there is work for a pull request."""
    return done.outcome is Outcome.REVIEW and done.entry.head != done.entry.base


def _show(node: Node, open_hub: Callable[[Deps], Hub], done: Done, *, draft: bool) -> Done:
    """Open the pull request or bring it up to date, and say there what is to be said."""
    hub = open_hub(node.deps)
    if _worked(done):
        pulls.publish(node.reconciler, hub, done.entry.id, draft=draft)
    notes = _told(node, hub)
    return replace(_done(node, done.entry.id, node.push()), notes=notes)


def _told(node: Node, hub: Hub) -> list[str]:
    """Put questions and what gates said onto the forge; return what did not work out, which is no
    reason not to push what did: a sync says the rest.
    """
    found = Synced()
    try:
        pull_replies.take_in(node.deps, hub, Look(node.deps, hub), found)
        gate_reports.take_in(node.deps, hub, found)
    except UserError as error:
        return [*found.troubles, error.message]
    return found.troubles


def _done(node: Node, task: str, state: str) -> Done:
    facts = node.deps.store.read()
    entry = facts.entry(task)
    if entry is None:
        raise Conflict(f"The record of {task} is gone.", hint="gitcmat doctor")
    return Done(
        entry=entry,
        outcome=Outcome.of(entry),
        state=state,
        pull=entry.pull,
        questions=facts.blockers(task=task),
    )


def _let_go(nodes: Nodes, offer: Offer) -> None:
    """End the claim on a task whose result is not taken: nothing is under way any more."""
    if offer.lease:
        node = nodes.fresh()
        remote_claims.release(node.deps.git, node.upstream(), offer.task, offer.lease)
