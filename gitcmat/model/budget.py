"""What is left of a budget. A cost that nobody knows uses nothing up, so it is said."""

from dataclasses import dataclass

from gitcmat.model.spending import Total, money
from gitcmat.model.task import Budget
from gitcmat.model.usage import Spend


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What may still be used; None where there is no limit."""

    usd: float | None = None
    tokens: int | None = None

    @property
    def nothing(self) -> bool:
        """Whether one of the two is used up."""
        return self.usd == 0 or self.tokens == 0

    def __and__(self, other: "Left") -> "Left":
        """What both leave."""
        usd = [n for n in (self.usd, other.usd) if n is not None]
        tokens = [n for n in (self.tokens, other.tokens) if n is not None]
        return Left(usd=min(usd, default=None), tokens=min(tokens, default=None))


def left(budget: Budget | None, used: Total, times: int = 1) -> Left:
    """What is left of `times` a budget; of none, everything."""
    if budget is None:
        return Left()
    return Left(
        usd=None if budget.usd is None else max(0.0, round(budget.usd * times - used.usd, 9)),
        tokens=None if budget.tokens is None else max(0, budget.tokens * times - used.usage.total),
    )


def used_up(budget: Budget, used: Total, times: int = 1) -> tuple[str, str]:
    """Say which part of a budget is used up: its key, and both numbers; empty texts for none."""
    what = left(budget, used, times)
    if what.usd == 0 and budget.usd is not None:
        return "usd", f"cost {used.cost} of {money(budget.usd * times)}"
    if what.tokens == 0 and budget.tokens is not None:
        return "tokens", f"used {used.tokens(used.usage.total)} of {budget.tokens * times} tokens"
    return "", ""


def not_checked(usd: float | None, tokens: int | None, spend: Spend) -> tuple[str, ...]:
    """What to warn of when a run had so much left, and does not tell what it used."""
    found = []
    if usd is not None and spend.usd is None:
        found.append(f"its cost is unknown: the budget, {money(usd)} left, was not checked")
    if tokens is not None and spend.usage is None:
        found.append(f"its tokens are unknown: the budget, {tokens} left, was not checked")
    return tuple(found)


def not_counted(spend: Spend, *, usd: bool, tokens: bool) -> tuple[str, ...]:
    """What to warn of when the budget of a day is to count this, and a run does not tell it."""
    found = []
    if usd and spend.usd is None:
        found.append("its cost is unknown: the budget of the day does not count it")
    if tokens and spend.usage is None:
        found.append("its tokens are unknown: the budget of the day does not count them")
    return tuple(found)


def overdrawn(usd: float | None, tokens: int | None, spend: Spend) -> tuple[str, ...]:
    """What to warn of when a run that had so much left used more, and was not ended for it."""
    found = []
    if usd is not None and spend.usd is not None and spend.usd > usd:
        found.append(f"it cost {money(spend.usd)}: of the budget {money(usd)} was left")
    if tokens is not None and spend.usage is not None and spend.usage.total > tokens:
        found.append(f"it used {spend.usage.total} tokens: of the budget {tokens} were left")
    return tuple(found)
