"""Settings: what the repository says (``.cmat/config.yaml``) and what only this person may say
(their own file).

A key stands in exactly one of the two. What could let a repository decide its own trust, reach
secrets or use up the machine is the person's alone.
"""

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Final

from gitcmat.model.forge_settings import ForgeSettings
from gitcmat.model.gate import Gate
from gitcmat.model.machine import Limits
from gitcmat.model.names import check_variables, is_id
from gitcmat.model.prices import Price
from gitcmat.model.sandbox import SandboxMode
from gitcmat.model.task import MAX_ATTEMPTS, Budget, seconds

CONFIG_SCHEMA: Final = 1
USER_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Commands that make a workspace ready, run when it is made and when a file of `when`
    changed.
    """

    run: tuple[tuple[str, ...], ...] = field(
        default=(), metadata={"doc": "Commands, each a program and its arguments"}
    )
    when: tuple[str, ...] = field(
        default=(), metadata={"doc": "Globs of files whose change makes setup run again"}
    )
    timeout: str = field(default="15m", metadata={"doc": "Longest time of each command"})

    def __post_init__(self) -> None:
        if any(not argv or not argv[0] for argv in self.run):
            raise ValueError("each command needs a program")
        seconds(self.timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What holds for a task that does not say otherwise."""

    agent: str | None = field(default=None, metadata={"doc": "Name of .cmat/agents/<name>.md"})
    gates: tuple[str, ...] | None = field(
        default=None, metadata={"doc": "Names of gates; left out: all"}
    )
    attempts: int = field(default=3, metadata={"doc": "Runs before a person is asked"})
    timeout: str = field(default="30m", metadata={"doc": "Longest run"})
    idle_timeout: str = field(default="10m", metadata={"doc": "Longest silence of the agent"})
    backoff: str = field(
        default="10s", metadata={"doc": "Wait before the second attempt; doubles with each"}
    )

    def __post_init__(self) -> None:
        if not 1 <= self.attempts <= MAX_ATTEMPTS:
            raise ValueError(f"attempts is 1 to {MAX_ATTEMPTS}")
        for duration in (self.timeout, self.idle_timeout, self.backoff):
            seconds(duration)


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """How the branches for review are named."""

    prefix: str = field(default="cmat", metadata={"doc": "Branches are <prefix>/<task id>"})

    def __post_init__(self) -> None:
        if not all(is_id(part) for part in self.prefix.split("/")):
            raise ValueError("prefix is lower-case letters, digits and dashes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """``.cmat/config.yaml``, tracked: gates, setup and defaults of tasks."""

    schema: int = field(default=CONFIG_SCHEMA, metadata={"doc": "Version of this format"})
    gates: dict[str, Gate] = field(
        default_factory=dict, metadata={"doc": "Commands that judge a result, by name"}
    )
    setup: Setup = field(
        default_factory=Setup, metadata={"doc": "Makes a workspace ready for work"}
    )
    keep: tuple[str, ...] = field(
        default=(".venv", "node_modules", "target"),
        metadata={"doc": "Paths that stay in a workspace between tasks"},
    )
    copy: tuple[str, ...] = field(
        default=(), metadata={"doc": "Ignored files to copy into each workspace"}
    )
    defaults: Defaults = field(
        default_factory=Defaults,
        metadata={"doc": "What holds for a task that does not say otherwise"},
    )
    branch: Branch = field(
        default_factory=Branch, metadata={"doc": "How branches for review are named"}
    )
    view: bool = field(
        default=True, metadata={"doc": "Show queue, blockers and runs in the work tree"}
    )

    def __post_init__(self) -> None:
        for name in self.gates:
            if not is_id(name):
                raise ValueError(f"gate {name!r}: lower-case letters, digits and dashes")


class TaskTrust(StrEnum):
    """Whose tasks may run without `task approve`."""

    OWN = "own"
    """Those that were committed at this machine."""
    BRANCH = "branch"
    """All on the pinned branch: whoever may merge to it may run tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSettings:
    """The person's own settings for one repository; never read from the repository."""

    tasks: TaskTrust = field(
        default=TaskTrust.OWN, metadata={"doc": "Whose tasks run without approval: own, branch"}
    )
    trust_branch: str | None = field(
        default=None, metadata={"doc": "The one branch that tasks come from"}
    )
    parallel: int = field(default=2, metadata={"doc": "How many runs at once"})
    limits: Limits = field(
        default_factory=Limits,
        metadata={"doc": "What must be free for a run to start, and what it may use"},
    )
    budget: Budget | None = field(
        default=None, metadata={"doc": "What all runs of a day may cost; then nothing new starts"}
    )
    prices: tuple[Price, ...] = field(
        default=(), metadata={"doc": "Prices of models, before those that gitcmat knows"}
    )
    allow_env: tuple[str, ...] = field(
        default=(), metadata={"doc": "Names that pass_env may hand through though they are secrets"}
    )
    sandbox: SandboxMode = field(
        default=SandboxMode.AUTO,
        metadata={
            "doc": "For agents whose profile says nothing: auto (where it works), off, bwrap"
        },
    )
    workspaces: str | None = field(
        default=None, metadata={"doc": "Folder of the workspaces; default: the cache folder"}
    )
    notify: tuple[str, ...] = field(
        default=(),
        metadata={"doc": "Program that gets a question, review or failure as JSON"},
    )
    checkpoint_every: str = field(
        default="5m",
        metadata={"doc": "How often the work of a run is saved as a checkpoint; or never"},
    )
    forge: ForgeSettings = field(
        default_factory=ForgeSettings, metadata={"doc": "Where pull requests go, and how"}
    )
    quiet: float = field(
        default=2.0, metadata={"doc": "Seconds an answer must be left alone before it counts"}
    )

    def __post_init__(self) -> None:
        if not 1 <= self.parallel <= MAX_PARALLEL:
            raise ValueError(f"parallel is 1 to {MAX_PARALLEL}")
        if self.tasks is TaskTrust.BRANCH and not self.trust_branch:
            raise ValueError("tasks: branch needs trust_branch")
        if self.notify and not self.notify[0].strip():
            raise ValueError("notify needs a program")
        check_variables("allow_env", self.allow_env)
        _ = self.checkpoint_seconds

    @property
    def checkpoint_seconds(self) -> int:
        """Seconds between two checkpoints of a run; 0 for none."""
        return 0 if self.checkpoint_every == "never" else seconds(self.checkpoint_every)


MAX_PARALLEL: Final = 256
USER_KEYS: Final = frozenset(f.name for f in fields(UserSettings))
CONFIG_KEYS: Final = frozenset(f.name for f in fields(Config))
