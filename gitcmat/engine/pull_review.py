"""Speaks for the person in the reviews of a pull request: approve, request changes, comment, ask
somebody, dismiss.
"""

from typing import Final

from gitcmat.engine import pulls
from gitcmat.engine.deps import Deps
from gitcmat.engine.hub import Hub
from gitcmat.errors import Conflict, NotFound, Usage
from gitcmat.forge import OutcomeUnknown
from gitcmat.model import pull_rules
from gitcmat.model.entry import Entry
from gitcmat.model.forge import Review, Verdict

_COUNT: Final = (Verdict.APPROVED, Verdict.CHANGES_REQUESTED)
_OWN: Final = {Verdict.APPROVED: "approve", Verdict.CHANGES_REQUESTED: "request changes of"}


def submit(deps: Deps, hub: Hub, task: str, verdict: Verdict, text: str) -> tuple[Entry, Review]:
    """Review the pull request of a task as it is there now.

    Raises:
        Usage: it neither approves nor says anything, or more than the forge takes.
        Conflict: there is none that is open, or it is the person's own.
        UserError: the forge does not do it; see `gitcmat.forge`.
    """
    entry, number = _open(deps, task)
    if verdict is not Verdict.APPROVED and not text.strip():
        raise Usage("Such a review needs some words.", hint='-m "what you think of it"')
    pull_rules.check_length(text.strip())
    seen, me = hub.forge.pulls.get(number), hub.forge.whoami().login
    if verdict in _OWN and seen.author.login == me:
        raise Conflict(
            f"#{number} was opened as {me}, and nobody may {_OWN[verdict]} their own.",
            hint="ask somebody else: gitcmat pr request, or set forge: {approvals: 0}"
            if verdict is Verdict.APPROVED
            else f'gitcmat review reject {entry.id} -m "why"',
        )
    before = {review.id for review in hub.forge.reviews.list(number)}
    try:
        made = hub.forge.reviews.submit(number, verdict, body=text.strip(), commit=seen.head_sha)
    except OutcomeUnknown:
        mine = (
            review
            for review in hub.forge.reviews.list(number)
            if review.id not in before and review.author.login == me and review.verdict is verdict
        )
        found = next(mine, None)
        if found is None:
            raise
        made = found
    return entry, made


def request(deps: Deps, hub: Hub, task: str, logins: tuple[str, ...]) -> Entry:
    """Ask people to review the pull request of a task; who was asked stays so.

    Raises:
        Conflict: there is none that is open, or one of them may not review it.
    """
    entry, number = _open(deps, task)
    hub.forge.reviews.request(number, tuple(login.removeprefix("@") for login in logins))
    return entry


def dismiss(deps: Deps, hub: Hub, task: str, which: str, why: str) -> tuple[Entry, Review]:
    """Say that a review does not count any more, and why; it is named by its number or its author.

    Raises:
        Usage: there is no reason, or one that is longer than the forge takes.
        NotFound: there is no such review that approves or requests changes.
    """
    if not why.strip():
        raise Usage("Who is dismissed wants to know why.", hint='-m "why"')
    pull_rules.check_length(why.strip())
    entry, number = _open(deps, task)
    who = which.removeprefix("@").casefold()
    found = [
        review
        for review in hub.forge.reviews.list(number)
        if review.verdict in _COUNT and who in (str(review.id), review.author.login.casefold())
    ]
    if not found:
        raise NotFound(
            f"#{number} has no review {which!r} that approves or requests changes.",
            hint=f"gitcmat pr status {entry.id}",
        )
    return entry, hub.forge.reviews.dismiss(number, found[-1].id, message=why.strip())


def _open(deps: Deps, task: str) -> tuple[Entry, int]:
    entry = pulls.named(deps, task)
    return entry, pull_rules.still_open(entry).number
