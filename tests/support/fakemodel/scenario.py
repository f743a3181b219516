"""What a fake model says, as plain data that is the same for every dialect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

KINDS: Final = frozenset(
    {
        "bad_key",
        "no_credit",
        "overloaded",
        "rate_limit",
        "server_error",
        "spend_limit",
        "usage_limit",
    }
)
"""How a provider can refuse. A rate limit passes in seconds; a usage limit is that of a plan and
passes at an hour; a spend limit is what the owner of a key has set.
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer. `input` counts neither those read from a cache nor those written."""

    input: int = 100
    output: int = 20
    cache_read: int = 0
    cache_write: int = 0

    @property
    def sent(self) -> int:
        """All tokens of the request."""
        return self.input + self.cache_read + self.cache_write


@dataclass(frozen=True, slots=True)
class Run:
    """Wants a shell command run, by whatever tool the client offers for it."""

    command: str


@dataclass(frozen=True, slots=True)
class Write:
    """Wants a file written. A relative path is one below the client's working directory."""

    path: str
    content: str


@dataclass(frozen=True, slots=True)
class Use:
    """Wants a tool by its own name, or by the end of it: `ask` is also `mcp__gitcmat__ask`."""

    tool: str
    arguments: Mapping[str, Any]


Call = Run | Write | Use


@dataclass(frozen=True, slots=True)
class Failure:
    """A refusal in the provider's own words."""

    kind: str
    times: int = 0
    """How often; after that the answer is given. 0: each time."""
    resets_in: int = 30
    """Seconds until it passes, for those that pass."""
    midway: bool = False
    """Said inside of a stream that has begun well (where the dialect knows that)."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no failure of kind {self.kind!r}; known: {', '.join(sorted(KINDS))}")


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply of the model, or how it fails to give it."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    usage: Usage = Usage()
    failure: Failure | None = None
    breaks: bool = False
    """The connection is cut in the middle of the stream, each time."""
    hangs: bool = False
    """Half of the stream comes, the rest when the test releases it."""


@dataclass(frozen=True, slots=True)
class Script:
    """The answers to one prompt, by turn: how often the model has replied to it already."""

    answers: tuple[Answer, ...]
    asks: str = ""
    """Is found in the last prompt of the conversations that this script is for."""
    account: str = ""
    """Only for requests with the key of this account."""


def scripts_of(data: Sequence[Mapping[str, Any]]) -> tuple[Script, ...]:
    """Read scripts from JSON's types: `{"asks", "account", "answers": [{"text", "calls", …}]}`.

    A call is `{"run": command}`, `{"write": path, "content": …}` or `{"use": tool, "with": {…}}`.
    Raises TypeError or KeyError for what has no meaning.
    """
    return tuple(
        Script(**{**script, "answers": tuple(_answer(answer) for answer in script["answers"])})
        for script in data
    )


def _answer(data: Mapping[str, Any]) -> Answer:
    values = dict(data)
    values["calls"] = tuple(_call(call) for call in data.get("calls", ()))
    if "usage" in data:
        values["usage"] = Usage(**data["usage"])
    if "failure" in data:
        values["failure"] = Failure(**data["failure"])
    return Answer(**values)


def _call(data: Mapping[str, Any]) -> Call:
    match dict(data):
        case {"run": str(command)}:
            return Run(command)
        case {"write": str(path), "content": str(content)}:
            return Write(path, content)
        case {"use": str(tool), **rest}:
            return Use(tool, rest.get("with", {}))
        case other:
            raise KeyError(f"no call: {other}")
