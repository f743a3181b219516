"""The record of a task's pull request."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class PullState(StrEnum):
    """Where a pull request is in its life. A draft is open."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """The pull request of an entry, as gitcmat saw it last."""

    host: str
    repo: str
    """``owner/name``."""
    number: int
    url: str
    head: str
    """The branch on the remote, without ``refs/heads/``."""
    base: str
    """The branch it is to be merged into, written the same way."""
    draft: bool = True
    state: PullState = PullState.OPEN
    pushed: str = ""
    """The commit that gitcmat put on `head` last, and read back there."""
    approved: tuple[str, ...] = ()
    """Logins of people whose approval counts, as seen last; so are the next two."""
    rejected: tuple[str, ...] = ()
    """Logins of those who want changes."""
    checks: str = ""
    """What the checks of its head say together: ``passed``, ``failed`` or ``running``; empty where
    there are none.
    """
    told: str = ""
    """The commit that what the gates say was reported for last."""
    shown: str = ""
    """A digest of what its body was made of last."""
    override: str = ""
    """The reason a person gave for merging what was not green or not approved."""

    @property
    def open(self) -> bool:
        """Whether it can still be merged."""
        return self.state is PullState.OPEN


def in_words(pull: Pull) -> str:
    """Say how a pull request stands, as it was seen last."""
    kind = "draft" if pull.draft and pull.open else str(pull.state)
    parts = [f"#{pull.number} {kind}"]
    if pull.open:
        parts += [f"approved by {', '.join(pull.approved)}"] if pull.approved else []
        parts += [f"changes wanted by {', '.join(pull.rejected)}"] if pull.rejected else []
        parts += [f"checks {pull.checks}"] if pull.checks else []
    return ", ".join(parts)


WAITING: Final = {
    "changes": "changes wanted",
    "approved": "approved",
    "review": "waiting for a review",
    "draft": "draft",
    "merged": "merged, not on the target yet",
    "closed": "closed",
    "red": "with red checks",
}
"""What pull requests are counted by, and how people are told."""


def counted(pulls: Iterable[Pull]) -> dict[str, int]:
    """Count pull requests by what they wait for, and apart from that those with red checks."""
    found = dict.fromkeys(WAITING, 0)
    for pull in pulls:
        found[_waits_for(pull)] += 1
        found["red"] += pull.open and pull.checks == "failed"
    return found


def _waits_for(pull: Pull) -> str:
    if not pull.open:
        return pull.state
    if pull.rejected:
        return "changes"
    if pull.draft:
        return "draft"
    return "approved" if pull.approved else "review"
