"""What an agent used: tokens and money, as far as its program says. Unknown is None, never zero."""

from dataclasses import dataclass, replace
from typing import Final, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of the four kinds that providers count and price; none is a part of another."""

    input: int = 0
    """Read, and neither from nor into a cache."""
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    """Written, thinking included."""

    @property
    def total(self) -> int:
        """All tokens together."""
        return self.input + self.cache_read + self.cache_write + self.output

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input=self.input + other.input,
            cache_read=self.cache_read + other.cache_read,
            cache_write=self.cache_write + other.cache_write,
            output=self.output + other.output,
        )

    def since(self, before: "Usage") -> "Usage":
        """What came on top of `before`; a counter that began anew counts from zero."""
        if before.total > self.total:
            return self
        return Usage(
            input=max(0, self.input - before.input),
            cache_read=max(0, self.cache_read - before.cache_read),
            cache_write=max(0, self.cache_write - before.cache_write),
            output=max(0, self.output - before.output),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What was used: of one run, or of a session from its start."""

    usage: Usage | None = None
    usd: float | None = None
    """US dollars."""
    model: str = ""
    """The model that did most, by the name that the program gives it."""
    prices: str = ""
    """The day of the prices by which gitcmat worked `usd` out; empty where the program said it."""
    at_least: bool = False
    """Whether `usd` is only the least that it can have cost."""

    def __add__(self, other: "Spend") -> "Spend":
        """Both together; what only one of them knows is that one's."""
        return Spend(
            usage=_tokens(self.usage, other.usage),
            usd=_money(self.usd, other.usd),
            model=other.model or self.model,
            prices=other.prices or self.prices,
            at_least=self.at_least or other.at_least or _is_short(self, other),
        )

    def since(self, before: "Spend") -> Self:
        """What came on top of `before`, for programs that count from a session's start."""
        usage, usd = self.usage, self.usd
        if usage is not None and before.usage is not None:
            usage = usage.since(before.usage)
        if usd is not None and before.usd is not None and usd >= before.usd:
            usd -= before.usd
        return replace(self, usage=usage, usd=usd)


UNKNOWN: Final = Spend()
"""Nothing is known of what was used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A conversation of an agent's program, which a later run may go on with."""

    id: str = ""
    """As the program names it; empty when it has none."""
    spend: Spend = UNKNOWN
    """What the program had counted since its start, where it counts so."""


NO_SESSION: Final = Session()


def _tokens(one: Usage | None, other: Usage | None) -> Usage | None:
    if one is None or other is None:
        return one or other
    return one + other


def _is_short(one: Spend, other: Spend) -> bool:
    """Whether the cost of only one of them is known though both used tokens."""
    costs = [s.usd is not None for s in (one, other) if s.usage is not None and s.usage.total]
    return any(costs) and not all(costs)


def _money(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return one + other
