"""Landing: how work gets onto its target, and what a person must have said before it does."""

from collections.abc import Collection
from enum import StrEnum

from gitcmat.errors import Conflict
from gitcmat.model import pull_body
from gitcmat.model.entry import Entry
from gitcmat.model.gate import GateOutcome, GateResult, Verdict, verdict
from gitcmat.model.state import State


class How(StrEnum):
    """The shape of the commits that land."""

    SQUASH = "squash"
    """One commit with all of it."""
    MERGE = "merge"
    """A merge commit, with the commits of the work behind it."""
    REBASE = "rebase"
    """The commits of the work, one by one, with their authors."""


def check_state(entry: Entry, *, what: str = "land") -> None:
    """Raise `Conflict`, saying what to do, unless the entry is in review.

    `what` is what can be done only there.
    """
    if entry.state is State.REVIEW:
        return
    hints = {
        State.BACKLOG: f"gitcmat task approve {entry.id}",
        State.PENDING: f"gitcmat run now {entry.id}",
        State.ACTIVE: f"gitcmat run follow {entry.run}",
        State.BLOCKED: "gitcmat blocker list",
        State.DONE: f"gitcmat queue rerun {entry.id}, to have it done again",
    }
    again = f"gitcmat queue rerun {entry.id}"
    raise Conflict(
        f"{entry.id} is {entry.state}; only what is in review can {what}.",
        hint=hints.get(entry.state, again),
    )


def unforeseen(entry: Entry, results: Collection[GateResult]) -> tuple[str, ...]:
    """Names of the gates that are red now and were not when the entry came to review: what a
    person who let it pass could not know.
    """
    known = {gate.name for gate in entry.gates if gate.red}
    return tuple(gate.name for gate in results if gate.red and gate.name not in known)


def check_override(
    entry: Entry, results: tuple[GateResult, ...], override: str, *, command: str = "land"
) -> Verdict:
    """Say what the gates of the tree that would land say.

    Raises `Conflict` when that needs a reason and `override` gives none.
    """
    found = verdict(results)
    if found in (Verdict.GREEN, Verdict.NO_GATES) or override:
        return found
    if found is Verdict.RED:
        names = ", ".join(gate.name for gate in results if gate.red)
        what = f"{names} {'is' if ',' not in names else 'are'} red"
    else:
        skipped = [
            gate for gate in results if not gate.red and gate.outcome is not GateOutcome.PASSED
        ]
        why = "; ".join(f"{gate.name}: {gate.reason or gate.outcome}" for gate in skipped)
        what = f"it was not checked ({why})" if why else "it was not checked"
    raise Conflict(
        f"{entry.id} does not land by itself: {what}.",
        hint=f'gitcmat {command} {entry.id} --override "why it may land all the same"',
    )


def in_words(results: tuple[GateResult, ...], said: Verdict | None) -> str:
    """What the gates said: no gates and not checked are never green."""
    if said is Verdict.GREEN:
        return f"green ({', '.join(gate.name for gate in results)})"
    if said is Verdict.RED:
        return f"red ({', '.join(gate.name for gate in results if gate.red)})"
    if said is Verdict.NOT_CHECKED:
        missing = [gate.name for gate in results if gate.outcome is GateOutcome.SKIPPED]
        return f"not checked ({', '.join(missing)} did not run)" if missing else "not checked"
    return Verdict.NO_GATES.value


def commit_title(entry: Entry) -> str:
    """Return what a commit of its work is called. No word of an issue, which is a stranger's, acts
    on a forge by that.
    """
    return pull_body.title(entry.task.name) if entry.issue is not None else entry.task.name


def message(entry: Entry, *, agent: str, merge_of: str = "") -> str:
    """The message of the commit that lands: title, body, trailers.

    `merge_of` is the branch, for a merge commit.
    """
    task = entry.task
    title, body = commit_title(entry), task.prompt.strip()
    if entry.issue is not None:
        body = f"For {entry.issue.url}"
    elif not task.title.strip():
        body = body.partition("\n")[2].strip()
    subject = f"Merge {merge_of}: {title}" if merge_of else title
    trailers = {"Cmat-Task": entry.id, "Cmat-Run": entry.run or "", "Assisted-by": agent}
    lines = "\n".join(f"{key}: {value}" for key, value in trailers.items() if value)
    whole = "\n\n".join(part for part in (subject, body, lines) if part)
    return whole.replace("\0", "") + "\n"
