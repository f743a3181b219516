"""Commands in comments: ``/cmat retry`` and the like, in the first line."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_BLOCKER: Final = re.compile(r"(b-[a-z2-7]{8})(?:\s+(.*))?", re.DOTALL)
_LINE: Final = re.compile(r"/cmat(?:[ \t]+(\S*)[ \t]*(.*))?[ \t]*")


class Verb(StrEnum):
    """What somebody may ask for."""

    RETRY = "retry"
    """Send the work back, or start again what failed or was cancelled."""
    CANCEL = "cancel"
    ANSWER = "answer"
    APPROVE = "approve"
    """Let a task run that waits for that; it approves no pull request and merges nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command as it was written."""

    verb: Verb | None
    """None for a word that is none of them."""
    word: str
    text: str
    """What stands after it, in the lines below too."""

    @property
    def blocker(self) -> str:
        """The question that an answer names first; empty when it names none."""
        found = _BLOCKER.fullmatch(self.text)
        return found[1] if found else ""

    @property
    def answer(self) -> str:
        """What an answer says, without the question that it names."""
        found = _BLOCKER.fullmatch(self.text)
        return (found[2] or "") if found else self.text


def command(body: str) -> Command | None:
    """Return the command that a comment begins with; None when it is none."""
    first, _, rest = body.replace("\r\n", "\n").partition("\n")
    found = _LINE.fullmatch(first.rstrip())
    if found is None:
        return None
    word = (found[1] or "").casefold()
    verb = Verb(word) if word in set(Verb) else None
    return Command(verb=verb, word=word, text=f"{found[2] or ''}\n{rest}".strip())
