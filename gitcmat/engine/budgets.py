"""What is left of budgets when a run is to start, and whose budget ended one.

A task's budget is for all its runs, and the person's for all runs of a day in this repository. A
day is the person's: from midnight to midnight where they are, and a run belongs to the one on which
it started. Runs that are under way have not told what they use, so a few at once may overdraw it.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from gitcmat.engine.deps import Deps
from gitcmat.engine.intake import Wants
from gitcmat.errors import NotFound
from gitcmat.model import budget
from gitcmat.model.budget import Left
from gitcmat.model.entry import Entry
from gitcmat.model.machine import Shortage
from gitcmat.model.prices import Price
from gitcmat.model.spending import Total, total
from gitcmat.model.task import Budget
from gitcmat.store.state import Change

_DAY = timedelta(days=1)


def left(
    deps: Deps, change: Change, entry: Entry, wants: Wants, *, of_day: bool
) -> tuple[Left, str]:
    """What the next run of `entry` may use, and why it must not start, if its own budget is used
    up. `of_day` says whether the person's budget for a day counts too.

    Raises `NotFound` when its agent does not exist.
    """
    own = _budget(entry, wants)
    prices = deps.settings.prices
    used = _used_by(change, entry, prices) if own is not None else Total()
    found = budget.left(own, used, entry.budgets)
    if of_day and deps.settings.budget is not None:
        found &= budget.left(deps.settings.budget, _used_today(deps, change))
    why = budget.used_up(own, used, entry.budgets)[1] if own is not None else ""
    return found, why


def shortage(deps: Deps, change: Change) -> Shortage | None:
    """Why nothing new starts today: the person's budget for a day is used up."""
    return None if deps.settings.budget is None else day_used_up(deps, _used_today(deps, change))


def day_used_up(deps: Deps, used: Total) -> Shortage | None:
    """Why nothing new starts on a day whose runs `used` so much; None when something may."""
    wanted = deps.settings.budget
    if wanted is None:
        return None
    key, said = budget.used_up(wanted, used)
    if not key:
        return None
    text = f"the runs of today {said}; tomorrow they go on (budget.{key})"
    return Shortage(f"budget.{key}", text, tomorrow(deps.clock.now()))


def ended_by_day(deps: Deps, change: Change, entry: Entry, wants: Wants) -> bool:
    """Whether a run of `entry` that was over budget used up the day's and not its task's."""
    try:
        own = _budget(entry, wants)
    except NotFound:
        own = entry.task.budget
    used = _used_by(change, entry, deps.settings.prices)
    if own is not None and budget.left(own, used, entry.budgets).nothing:
        return False
    return shortage(deps, change) is not None


def today(now: datetime) -> datetime:
    """The beginning of the person's day."""
    return datetime.combine(now.astimezone().date(), time()).astimezone()


def tomorrow(now: datetime) -> datetime:
    """The beginning of the person's next day."""
    return datetime.combine(now.astimezone().date() + _DAY, time()).astimezone()


def _budget(entry: Entry, wants: Wants) -> Budget | None:
    return entry.task.budget or wants.agent(entry)[0].budget


def _used_by(change: Change, entry: Entry, prices: Sequence[Price]) -> Total:
    return total(part.priced(prices) for part in change.spent(task=entry.id))


def _used_today(deps: Deps, change: Change) -> Total:
    parts = change.spent(since=today(deps.clock.now()))
    return total(part.priced(deps.settings.prices) for part in parts)
