"""A task as a person writes it in ``.cmat/tasks/<id>.yaml``: what is wanted, not how far it is."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gitcmat.model.names import heading

SCHEMA: Final = 1
MAX_ATTEMPTS: Final = 20


class Priority(StrEnum):
    """How soon, compared with other tasks that could start."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 is first."""
        return list(Priority).index(self)


_DURATION: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def seconds(text: str) -> int:
    """Read a duration such as ``90s``, ``30m`` or ``1h30m``.

    Raises ValueError for anything else, and for zero.
    """
    found = _DURATION.fullmatch(text)
    total = (
        sum(int(n or 0) * unit for n, unit in zip(found.groups(), (3600, 60, 1), strict=True))
        if found
        else 0
    )
    if not total:
        raise ValueError(f"{text!r} is not a duration (write 90s, 30m or 1h30m)")
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What runs may cost together: those of a task, or those of a day."""

    usd: float | None = field(default=None, metadata={"doc": "US dollars"})
    tokens: int | None = field(default=None, metadata={"doc": "Tokens of all kinds"})

    def __post_init__(self) -> None:
        if self.usd is None and self.tokens is None:
            raise ValueError("a budget needs usd: or tokens:")
        if self.usd is not None and self.usd <= 0:
            raise ValueError("usd must be more than 0")
        if self.tokens is not None and self.tokens <= 0:
            raise ValueError("tokens must be more than 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task file. Only `title` or `prompt` is required; None means "as config.yaml says"."""

    schema: int = field(default=SCHEMA, metadata={"doc": "Version of this format"})
    title: str = field(default="", metadata={"doc": "One line for lists and commit messages"})
    prompt: str = field(default="", metadata={"doc": "What the agent is asked to do"})
    agent: str | None = field(default=None, metadata={"doc": "Name of .cmat/agents/<name>.md"})
    needs: tuple[str, ...] = field(
        default=(), metadata={"doc": "Ids of tasks that must have landed before this one starts"}
    )
    priority: Priority = field(default=Priority.NORMAL, metadata={"doc": "What starts first"})
    gates: tuple[str, ...] | None = field(
        default=None,
        metadata={"doc": "Names of gates in config.yaml; left out: all; []: none"},
    )
    paths: tuple[str, ...] = field(
        default=(),
        metadata={"doc": "Globs of what it may change; a wider change is shown at review"},
    )
    attempts: int | None = field(default=None, metadata={"doc": "Runs before a person is asked"})
    timeout: str | None = field(default=None, metadata={"doc": "Longest run, such as 30m"})
    idle_timeout: str | None = field(
        default=None, metadata={"doc": "Longest silence of the agent, such as 5m"}
    )
    budget: Budget | None = field(default=None, metadata={"doc": "What it may cost"})
    hold: bool = field(default=False, metadata={"doc": "Do not start yet"})

    def __post_init__(self) -> None:
        if not self.title.strip() and not self.prompt.strip():
            raise ValueError("a task needs a title or a prompt")
        if self.title.splitlines() not in ([], [self.title]):
            raise ValueError("title is one line")
        if self.attempts is not None and not 1 <= self.attempts <= MAX_ATTEMPTS:
            raise ValueError(f"attempts is 1 to {MAX_ATTEMPTS}")
        for duration in (self.timeout, self.idle_timeout):
            if duration is not None:
                seconds(duration)

    @property
    def name(self) -> str:
        """The title, or the first line of the prompt."""
        return heading(self.title, self.prompt)
