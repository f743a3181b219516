"""The states of a queue entry and the one table of legal moves (DESIGN 3)."""

from enum import StrEnum
from typing import Final

from gitcmat.errors import Conflict


class State(StrEnum):
    """Where an entry is. The folder that its record lies in is the only place that holds it."""

    BACKLOG = "backlog"
    PENDING = "pending"
    ACTIVE = "active"
    BLOCKED = "blocked"
    REVIEW = "review"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        """Whether nothing more happens by itself."""
        return self in FINISHED


FINISHED: Final = frozenset({State.DONE, State.FAILED, State.CANCELLED})
OPEN: Final = frozenset(State) - FINISHED

MOVES: Final[dict[State, frozenset[State]]] = {
    State.BACKLOG: frozenset({State.PENDING, State.CANCELLED}),
    State.PENDING: frozenset(
        {State.ACTIVE, State.BLOCKED, State.BACKLOG, State.CANCELLED, State.DONE}
    ),
    State.ACTIVE: frozenset(
        {State.PENDING, State.BLOCKED, State.REVIEW, State.FAILED, State.CANCELLED}
    ),
    State.BLOCKED: frozenset({State.PENDING, State.REVIEW, State.CANCELLED, State.DONE}),
    State.REVIEW: frozenset({State.PENDING, State.BLOCKED, State.DONE, State.CANCELLED}),
    State.DONE: frozenset({State.PENDING}),
    State.FAILED: frozenset({State.PENDING}),
    State.CANCELLED: frozenset({State.PENDING, State.BACKLOG}),
}
"""From each state, where an entry may go. Finished entries start again only by ``rerun``, or
where the issue that they came from was closed and is open again."""


def check_move(task: str, old: State, new: State) -> None:
    """Raise `Conflict`, naming the moves that are allowed, unless `old` → `new` is legal."""
    if new not in MOVES[old]:
        allowed = ", ".join(sorted(MOVES[old]))
        raise Conflict(
            f"{task} is {old}; it cannot become {new}.", hint=f"from {old} it may become: {allowed}"
        )
