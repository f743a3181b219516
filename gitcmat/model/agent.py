"""An agent's profile: ``.cmat/agents/<name>.md``, front matter and system prompt."""

from dataclasses import dataclass, field

from gitcmat.model.task import seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentProfile:
    """The front matter. The text below it, `system`, goes before each prompt."""

    schema: int = field(default=1, metadata={"doc": "Version of this format"})
    name: str = field(metadata={"doc": "The agent's name, as its file's"})
    runs: str = field(default="command", metadata={"doc": "Which adapter drives it"})
    description: str = field(default="", metadata={"doc": "What it is for"})
    command: tuple[str, ...] = field(
        default=(), metadata={"doc": "Program and arguments; the prompt comes on standard input"}
    )
    env: dict[str, str] = field(default_factory=dict, metadata={"doc": "Variables to set"})
    pass_env: tuple[str, ...] = field(
        default=(), metadata={"doc": "Names of variables handed through from gitcmat's environment"}
    )
    timeout: str | None = field(default=None, metadata={"doc": "Longest run"})
    idle_timeout: str | None = field(default=None, metadata={"doc": "Longest silence"})

    def __post_init__(self) -> None:
        if self.runs == "command" and (not self.command or not self.command[0]):
            raise ValueError("runs: command needs command: [program, argument, …]")
        for duration in (self.timeout, self.idle_timeout):
            if duration is not None:
                seconds(duration)
