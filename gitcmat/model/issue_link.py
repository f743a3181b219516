"""The record of the issue that a task came from."""

import hashlib
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueLink:
    """The issue of an entry, as gitcmat saw it last."""

    host: str
    repo: str
    """``owner/name``."""
    number: int
    url: str
    author: str
    """Login of whoever opened it."""
    writer: bool
    """Whether they might write to the repository when its text was read."""
    text: str
    """Digest of the title and body that the task was made of."""
    seen: str
    """Digest of those that it had at the last look: another where they were edited too late."""
    changed: datetime
    """They are not younger than that."""
    gone: str = ""
    """Why it is not wanted any more, in words for people; empty while it is."""
    round: int = 0
    """How often it was brought back. Each time it is approved anew."""
    approved: str = ""
    """What somebody who may write approved in a comment last: an `approval`."""
    approved_by: str = ""
    """Their login."""
    linked: bool = False
    """Whether a comment there says which task it is."""
    ended: bool = False
    """Whether a comment there says that the task is done."""

    @property
    def approval(self) -> str:
        """What an approval is for: this text, in this round. No id of a blob looks like it."""
        return f"issue:{self.text}:{self.round}"

    @property
    def who(self) -> str:
        """Who wrote it, for people."""
        return self.author if self.writer else f"stranger {self.author}"

    def __str__(self) -> str:
        """``issue #12``."""
        return f"issue #{self.number}"


def digest(title: str, body: str) -> str:
    """Return what tells one text of an issue from every other."""
    return hashlib.sha256(f"{title}\0{body}".encode("utf-8", "surrogatepass")).hexdigest()
