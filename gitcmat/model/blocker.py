"""Questions that wait for a person: ``.cmat/blockers/<id>.yaml``."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class BlockerKind(StrEnum):
    """What an answer means."""

    QUESTION = "question"
    """Asked by the agent or a person; any text is an answer and goes into the next prompt."""
    GATES = "gates"
    """Red at the last attempt: ``retry``, ``review anyway``, ``cancel`` or guidance."""
    RESULT = "result"
    """A result that needs a look: ``review anyway``, ``retry``, ``cancel`` or guidance."""
    NEED = "need"
    """A needed task failed or was cancelled: ``retry it``, ``go on``, ``cancel``."""
    WITHDRAWN = "withdrawn"
    """The task file of an active run was deleted: ``keep``, ``cancel``."""
    CONFLICT = "conflict"
    """A landing met a conflict: ``retry``, ``cancel`` or guidance."""
    BUDGET = "budget"
    """It used what it may cost: ``go on`` with as much again, ``review anyway``, ``cancel``."""


OPTIONS: dict[BlockerKind, tuple[str, ...]] = {
    BlockerKind.QUESTION: (),
    BlockerKind.GATES: ("retry", "review anyway", "cancel"),
    BlockerKind.RESULT: ("review anyway", "retry", "cancel"),
    BlockerKind.NEED: ("retry it", "go on", "cancel"),
    BlockerKind.WITHDRAWN: ("keep", "cancel"),
    BlockerKind.CONFLICT: ("retry", "cancel"),
    BlockerKind.BUDGET: ("go on", "review anyway", "cancel"),
}


class BlockerStatus(StrEnum):
    """``open`` waits; ``answered`` was taken in; ``closed`` is no longer asked."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """One question about one task."""

    schema: int = 1
    id: str
    task: str
    run: str | None = None
    kind: BlockerKind = BlockerKind.QUESTION
    status: BlockerStatus = BlockerStatus.OPEN
    question: str
    detail: str = ""
    about: str | None = None
    """For a need: the id of the needed task."""
    asked: datetime
    by: str = "agent"
    answer: str = ""
    answered: datetime | None = None
    answered_by: str = ""

    @property
    def options(self) -> tuple[str, ...]:
        """Words that are taken as a command; other text is guidance where the kind allows it."""
        return OPTIONS[self.kind]
