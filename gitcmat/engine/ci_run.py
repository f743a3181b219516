"""`gitcmat ci run`: one task to its end, on a node that nobody else sees. It has no right to write
anywhere: what came of it is two files, which another job takes for what they are, data.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitcmat.engine import ci_trust
from gitcmat.engine.ci_handover import Handed, Story, hand_on
from gitcmat.engine.ci_node import Node, Nodes
from gitcmat.engine.foreground import Foreground
from gitcmat.errors import Conflict, NotFound, UserError
from gitcmat.model.ci import BUNDLE, REPORT, Offer, Outcome
from gitcmat.model.entry import Entry
from gitcmat.model.run import Run
from gitcmat.store import remote_claims
from gitcmat.system.logs import Redactor

if TYPE_CHECKING:
    from gitcmat.system.interrupts import Interrupts


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of a task in this job."""

    entry: Entry
    outcome: Outcome
    handed: Handed
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ears:
    """Who is told what goes on."""

    interrupts: "Interrupts"
    on_text: Callable[[str], None]
    """Is given what agents print."""
    on_line: Callable[[str], None]


def check_lease(node: Node, offer: Offer) -> None:
    """See that the claim on a task still is the one that it was offered with.

    Raises `Conflict` when it is not.
    """
    if not offer.lease:
        return
    at = node.seen.refs.get(remote_claims.claim_ref(offer.task), "")
    if at != offer.lease:
        whose = "nobody's any more" if not at else "somebody else's"
        raise Conflict(
            f"The claim on {offer.task} is {whose}: it ran out, or its work was published.",
            hint="start the workflow again: what is left to do is offered anew",
        )


def prepare(nodes: Nodes, offer: Offer) -> Node:
    """Make the node that a task runs on, from what it was offered with.

    It is the last that asks the remote anything.

    Raises:
        Conflict: the claim on it is lost.
        NotFound: what it was offered with is not there.
        NotTrusted: the plan of the repository is not the one that was allowed.
    """
    node = nodes.exactly(offer.sha, offer.state)
    check_lease(node, offer)
    ci_trust.allow(node, nodes.settings.trust_digest)
    return node


def run(node: Node, offer: Offer, out: Path, ears: Ears, secrets: Collection[str]) -> Ran:
    """Run a task until it needs a person, and write to `out` what came of it.

    `secrets` are values that nothing of it may hold.

    Raises `UserError` when nothing could be started.
    """
    deps = node.deps
    for left in (BUNDLE, REPORT):  # by a job before, where the folder outlives a job
        (out / left).unlink(missing_ok=True)
    node.reconciler(start=False)
    before = deps.store.read().entry(offer.task)
    if before is None:
        raise NotFound(
            f"There is no task {offer.task!r} at {offer.sha[:10]}.", hint="gitcmat ci plan"
        )
    known = {run.id for run in deps.store.read().runs(task=offer.task)}
    foreground = Foreground(
        node.reconciler, ears.interrupts, on_text=ears.on_text, on_line=ears.on_line
    )
    try:
        entry = foreground.run(offer.task)
    except UserError as error:
        # One attempt may have ended before the next could not begin.
        if not _new(node, offer.task, known):
            raise
        ears.on_line(error.message)
        entry = deps.store.read().entry(offer.task) or before
    found = _new(node, offer.task, known)
    story = Story(offer=offer, before=before, runs=tuple(found), secrets=secrets)
    handed = hand_on(deps, story, out)
    redactor = Redactor(secrets)
    blockers = deps.store.read().blockers(task=offer.task)
    return Ran(
        entry=entry,
        outcome=Outcome.FAILED if handed.secrets else Outcome.of(entry),
        handed=handed,
        questions=tuple(redactor.text(blocker.question) for blocker in blockers),
    )


def _new(node: Node, task: str, known: Collection[str]) -> list[Run]:
    """The runs of this job for the task, the first one first."""
    found = reversed(node.deps.store.read().runs(task=task))
    return [run for run in found if run.id not in known and not run.alone and run.outcome]
