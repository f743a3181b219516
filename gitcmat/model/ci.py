"""Jobs of a workflow as nodes that are thrown away: what they are told, and what they hand on.

Four kinds of job do one thing each (`gitcmat ci plan|run|publish|sync`). What a *run* hands to a
*publish* is an artifact, and so is data that anybody may have written.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from gitcmat.errors import InvalidData
from gitcmat.model.entry import Entry, Version
from gitcmat.model.forge_settings import PullMode
from gitcmat.model.job import Identity, Result
from gitcmat.model.names import check_variables, is_id
from gitcmat.model.sandbox import SandboxMode
from gitcmat.model.state import State
from gitcmat.model.task import seconds

REPORT_SCHEMA: Final = 1
REPORT: Final = "report.json"
"""What came of a run, in words."""
BUNDLE: Final = "result.bundle"
"""Its commits; there is none where nothing was changed."""

MOST: Final = 256
"""How many jobs a matrix can have."""

BOT: Final = "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>"

_MOST_DOLLARS: Final = 1_000_000.0
_SHA: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_WHO: Final = re.compile(r"([^<>\n\0]+) <([^<>\s\0]+@[^<>\s\0]+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A task that a run may be started for: one job of a matrix."""

    task: str
    sha: str
    """The commit of the branch that its run begins from."""
    state: str
    """The commit of the facts that it was offered by; empty for none."""
    lease: str
    """The commit of its claim; empty where none was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One run of an agent for the task, as its claim was recorded, and how it ended."""

    run: str
    agent: str
    base: str
    start: str
    plan: str
    """The digest of the plan that it ran under."""
    account: str
    sandbox: str
    started: datetime
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of one task in one job: ``report.json``."""

    schema: int = REPORT_SCHEMA
    task: str
    sha: str
    state: str
    lease: str
    version: Version
    """Of the entry, before anything ran."""
    blob: str
    """What the task file was then; empty for a task without one."""
    runs: tuple[Attempt, ...]


class Outcome(StrEnum):
    """What came of a task in a job, in one word for workflows."""

    REVIEW = "review"
    QUESTION = "question"
    FAILED = "failed"
    WAITING = "waiting"
    """It may be run again later: it was interrupted, or its provider serves nobody now."""

    @classmethod
    def of(cls, entry: Entry) -> "Outcome":
        """Say it of an entry that no run works on."""
        match entry.state:
            case State.REVIEW | State.DONE:
                return cls.REVIEW
            case State.BLOCKED:
                return cls.QUESTION
            case State.FAILED | State.CANCELLED:
                return cls.FAILED
            case _:
                return cls.WAITING

    @property
    def good(self) -> bool:
        """Whether somebody can go on from it: there is work to look at, or a question."""
        return self in {Outcome.REVIEW, Outcome.QUESTION}


@dataclass(frozen=True, slots=True, kw_only=True)
class CiSettings:
    """What a workflow decides about a job, wherever it says it."""

    node: str = "ci"
    """Whose facts the jobs share: ``refs/cmat/state/<node>`` on the remote."""
    remote: str = "origin"
    branch: str = ""
    """The branch that tasks come from; empty for what the remote's HEAD names."""
    most: int = 4
    only: str = ""
    """The only task that a plan offers; empty for all."""
    leases: bool = False
    """Whether a plan claims what it offers, which needs a token that may write."""
    lease_for: str = "2h"
    """How long a claim holds: longer than the job that runs it may take."""
    trust_digest: str = ""
    sandbox: SandboxMode = SandboxMode.AUTO
    author: str = BOT
    """Whose name the commits carry."""
    pull: PullMode = PullMode.DRAFT
    agent_keys: tuple[str, ...] = ()
    """Variables of the job that agents may be given."""
    label: str = ""
    """The label of issues that become tasks, and that may start a workflow; empty for none."""
    bots: tuple[str, ...] = ()
    """Programs whose word counts, by their whole logins: ``renovate[bot]``."""
    allow_self_hosted: bool = False
    """Whether a job may be on a machine of one's own, in a private repository."""
    day_budget: float = 0.0
    """US dollars that all runs of a day may cost, then nothing is offered; 0 for no end."""
    allow_github: bool = False
    """Whether a result may change files below ``.github/``."""

    def __post_init__(self) -> None:
        if not is_id(self.node):
            raise ValueError(f"node: {self.node!r} is no id: lower-case letters, digits and dashes")
        if not self.remote or self.remote.startswith("-"):
            raise ValueError("remote is the name of a remote")
        if self.only and not is_id(self.only):
            raise ValueError(f"task: {self.only!r} is no id: lower-case letters, digits and dashes")
        if not 1 <= self.most <= MOST:
            raise ValueError(f"most is 1 to {MOST}")
        if not 0 <= self.day_budget < _MOST_DOLLARS:
            raise ValueError("day-budget is a number of US dollars")
        check_variables("agent-keys", self.agent_keys)
        if any("*" in bot for bot in self.bots):
            raise ValueError("bots names programs one by one, such as renovate[bot]")
        if "," in self.label:
            raise ValueError("label is the name of one label, without a comma")
        _ = self.lease_seconds, self.identity

    @property
    def lease_seconds(self) -> int:
        """How long a claim holds."""
        return seconds(self.lease_for)

    @property
    def identity(self) -> Identity:
        """Whose name the commits carry, taken apart."""
        found = _WHO.fullmatch(self.author)
        if found is None:
            raise ValueError(f"author: {self.author!r} is not `Name <name@host>`")
        return Identity(name=found[1].strip(), email=found[2])


def full_sha(name: str, text: str) -> str:
    """Return `text` if it is a whole commit id.

    Raises `InvalidData`, which names the variable.
    """
    if not _SHA.fullmatch(text):
        raise InvalidData(
            f"{name}: {text[:80]!r} is no whole commit id.",
            hint="hand on what `gitcmat ci plan` printed",
        )
    return text
