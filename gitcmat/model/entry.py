"""A queue entry: the record of one task, from the moment it is taken in until it is done."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from gitcmat.model.gate import GateResult, Verdict
from gitcmat.model.issue_link import IssueLink
from gitcmat.model.pull import Pull
from gitcmat.model.state import State, check_move
from gitcmat.model.talk import Talk
from gitcmat.model.task import Priority, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the task was read: full ref, commit, path and blob."""

    ref: str
    commit: str
    path: str
    blob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Which of two records of one id is newer: epoch first, then count, by `node`."""

    epoch: int = 0
    count: int = 0
    node: str = ""


class Said(StrEnum):
    """What kind of thing was said to the agent between attempts."""

    ANSWER = "answer"
    REJECT = "reject"
    RED = "red"
    GUIDANCE = "guidance"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something the next prompt must tell, with the question it answers."""

    kind: Said
    text: str
    question: str = ""
    at: datetime
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """How the work got onto its target."""

    commit: str | None
    """None when there was nothing to land."""
    target: str
    how: str
    at: datetime
    by: str
    override: str = ""
    """The reason a person gave for landing what was not checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One task's record. `state` is held by the folder, not by the file."""

    schema: int = 1
    id: str
    state: State
    task: Task
    source: Source | None
    target: str = ""
    """Full ref that it starts from and lands on."""
    created: datetime
    updated: datetime
    since: datetime
    """When it came into its state."""
    attempt: int = 0
    """Runs since a person last said something."""
    interruptions: int = 0
    """Runs in a row whose runner died."""
    budgets: int = 1
    """How many times its budget it may use up: a person may grant as much again."""
    run: str | None = None
    """The current run, or the last one."""
    base: str = ""
    head: str = ""
    """What the last run brought home."""
    tree: str = ""
    branch: str = ""
    """Full ref of the branch for review, once it was made."""
    branch_head: str = ""
    """The commit that gitcmat put there last."""
    published: str = ""
    """The result that was last put on the branch, or left beside it because a person had moved
    it.
    """
    workspace: str = ""
    checked_tree: str = ""
    """The tree that the gates below judged."""
    verdict: Verdict | None = None
    gates: tuple[GateResult, ...] = ()
    marks: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    priority: Priority = Priority.NORMAL
    """As the task says, or as a person wrote it into the view."""
    hold: bool = False
    """As the task says, or as a person wrote it into the view."""
    not_before: datetime | None = None
    cancelling: str = ""
    """Why an active entry is to be cancelled; it is, once no process of its run is left."""
    edited_since: bool = False
    """The task file changed after the current run was given it."""
    withdrawn: bool = False
    """The task file was deleted while it ran, and a person is asked about that."""
    without_file: bool = False
    """A person wants it although there is no task file any more."""
    go_on_without: tuple[str, ...] = ()
    """Needs that a person decided to do without."""
    reason: str = ""
    """Why it is where it is, in a few words."""
    landing: Landing | None = None
    pull: Pull | None = None
    """Its pull request, once it was opened."""
    talk: Talk = field(default_factory=Talk)
    """What people say about it on a forge."""
    issue: IssueLink | None = None
    """The issue that it came from; it has no task file then."""
    version: Version = field(default_factory=Version)

    @property
    def rank(self) -> tuple[int, datetime, str]:
        """Sorts what starts first: priority, then age."""
        return (self.priority.rank, self.created, self.id)

    @property
    def approval(self) -> str:
        """What must be allowed beside its id for it to run; empty for a command's own order."""
        if self.source is not None:
            return self.source.blob
        return self.issue.approval if self.issue is not None else ""

    def set_back(self, then: "Entry") -> list[str]:
        """Say, in words, what of a person's wishes changes when they are made what they were."""
        changes = []
        if self.priority is not then.priority:
            changes.append(f"priority {self.priority} -> {then.priority}")
        if self.hold != then.hold:
            changes.append("on hold again" if then.hold else "no longer on hold")
        return changes

    def to(self, state: State, now: datetime, *, reason: str = "") -> Self:
        """Return the entry in another state.

        Raises `Conflict` when the move is not legal.
        """
        check_move(self.id, self.state, state)
        return replace(self, state=state, since=now, updated=now, reason=reason)
