"""The record of one attempt: ``.cmat/runs/<day>/<id>.yaml``."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gitcmat.model.gate import GateResult
from gitcmat.model.job import FileChange, RunOutcome
from gitcmat.model.sandbox import NO_BOX
from gitcmat.model.usage import NO_SESSION, UNKNOWN, Session, Spend

GATES: Final = "gates"
"""What the record of a check has as its agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One attempt; `outcome` is None while it is under way."""

    schema: int = 1
    id: str
    task: str
    """Empty when it is about no task. A run that was delegated is about that of its parent."""
    attempt: int
    agent: str
    node: str
    base: str
    start: str
    ref: str
    workspace: str
    """Name of the slot it ran in."""
    plan: str = ""
    """Digest of the trusted plan it ran under."""
    started: datetime
    ended: datetime | None = None
    outcome: RunOutcome | None = None
    message: str = ""
    exit_code: int | None = None
    head: str = ""
    tree: str = ""
    commits: int = 0
    files: tuple[FileChange, ...] = ()
    more_files: int = 0
    gates: tuple[GateResult, ...] = ()
    marks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    said: str = ""
    """The agent's last words: its own summary."""
    account: str = ""
    """Whose usage limit it worked under."""
    sandbox: str = NO_BOX.text
    """What its agent was kept in by, on one line for people."""
    parent: str = ""
    """The run whose agent delegated this one; empty for none."""
    group: str = ""
    """What it has in common with other runs that were delegated together."""
    session: Session = NO_SESSION
    spend: Spend = UNKNOWN

    @property
    def alone(self) -> bool:
        """Whether no entry waits for its end: a check, or an agent that was run directly or by
        another one.
        """
        return not self.task or self.agent == GATES or bool(self.parent)

    @property
    def day(self) -> str:
        """The UTC day it started, which is the folder of its record."""
        return f"{self.started:%Y-%m-%d}"
