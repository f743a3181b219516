"""What runs have used, for people: by task, agent, day or model."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from gitcmat.engine.budgets import today
from gitcmat.engine.deps import Deps
from gitcmat.errors import Usage
from gitcmat.model.spending import By, Part, Total, grouped, total
from gitcmat.store import past
from gitcmat.store.facts import Facts
from gitcmat.store.layout import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Sums, and what they are made of."""

    groups: dict[str, Total]
    parts: dict[str, Part]
    """The runs by their id, the newest first."""
    total: Total


def costs(deps: Deps, tasks: Collection[str], by: By, since: str | None) -> Costs:
    """Sum up what the runs of these tasks used (none given: all runs), or those since a date.

    Raises `NotFound` when there is no such task, `Usage` when `since` is no date.
    """
    facts = deps.reader.read()
    begin = _begin(deps, since) if since else None
    wanted = [facts.resolve(Kind.QUEUE, text) for text in tasks]
    found = [part for task in dict.fromkeys(wanted) for part in facts.spent(task=task, since=begin)]
    parts = _priced(deps, found if tasks else facts.spent(since=begin))
    return Costs(
        groups=grouped(parts, by, lambda at: f"{at.astimezone():%Y-%m-%d}"),
        parts={part.id: part for part in parts},
        total=total(parts),
    )


def of_task(deps: Deps, facts: Facts, task: str) -> Total:
    """What all runs of a task used."""
    return total(_priced(deps, facts.spent(task=task)))


def of_today(deps: Deps, facts: Facts) -> Total:
    """What the runs of the person's day used so far."""
    return total(_priced(deps, facts.spent(since=today(deps.clock.now()))))


def _priced(deps: Deps, parts: list[Part]) -> list[Part]:
    """With the costs that are known by now: a price may have been added since."""
    if all(part.spend.usd is not None for part in parts):
        return parts
    own = deps.settings.prices
    return [part.priced(own) for part in parts]


def _begin(deps: Deps, text: str) -> datetime:
    seconds = past.moment(deps.git, text, end_of_day=False)
    if seconds is None:
        raise Usage(f"{text!r} is no date.", hint="--since 2026-11-01, or --since '2 days ago'")
    return datetime.fromtimestamp(seconds, UTC)
