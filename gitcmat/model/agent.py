"""An agent's profile: ``.cmat/agents/<name>.md``, front matter and system prompt."""

from dataclasses import dataclass, field
from typing import Final

from gitcmat.model.job import Permissions
from gitcmat.model.names import check_variables
from gitcmat.model.sandbox import SandboxMode, SandboxWish
from gitcmat.model.task import Budget, seconds

COMMAND: Final = "command"
"""The kind of agent that is any program at all."""

PROGRAMS: Final = {
    COMMAND: (),
    "claude": ("claude",),
    "codex": ("codex",),
    "gemini": ("gemini",),
    "opencode": ("opencode",),
    "aider": ("aider",),
    "mini-swe-agent": ("mini",),
    "acp": (),
}
"""What can drive an agent (`runs:`) → the program it starts where a profile names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentProfile:
    """The front matter. The text below it, `system`, goes before each prompt."""

    schema: int = field(default=1, metadata={"doc": "Version of this format"})
    name: str = field(metadata={"doc": "The agent's name, as its file's"})
    runs: str = field(default=COMMAND, metadata={"doc": "Which adapter drives it"})
    description: str = field(default="", metadata={"doc": "What it is for"})
    command: tuple[str, ...] = field(
        default=(),
        metadata={"doc": "Program and first arguments; the prompt comes on standard input"},
    )
    account: str | None = field(
        default=None,
        metadata={"doc": "Whose usage limit it works under; default: what drives it"},
    )
    model: str | None = field(default=None, metadata={"doc": "The model, as its program names it"})
    tools: tuple[str, ...] = field(
        default=(), metadata={"doc": "What it may use without asking, as its program names it"}
    )
    permissions: Permissions = field(
        default=Permissions.EDIT,
        metadata={"doc": "What it may do without asking: read, edit, all"},
    )
    skills: tuple[str, ...] = field(
        default=(), metadata={"doc": "Names of skills that its prompt points to"}
    )
    env: dict[str, str] = field(default_factory=dict, metadata={"doc": "Variables to set"})
    pass_env: tuple[str, ...] = field(
        default=(), metadata={"doc": "Names of variables handed through from gitcmat's environment"}
    )
    sandbox: SandboxMode | SandboxWish | None = field(
        default=None,
        metadata={
            "doc": "off, bwrap, auto, or a mapping; left out: what the person's settings say"
        },
    )
    timeout: str | None = field(default=None, metadata={"doc": "Longest run"})
    idle_timeout: str | None = field(default=None, metadata={"doc": "Longest silence"})
    budget: Budget | None = field(
        default=None, metadata={"doc": "What a task may cost that sets no budget of its own"}
    )

    def __post_init__(self) -> None:
        if self.runs not in PROGRAMS:
            raise ValueError(f"runs: is one of {', '.join(sorted(PROGRAMS))}")
        if not self.argv or not self.argv[0]:
            raise ValueError(f"runs: {self.runs} needs command: [program, argument, …]")
        check_variables("env", self.env, self.env.values())
        check_variables("pass_env", self.pass_env)
        for duration in (self.timeout, self.idle_timeout):
            if duration is not None:
                seconds(duration)

    @property
    def argv(self) -> tuple[str, ...]:
        """The program with its first arguments: the profile's, or the usual one of its kind."""
        return self.command or PROGRAMS[self.runs]

    @property
    def limited_as(self) -> str:
        """The account whose usage limit holds: a name of the profile's choice, or its kind's; an
        agent that is any program is an account by itself.
        """
        return self.account or (self.name if self.runs == COMMAND else self.runs)
