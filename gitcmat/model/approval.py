"""What the reviews of a pull request say together."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gitcmat.model.forge import GHOST, PullRequest, Review, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a pull request stands with its reviewers."""

    approved: tuple[str, ...] = ()
    """Logins of people whose approval counts."""
    rejected: tuple[str, ...] = ()
    """Logins of those who want changes and have not taken that back."""
    ignored: tuple[tuple[str, str], ...] = ()
    """Approvals that do not count, as login and reason."""


def standing(
    pull: PullRequest, reviews: Iterable[Review], *, writers: Collection[str], ours: Collection[str]
) -> Standing:
    """Judge a pull request by the last word of each of its reviewers.

    `writers` are the logins that may write in the repository; `ours` those that gitcmat and its
    agents go by. An approval counts from a person among the writers, of the head as it is now, and
    never from who wrote it: what nobody has looked at is not approved. Comments take nothing back.
    """
    last: dict[str, Review] = {}
    for review in reviews:
        if review.verdict is not Verdict.COMMENTED:
            last[review.author.login] = review
    approved: list[str] = []
    rejected: list[str] = []
    ignored: list[tuple[str, str]] = []
    for login, review in last.items():
        if review.verdict is Verdict.CHANGES_REQUESTED and login in writers:
            rejected.append(login)
        elif review.verdict is Verdict.APPROVED:
            if why := _why_not(pull, review, writers, ours):
                ignored.append((login, why))
            else:
                approved.append(login)
    return Standing(approved=(*approved,), rejected=(*rejected,), ignored=(*ignored,))


def _why_not(
    pull: PullRequest, review: Review, writers: Collection[str], ours: Collection[str]
) -> str:
    author = review.author
    if author.bot or author.login == GHOST:
        return "no person"
    if author.login in ours:
        return "it is gitcmat's own"
    if author.login == pull.author.login:
        return "wrote it"
    if author.login not in writers:
        return "may not write"
    if review.commit != pull.head_sha:
        return "saw another head"
    return ""
