"""``gitcmat model``: models, and what their tokens cost."""

from collections.abc import Iterator
from typing import Any

import click

from gitcmat.cli.state import State, common
from gitcmat.errors import NotFound
from gitcmat.model.prices import Price, listed, price_of
from gitcmat.model.spending import money
from gitcmat.model.usage import Usage


@click.group(name="model")
def command() -> None:
    """Models, and what their tokens cost."""


@command.command(name="list")
@common
def list_(state: State) -> None:
    """List the prices that are known, your own first; dollars for a million tokens."""
    prices = (*state.app.deps.settings.prices, *listed())
    head = ("MODEL", "SINCE", "IN", "OUT", "CACHE READ", "CACHE WRITE", "PROMPTS UP TO", "SOURCE")
    lines = state.out.table(head, map(_row, prices))
    state.out.show({"prices": [_plain(price) for price in prices]}, lines)


@command.command()
@click.argument("model")
@click.option("--in", "input", type=click.IntRange(0), default=0, help="Tokens read.")
@click.option("--out", "output", type=click.IntRange(0), default=0, help="Tokens written.")
@click.option(
    "--cached", "cache_read", type=click.IntRange(0), default=0, help="Read from a cache."
)
@click.option("--cache-write", type=click.IntRange(0), default=0, help="Written into a cache.")
@click.option("--on", "day", metavar="DAY", help="The price of that day (UTC); default: today's.")
@common
def price(state: State, *, model: str, day: str | None, **tokens: int) -> None:
    """What so many tokens of MODEL cost; without any, what a million of each kind does.

    Exit code 4 when that is unknown: a similar name is another model.
    """
    deps = state.app.deps
    usage = Usage(**tokens)
    found = price_of(model, day or f"{deps.clock.now():%Y-%m-%d}", deps.settings.prices)
    usd = found.cost(usage) if found is not None else None
    if found is None or usd is None:
        what = "The price of" if found is None else "A price of"
        raise NotFound(
            f"{what} {model} is unknown.",
            hint="gitcmat model list, or prices: in your own settings",
        )
    least = found.is_least(usage)
    data = {"model": model, "usd": usd, "at_least": least, "price": _plain(found)}
    state.out.show(data, _lines(found, usage, f"{'≥ ' if least else ''}{money(usd)}"))


def _lines(found: Price, usage: Usage, cost: str) -> Iterator[str]:
    kinds = {
        "in": (usage.input, found.input),
        "out": (usage.output, found.output),
        "cache read": (usage.cache_read, found.cache_read),
        "cache write": (usage.cache_write, found.cache_write),
    }
    if usage.total:
        yield cost
    for kind, (tokens, each) in kinds.items():
        if tokens or not usage.total:
            amount = "unknown" if each is None else f"${each:g} for a million"
            yield f"  {f'{tokens} {kind}' if usage.total else kind}: {amount}"
    yield f"  since {found.since}" + (f", {found.source}" if found.source else "")


def _row(one: Price) -> tuple[object, ...]:
    amounts = (one.input, one.output, one.cache_read, one.cache_write)
    shown = ("?" if n is None else f"{n:g}" for n in amounts)
    return (one.model, one.since, *shown, one.up_to, one.source)


def _plain(one: Price) -> dict[str, Any]:
    return {
        "model": one.model,
        "since": one.since,
        "input": one.input,
        "output": one.output,
        "cache_read": one.cache_read,
        "cache_write": one.cache_write,
        "up_to": one.up_to,
        "source": one.source,
    }
