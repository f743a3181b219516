"""What tokens cost: prices of models by the day, and the cost of what an agent used.

A model that is not in the list has no price: it is neither free nor as dear as one with a similar
name. Prices are US dollars for a million tokens.
"""

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Final

from gitcmat.model.price_list import LIST
from gitcmat.model.usage import Spend, Usage

_MILLION: Final = 1_000_000
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What the tokens of a model cost from a day on, until a later price; None is unknown."""

    model: str = field(metadata={"doc": "Name or glob, as the agent's program names it"})
    since: str = field(metadata={"doc": "First day it holds (UTC), such as 2026-11-01"})
    input: float = field(metadata={"doc": "US dollars for a million tokens read"})
    output: float = field(metadata={"doc": "For a million written"})
    cache_read: float | None = field(
        default=None, metadata={"doc": "For a million read from a cache; left out: unknown"}
    )
    cache_write: float | None = field(
        default=None, metadata={"doc": "For a million written into a cache; left out: unknown"}
    )
    up_to: int | None = field(
        default=None, metadata={"doc": "Tokens of a prompt; a longer one costs more"}
    )
    lasting: bool = field(
        default=False, metadata={"doc": "Whether what stays longer in a cache costs more"}
    )
    source: str = field(default="", metadata={"doc": "Where it was read"})

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise ValueError("model is a name or a glob")
        if _DAY.fullmatch(self.since) is None:
            raise ValueError(f"since: {self.since!r} is not a day (write 2026-11-01)")
        amounts = (self.input, self.output, self.cache_read, self.cache_write)
        if any(amount is not None and amount < 0 for amount in amounts):
            raise ValueError("a price is not less than 0")

    def cost(self, usage: Usage) -> float | None:
        """US dollars for `usage`; None when it has tokens of a kind whose price is unknown."""
        total = 0.0
        for tokens, price in (
            (usage.input, self.input),
            (usage.output, self.output),
            (usage.cache_read, self.cache_read),
            (usage.cache_write, self.cache_write),
        ):
            if tokens and price is None:
                return None
            total += tokens * (price or 0.0)
        return total / _MILLION

    def is_least(self, usage: Usage) -> bool:
        """Whether `cost` is only the least that it can be: sums of tokens do not tell how long each
        prompt was, nor how long it stayed in a cache.
        """
        prompts = usage.input + usage.cache_read + usage.cache_write
        too_long = self.up_to is not None and prompts > self.up_to
        return too_long or (self.lasting and usage.cache_write > 0)


def price_of(model: str, day: str, own: Iterable[Price] = ()) -> Price | None:
    """The price of a model on a UTC day such as ``2026-11-21``; None when nobody knows it.

    The person's `own` prices go before the list's.
    """
    for prices in (own, listed()):
        found = [p for p in prices if p.since <= day and fnmatchcase(model, p.model)]
        if found and model:
            return max(found, key=lambda p: p.since)
    return None


def worked_out(spend: Spend, day: str, own: Iterable[Price] = ()) -> Spend:
    """`spend` with its cost, where the program told tokens and no cost and the price is known."""
    if spend.usd is not None or spend.usage is None:
        return spend
    price = price_of(spend.model, day, own)
    usd = price.cost(spend.usage) if price is not None else None
    if price is None or usd is None:
        return spend
    return replace(
        spend, usd=usd, prices=price.since, at_least=spend.at_least or price.is_least(spend.usage)
    )


@functools.cache
def listed() -> tuple[Price, ...]:
    """The prices that gitcmat knows, as they were read at their sources."""
    return tuple(_read(LIST))


def _read(text: str) -> Iterator[Price]:
    sources: dict[str, str] = {}
    for line in text.splitlines():
        words = line.split()
        if line.startswith("["):
            sources[words[0]] = words[1]
        elif words and not line.startswith("#"):
            model, since, source, *amounts, up_to = words
            read, written, cached, write = amounts
            yield Price(
                model=model,
                since=since,
                input=float(read),
                output=float(written),
                cache_read=None if cached == "?" else float(cached),
                cache_write=None if write == "?" else float(write.removesuffix("+")),
                up_to=None if up_to == "-" else int(up_to.replace("_", "")),
                lasting=write.endswith("+"),
                source=sources[source],
            )
