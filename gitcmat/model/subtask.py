"""Parts of a task that are ticked off one by one: ``.cmat/subtasks/<id>.yaml``.

Each is a record of its own, so that several processes may change several of them at once.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from gitcmat.errors import Conflict, InvalidData

LONGEST_TITLE: Final = 500


class SubtaskStatus(StrEnum):
    """``closed`` went with its task, ``deleted`` was taken back; both stay on record."""

    OPEN = "open"
    DONE = "done"
    CLOSED = "closed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtask:
    """One part of the task `task`."""

    schema: int = 1
    id: str
    task: str
    title: str
    status: SubtaskStatus = SubtaskStatus.OPEN
    created: datetime
    by: str
    """Who made it."""
    changed: datetime | None = None
    """When its status changed last."""
    changed_by: str = ""

    def __post_init__(self) -> None:
        if not self.title.strip():
            raise InvalidData("A subtask needs a title.", hint='gitcmat subtask create TASK "…"')
        if len(self.title) > LONGEST_TITLE:
            raise InvalidData(
                f"The title of a subtask has {len(self.title)} characters.",
                hint=f"at most {LONGEST_TITLE}; the rest belongs into the task's prompt",
            )

    def become(self, status: SubtaskStatus, now: datetime, *, by: str) -> Self:
        """Return it with another status, itself where that is its status already.

        Raises `Conflict` for one that is closed or deleted: it stays so, but for a person who
        opens it again.
        """
        if status is self.status:
            return self
        ended = self.status in (SubtaskStatus.CLOSED, SubtaskStatus.DELETED)
        if ended and status is not SubtaskStatus.OPEN:
            raise Conflict(f"{self.id} is {self.status}.", hint=f"gitcmat subtask reopen {self.id}")
        return replace(self, status=status, changed=now, changed_by=by)


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a task's subtasks is done; deleted ones do not count."""

    done: int
    of: int

    def __str__(self) -> str:
        """``2/5``."""
        return f"{self.done}/{self.of}"
