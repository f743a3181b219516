"""What a runner is given (``job.json``) and what it reports (``result.json``).

A job is decided whole at the claim: the runner reads no settings and no records. Both files are
plain JSON, read with the standard library, because a runner's start is on the way of every run.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from gitcmat.model.gate import GateResult
from gitcmat.model.prices import Price
from gitcmat.model.sandbox import NO_BOX, Box
from gitcmat.model.usage import NO_SESSION, UNKNOWN, Session, Spend

JOB_SCHEMA: Final = 1


class JobKind(StrEnum):
    """What a runner is for."""

    WORK = "work"
    """Setup, agent, commit of leftovers, gates, home."""
    CHECK = "check"
    """Setup and gates on a given commit; nothing comes home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Name and e-mail as git writes them."""

    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobGate:
    """A gate as decided at the claim; times in seconds."""

    name: str
    run: tuple[str, ...]
    timeout: int
    protect: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)


class Permissions(StrEnum):
    """What an agent may do without asking; each adapter says it in its program's own words."""

    READ = "read"
    """Look, and change nothing."""
    EDIT = "edit"
    """Change files of the work tree."""
    ALL = "all"
    """Whatever its program can do, commands included: meant for a sandbox."""

    def cover(self, other: "Permissions") -> bool:
        """Whether `other` allows no more than this; each allows more than the one before it."""
        return list(Permissions).index(other) <= list(Permissions).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person said to a question of the agent."""

    question: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAgent:
    """The agent as decided at the claim; times in seconds."""

    name: str
    runs: str
    command: tuple[str, ...]
    """The program with its arguments, before those that the adapter adds."""
    account: str = ""
    """Whose usage limit it works under: agents with the same account wait together."""
    model: str = ""
    tools: tuple[str, ...] = ()
    """What it may use without asking, as its program names it."""
    permissions: Permissions = Permissions.EDIT
    env: dict[str, str] = field(default_factory=dict)
    pass_env: tuple[str, ...] = ()
    timeout: int = 1800
    idle_timeout: int = 600
    max_output: int = 50_000_000
    """Bytes of output that are kept; more ends the run."""
    sandbox: Box = NO_BOX


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything one attempt needs to know."""

    schema: int = JOB_SCHEMA
    kind: JobKind
    run: str
    task: str
    title: str
    attempt: int
    git_dir: str
    """The host's common git directory."""
    work_tree: str | None
    """The host's main work tree, for `copy`."""
    object_format: str
    workspace: str
    """The slot's folder."""
    base: str
    """The commit that the work is judged against."""
    start: str
    """The commit that the work tree begins at: the base, or the last attempt's result."""
    run_ref: str
    agent: JobAgent | None
    gates: tuple[JobGate, ...]
    setup: tuple[tuple[str, ...], ...]
    setup_when: tuple[str, ...]
    setup_timeout: int
    keep: tuple[str, ...]
    copy: tuple[str, ...]
    paths: tuple[str, ...]
    allow_env: tuple[str, ...]
    memory: int | None = None
    """Bytes that all processes of the run may hold together."""
    processes: int | None = None
    """How many processes the run may have at once."""
    checkpoint_every: int = 0
    """Seconds between two checkpoints of what the agent does; 0 for none."""
    session: Session = NO_SESSION
    """What the agent may go on with; its prompt is then what is new alone."""
    answers: tuple[Answer, ...] = ()
    usd: float | None = None
    """What is left of the money for the task, or for the day."""
    tokens: int | None = None
    """What is left of the tokens for the task, or for the day."""
    prices: tuple[Price, ...] = ()
    """The person's own prices, for programs that tell only tokens."""
    nonce: str = ""
    """What each message of the agent must have: nobody else knows it."""
    parent: str = ""
    """The run whose agent delegated this one; empty for none."""
    root: str = ""
    """The run that the delegation began with."""
    depth: int = 0
    """How many runs are above it."""
    agents: tuple[str, ...] = ()
    """Names of the agents that its agent may delegate to."""
    identity: Identity


class RunOutcome(StrEnum):
    """How a run ended."""

    FINISHED = "finished"
    """The agent ended well; the gates may still be red."""
    ASKED = "asked"
    """The agent asked a question."""
    FAILED = "failed"
    """The agent exited non-zero."""
    CANNOT_START = "cannot start"
    """The agent's program or the setup could not be run."""
    TIMED_OUT = "timed out"
    SILENT = "silent"
    """No output for the idle time."""
    TOO_LOUD = "too much output"
    TOO_LARGE = "too much memory"
    TOO_MANY = "too many processes"
    LIMITED = "provider limit"
    """The provider serves the account no more for a time; uses no attempt."""
    OVER_BUDGET = "over budget"
    """It used what it may cost; the work so far is kept, and a person is asked."""
    STOPPED = "stopped"
    """A person stopped it."""
    INTERRUPTED = "interrupted"
    """The runner died; uses no attempt."""
    UNCLEAR = "unclear"
    """It ended, but its result needs a person: a merge left half done, a history rewritten, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One changed path: git's status letter (A, M, D, T) and the path from the root."""

    status: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a runner reports. `head` is what came home on the run's ref; equal to `start` when
    nothing changed.
    """

    schema: int = JOB_SCHEMA
    run: str
    outcome: RunOutcome
    message: str = ""
    """One line for people: why it ended so."""
    exit_code: int | None = None
    head: str = ""
    tree: str = ""
    commits: int = 0
    """Commits from `start` to `head`."""
    files: tuple[FileChange, ...] = ()
    """What differs from the base, at most 500."""
    more_files: int = 0
    """How many more differ."""
    gates: tuple[GateResult, ...] = ()
    questions: tuple[str, ...] = ()
    subtasks: tuple[str, ...] = ()
    """Titles of the subtasks that the agent wants its task to have."""
    marks: tuple[str, ...] = ()
    """Facts that a reviewer is shown first, such as ``outside paths: docs/x.md``."""
    warnings: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    """Ignored files that stay in the workspace."""
    said: str = ""
    """The agent's last words: its own summary."""
    session: Session = NO_SESSION
    spend: Spend = UNKNOWN
    """What this run used."""
    until: datetime | None = None
    """For a provider's limit: when it ends, where the provider says so."""
    started: datetime
    ended: datetime
