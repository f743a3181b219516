"""What many runs used together. What is unknown is counted, and makes a sum the least it can be."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self

from gitcmat.model.job import RunOutcome
from gitcmat.model.prices import Price, worked_out
from gitcmat.model.run import Run
from gitcmat.model.usage import Spend, Usage

UNKNOWN: Final = "unknown"
_NOTHING: Final = Usage()
_CENTS_FROM: Final = 1.0
"""US dollars from which on cents are enough."""


class By(StrEnum):
    """What is summed up."""

    RUN = "run"
    TASK = "task"
    AGENT = "agent"
    DAY = "day"
    """The day on which a run started, where the person is."""
    MODEL = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one run used."""

    id: str
    task: str
    """Empty when it was about none."""
    agent: str
    started: datetime
    spend: Spend
    outcome: RunOutcome | None = None
    """None while it is under way."""

    @classmethod
    def of(cls, run: Run) -> Self:
        """What a run used, as its record says."""
        return cls(
            id=run.id,
            task=run.task,
            agent=run.agent,
            started=run.started,
            spend=run.spend,
            outcome=run.outcome,
        )

    def priced(self, own: Iterable[Price] = ()) -> Self:
        """The same with its cost, if that is known by now (see `prices.worked_out`)."""
        return replace(self, spend=worked_out(self.spend, f"{self.started:%Y-%m-%d}", own))


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What runs used together."""

    runs: int = 0
    usd: float = 0.0
    """US dollars, of the runs whose cost is known."""
    unknown: int = 0
    """How many have a cost that nobody knows."""
    at_least: bool = False
    """Whether a cost among them is only the least that it can be."""
    usage: Usage = _NOTHING
    """Tokens, of the runs that told them."""
    silent: int = 0
    """How many did not tell their tokens."""

    def __add__(self, spend: Spend) -> "Total":
        return Total(
            runs=self.runs + 1,
            usd=self.usd + (spend.usd or 0.0),
            unknown=self.unknown + (spend.usd is None),
            at_least=self.at_least or spend.at_least,
            usage=self.usage + (spend.usage or _NOTHING),
            silent=self.silent + (spend.usage is None),
        )

    @property
    def told(self) -> bool:
        """Whether anything is known."""
        return self.unknown < self.runs or self.silent < self.runs

    @property
    def cost(self) -> str:
        """For people: ``$0.42``, ``≥ $0.42 (1 unknown)`` or ``unknown``."""
        if self.unknown == self.runs:
            return UNKNOWN if self.runs else money(0.0)
        least = "≥ " if self.unknown or self.at_least else ""
        return f"{least}{money(self.usd)}" + (f" ({self.unknown} unknown)" if self.unknown else "")

    def tokens(self, count: int) -> str:
        """A number of tokens of these runs, for people."""
        if self.runs and self.silent == self.runs:
            return UNKNOWN
        return f"{'≥ ' if self.silent else ''}{count}"

    def plain(self) -> dict[str, Any]:
        """As plain data; what no run told is None."""
        usage = self.usage
        kinds = {
            "input": usage.input,
            "cache_read": usage.cache_read,
            "cache_write": usage.cache_write,
            "output": usage.output,
        }
        return {
            "runs": self.runs,
            "usd": self.usd if self.unknown < self.runs else None,
            "unknown": self.unknown,
            "at_least": bool(self.unknown) or self.at_least,
            "tokens": kinds if self.silent < self.runs else None,
            "silent": self.silent,
        }

    def __str__(self) -> str:
        """In one line, with the tokens of each kind."""
        kinds = {
            "in": self.usage.input,
            "cache read": self.usage.cache_read,
            "cache write": self.usage.cache_write,
            "out": self.usage.output,
        }
        if self.silent == self.runs:
            return f"{self.cost}, tokens unknown" if self.told else self.cost
        said = ", ".join(f"{self.tokens(n)} {kind}" for kind, n in kinds.items() if n)
        return f"{self.cost}, tokens: {said or 'none'}"


def money(usd: float) -> str:
    """An amount for people, small ones to the hundredth of a cent."""
    return f"${usd:.2f}" if usd >= _CENTS_FROM or not usd else f"${usd:.4f}"


def counts(part: Part) -> bool:
    """Whether it used anything, or may have: it is over, and its program was started."""
    return part.outcome not in (None, RunOutcome.CANNOT_START)


def total(parts: Iterable[Part]) -> Total:
    """Sum up what `counts`."""
    found = Total()
    for part in parts:
        if counts(part):
            found += part.spend
    return found


def grouped(parts: Iterable[Part], by: By, day_of: Callable[[datetime], str]) -> dict[str, Total]:
    """Sum up what `counts`, by what `by` says; `day_of` says which day a time belongs to.

    Days and runs keep the order in which they come, the rest begins with what cost most.
    """
    found: dict[str, Total] = {}
    for part in filter(counts, parts):
        key = _key(part, by, day_of)
        found[key] = found.get(key, Total()) + part.spend
    if by in (By.DAY, By.RUN):
        return found
    return dict(sorted(found.items(), key=lambda pair: (-pair[1].usd, pair[0])))


def _key(part: Part, by: By, day_of: Callable[[datetime], str]) -> str:
    match by:
        case By.RUN:
            return part.id
        case By.TASK:
            return part.task or "(no task)"
        case By.AGENT:
            return part.agent
        case By.DAY:
            return day_of(part.started)
        case By.MODEL:
            return part.spend.model or f"({UNKNOWN})"
