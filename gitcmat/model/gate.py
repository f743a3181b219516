"""Gates: named commands that judge a result, and what they said."""

from dataclasses import dataclass, field
from enum import StrEnum

from gitcmat.model.names import check_variables
from gitcmat.model.task import seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One gate of config.yaml. Its name is its key there."""

    run: tuple[str, ...] = field(metadata={"doc": "Program and arguments; never a shell line"})
    timeout: str = field(default="10m", metadata={"doc": "Longest time, such as 10m"})
    protect: tuple[str, ...] = field(
        default=(), metadata={"doc": "Globs that this gate reads as they are at the base"}
    )
    env: dict[str, str] = field(default_factory=dict, metadata={"doc": "Variables to set"})

    def __post_init__(self) -> None:
        if not self.run or not self.run[0]:
            raise ValueError("run needs a program")
        check_variables("env", self.env, self.env.values())
        seconds(self.timeout)


class GateOutcome(StrEnum):
    """What a gate said. Only `PASSED` is green: a gate that did not run has not passed."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """The tool is missing."""
    ERROR = "error"
    """It could not judge: time-out, cannot start, judged the wrong code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place that a tool named in its output. Line and column count from 1; 0 is unknown."""

    file: str
    line: int = 0
    column: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """What one gate said of one tree."""

    name: str
    outcome: GateOutcome
    exit_code: int | None = None
    seconds: float = 0.0
    reason: str = ""
    """Why it was skipped or in error; empty when it ran."""
    output: str = ""
    """The last part of what it printed, control characters made visible."""
    locations: tuple[Location, ...] = ()
    more_locations: int = 0
    """How many places it named beside those."""

    @property
    def red(self) -> bool:
        """Whether it judged and said no, or could not judge."""
        return self.outcome in (GateOutcome.FAILED, GateOutcome.ERROR)


class Verdict(StrEnum):
    """What all gates of a run together say."""

    GREEN = "green"
    RED = "red"
    NOT_CHECKED = "not checked"
    """A gate that was asked for did not run, none was red."""
    NO_GATES = "no gates"


def verdict(results: tuple[GateResult, ...]) -> Verdict:
    """Sum up the results of a run; no results at all is `NO_GATES`."""
    if not results:
        return Verdict.NO_GATES
    if any(r.red for r in results):
        return Verdict.RED
    if any(r.outcome is GateOutcome.SKIPPED for r in results):
        return Verdict.NOT_CHECKED
    return Verdict.GREEN
