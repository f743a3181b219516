"""What can happen to an entry, and what must be done about it: the words of
`gitcmat.model.lifecycle`.
"""

from dataclasses import dataclass
from typing import Final

from gitcmat.model.blocker import Blocker, BlockerKind
from gitcmat.model.entry import Landing, Source
from gitcmat.model.gate import GateResult
from gitcmat.model.job import Result
from gitcmat.model.state import State
from gitcmat.model.task import Task

FILE_DELETED: Final = "its task file was deleted"
"""Why a task is cancelled that was withdrawn."""

# --- what can happen ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The task file changed at its source."""

    task: Task
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What it came from is gone: its task file at the source, or the wish of its issue."""

    reason: str = FILE_DELETED


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueEdited:
    """The issue that it came from has another text."""

    task: Task
    writer: bool
    """Whether who wrote it may write to the repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAgain:
    """The issue for whose closing it was withdrawn, or was about to be, is wanted again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """It may run now: provenance, approval, known needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unapproved:
    """It may not run any more: a new version of the file waits for approval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A run is about to start."""

    run: str
    base: str
    workspace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A runner reported. `attempts` and `backoff` (seconds) are what holds for this task."""

    result: Result
    attempts: int
    backoff: int
    wanted_gates: int
    """How many gates were asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A person answered a blocker."""

    blocker: Blocker
    text: str
    by: str
    more: bool = False
    """Whether other questions about the entry are still open: it waits for their answers too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Somebody blocks the entry with a question."""

    question: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedFailed:
    """A needed task will not land."""

    need: str
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedUp:
    """Its runs have used what they may: another one does not start."""

    text: str
    """Half a sentence, with both numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A reviewer sent it back."""

    text: str
    by: str
    reason: str = "sent back at review"
    """In a few words, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecksRed:
    """Programs on the forge found red what is at review."""

    names: tuple[str, ...]
    text: str
    """What they said."""
    attempts: int
    """What holds for this task."""
    again: bool = False
    """Whether the agent was told of the same ones on the same commit: nothing came of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingFailed:
    """The tree that would have landed is red, or there is a conflict with the target."""

    text: str
    conflict: bool
    base: str = ""
    """The target's tip that it was tried on."""
    head: str = ""
    """For red: the commit on top of `base` whose tree is red; the next attempt starts there."""
    tip: str = ""
    """The branch's commit that was tried: what the next result replaces on it."""
    gates: tuple[GateResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """The work is on its target."""

    landing: Landing


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """A person does not want it any more."""

    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """A person wants a finished task done again, from the start."""

    by: str


Event = (
    Edited
    | Withdrawn
    | IssueEdited
    | WantedAgain
    | Approved
    | Unapproved
    | Claimed
    | Ended
    | Answered
    | Asked
    | NeedFailed
    | UsedUp
    | Rejected
    | ChecksRed
    | LandingFailed
    | Landed
    | Cancelled
    | Rerun
)

# --- what must be done about it -----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Open a blocker."""

    kind: BlockerKind
    question: str
    detail: str = ""
    about: str | None = None
    by: str = "gitcmat"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseBlockers:
    """What was asked about this task is no longer asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRun:
    """End the run and all its processes."""

    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RerunNeed:
    """Start a finished task again because another one needs it."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DropBranch:
    """Delete the branch for review, unless somebody has it checked out."""


Effect = Ask | CloseBlockers | StopRun | RerunNeed | DropBranch
