"""Delegation: an agent has other agents do parts of its work, in runs of their own: its members."""

import re
from dataclasses import dataclass
from typing import Final

from gitcmat.model.job import Job
from gitcmat.model.message import MOST_MEMBERS, REPLY, Delegate
from gitcmat.model.names import heading

DEEPEST: Final = 3
"""How many runs may stand above one."""
AT_ONCE: Final = 4
"""How many members of one run may be under way."""

_RUN: Final = re.compile(r"r-[a-z2-7]{8}")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LONGEST_TITLE: Final = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an agent wants another one to do.

    Raises `ValueError` for names that are none: they become paths and refs.
    """

    id: str
    """What the reply is called."""
    run: str
    """The member: the run that is made for it."""
    agent: str
    prompt: str
    group: str
    """What it has in common with others, for people; empty for nothing."""
    start: str
    """The commit that the member begins at."""
    usd: float | None = None
    """What the agent that asks had cost until then, in US dollars."""
    tokens: int | None = None
    """What it had used until then."""

    def __post_init__(self) -> None:
        for kind, name in ((REPLY, self.id), (_RUN, self.run), (_COMMIT, self.start)):
            if not kind.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a reply, a run or a commit")
        if not self.prompt.strip():
            raise ValueError("there is no prompt")

    @property
    def title(self) -> str:
        """What people call it."""
        return heading("", self.prompt)[:_LONGEST_TITLE]


def refusal(job: Job, message: Delegate, so_far: int) -> str:
    """Why a run that has delegated `so_far` times cannot delegate this; empty when it can."""
    if so_far >= MOST_MEMBERS:
        return f"this run has delegated {MOST_MEMBERS} times, and may not more often"
    if job.depth >= DEEPEST:
        return f"{DEEPEST} runs stand above this one: it may not delegate"
    if message.agent not in job.agents:
        known = ", ".join(job.agents) or "none"
        return f"there is no agent {message.agent!r}; there is: {known}"
    return ""
