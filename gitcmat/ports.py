"""What can be plugged in. A port is here only when it has, or is about to have, more than one
real implementation.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from gitcmat.model.job import JobAgent, RunOutcome
from gitcmat.model.machine import Spare


class Clock(Protocol):
    """Time, handed in so that decisions can be repeated."""

    def now(self) -> datetime:
        """Wall time, aware, UTC: for people and for records."""

    def monotonic(self) -> float:
        """Seconds that never go back: for waiting and for limits."""


class Machine(Protocol):
    """Where runs are started, asked before each start."""

    def spare(self, folders: Collection[Path]) -> Spare:
        """Return what it has to spare now, on the disks of these folders among others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One piece of work for an agent."""

    profile: JobAgent
    prompt: str
    cwd: Path
    """The work tree."""
    session: str | None = None
    """Id of a session of the agent to go on with, where it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start the agent's program for one turn. The prompt is never an argument: others can
    read those.
    """

    argv: tuple[str, ...]
    stdin: bytes
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Something the agent said or did, as its stream tells it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question of the agent to a person."""

    question: str


class Agent(Protocol):
    """Drives one kind of agent program: says how to start it, reads what it prints, and judges
    how it ended.
    """

    def launch(self, turn: Turn) -> Launch:
        """Return how to start the program for `turn`."""

    def read(self, line: str) -> Iterable[Said | Asked]:
        """Return what one line of its standard output means."""

    def outcome(self, exit_code: int) -> tuple[RunOutcome, str]:
        """Judge the end of the program, from its exit code and all that was read: an outcome and
        one line for people.
        """
