"""``gitcmat cost``: what runs have used."""

from typing import TYPE_CHECKING, Any

import click

from gitcmat.cli import listing
from gitcmat.cli.state import State, common
from gitcmat.model.spending import By, Total

if TYPE_CHECKING:
    from gitcmat.engine.costs import Costs


@click.command(name="cost")
@click.argument("tasks", nargs=-1, metavar="[TASK]...")
@click.option(
    "--by", type=click.Choice([b.value for b in By]), help="Default: day; of a TASK: its runs."
)
@click.option("--since", metavar="DATE", help="Only runs that started then or later.")
@click.option("--limit", type=click.IntRange(1), default=listing.ROWS, show_default=True)
@common
def command(
    state: State, *, tasks: tuple[str, ...], by: str | None, since: str | None, limit: int
) -> None:
    """What the runs of TASKs, or all runs, have cost, and their tokens.

    A cost that nobody knows is not zero: the sum is then the least that it can be.
    """
    from gitcmat.engine.costs import costs

    chosen = By(by) if by else By.RUN if tasks else By.DAY
    found = costs(state.app.deps, tasks, chosen, since)
    shown = dict(list(found.groups.items())[:limit])
    left = len(found.groups) - len(shown)
    rows = [_row(key, one, found, chosen) for key, one in shown.items()]
    lines = ["nothing was used"]
    if rows:
        whole = ("total", *([""] * (len(rows[0]) - 7)), found.total.runs, *_amounts(found.total))
        lines = state.out.table(_head(chosen), [*rows, whole])
        lines += [f"and {left} more (--limit {len(shown) + left})"] if left else []
    data = {
        "by": chosen.value,
        "groups": [_plain(key, one, found, chosen) for key, one in shown.items()],
        "total": found.total.plain(),
        "left_out": left,
    }
    state.out.show(data, lines)


def _head(by: By) -> tuple[str, ...]:
    about = ("TASK", "AGENT", "MODEL") if by is By.RUN else ()
    kinds = ("RUNS", "COST", "IN", "CACHE READ", "CACHE WRITE", "OUT")
    return (by.value.upper(), *about, *kinds)


def _row(key: str, one: Total, found: "Costs", by: By) -> tuple[object, ...]:
    about: tuple[object, ...] = ()
    if by is By.RUN:
        part = found.parts[key]
        about = (part.task, part.agent, part.spend.model)
    return (key, *about, one.runs, *_amounts(one))


def _amounts(one: Total) -> tuple[str, ...]:
    usage = one.usage
    kinds = (usage.input, usage.cache_read, usage.cache_write, usage.output)
    return (one.cost, *map(one.tokens, kinds))


def _plain(key: str, one: Total, found: "Costs", by: By) -> dict[str, Any]:
    data = {by.value: key, **one.plain()}
    if by is By.RUN:
        part = found.parts[key]
        data |= {
            "task": part.task,
            "agent": part.agent,
            "model": part.spend.model,
            "started": part.started.isoformat(),
            "prices": part.spend.prices,
        }
    return data
