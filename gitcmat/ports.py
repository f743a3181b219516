"""What can be plugged in. A port is here only when it has, or is about to have, more than one
real implementation.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from gitcmat.model.job import Answer, JobAgent, RunOutcome
from gitcmat.model.machine import Spare
from gitcmat.model.usage import Spend


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
    scratch: Path
    """A folder outside of the work tree for files that the program is to read: its settings."""
    session: str = ""
    """Id of a session of the agent to go on with; empty for a new one."""
    answers: tuple[Answer, ...] = ()
    """What people said to the agent's questions; a permission may be among them."""
    mail: Path | None = None
    """The folder outside of the work tree where the agent's own commands leave messages for us."""
    server: tuple[str, ...] = ()
    """How to start gitcmat's own MCP server for this run; empty for none."""
    usd: float | None = None
    """What the turn may cost, for programs that keep to it by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start the agent's program for one turn. The prompt is never an argument: others can
    read those.
    """

    argv: tuple[str, ...]
    """Its program, which is looked up outside of the repository, and what it is told."""
    stdin: bytes
    bridge: tuple[str, ...] = ()
    """A program of gitcmat's own that stands before `argv`: it starts that and speaks with it."""
    env: dict[str, str] = field(default_factory=dict)
    state: tuple[str, ...] = ()
    """What the program must be able to write below the home folder: its login, its sessions. A name
    with a slash at its end is a folder, which a sandbox cannot make later: it is made before.
    """
    heeds_errors: bool = False
    """Whether its standard error is read as its output is: for what it tells nowhere else."""
    hosts: tuple[str, ...] = ()
    """Where its model is, as ``name`` or ``name:port``, for a sandbox that lets it reach that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Where a kind of program finds its login: one of all these is enough. It may have others, such
    as a keychain, that nobody can see from outside.
    """

    variables: tuple[str, ...]
    files: tuple[str, ...] = ()
    """Below the home folder."""
    moved: str = ""
    """A variable that names the folder which the files are in instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The program works. Its session can be gone on with by this id, if it has one."""

    session: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Something the agent said, as its stream tells it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """The agent uses a tool: its name, and in a line what for."""

    tool: str
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What was used: since the last such event, or, with `whole`, since the session's start, with
    all that was told before.
    """

    spend: Spend
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question of the agent to a person."""

    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubled:
    """Something went wrong, which need not end the turn."""

    text: str
    hopeless: bool = False
    """Whether the program goes on, and nothing can come of it, as where it waits for the end of a
    usage limit: it is ended, and `Agent.end` says what that means.
    """


Heard = Started | Said | Used | Spent | Asked | Troubled
"""What a line of an agent's stream means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a turn ended, judged by what the program said and by its exit code."""

    outcome: RunOutcome
    message: str = ""
    """One line for people: why it ended so."""
    said: str = ""
    """The agent's last words, whole: its own summary."""
    questions: tuple[str, ...] = ()
    """What a person must decide before it can go on, such as a permission that it was refused."""
    until: datetime | None = None
    """For `RunOutcome.LIMITED`: when the provider serves the account again, where it says so."""
    no_session: bool = False
    """Whether nothing was done because the session to go on with is not there any more."""


class Agent(Protocol):
    """Drives one turn of one kind of agent program: says how to start it, reads what it prints,
    and judges how it ended. An instance is used for one turn.
    """

    @property
    def unknown(self) -> tuple[str, ...]:
        """What such a program never tells: among ``cost``, ``tokens``, ``session``, ``tools``,
        ``questions``, ``limits``.
        """

    @property
    def tested(self) -> Mapping[str, str]:
        """Name of a program → the version of it that this was tested with. These are the programs
        that can be asked for their version.
        """

    @property
    def login(self) -> Login | None:
        """Where its login is; None where nobody can know."""

    def launch(self, turn: Turn) -> Launch:
        """Return how to start the program for `turn`.

        Raises:
            UserError: it cannot be started like this, as the message says.
            OSError: a file for it cannot be written into `Turn.scratch`.
        """

    def read(self, line: str) -> Iterable[Heard]:
        """Return what one line of its standard output means; one that it cannot read means
        nothing, and never raises.
        """

    def end(self, exit_code: int, errors: str) -> End:
        """Judge the end of the program from all that was read, its exit code (minus the signal
        that ended it) and the end of its standard error.
        """
