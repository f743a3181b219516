"""Sums of what runs used, and what is left of budgets: what is unknown is not taken for zero."""

from datetime import UTC, datetime, timedelta

import pytest

from gitcmat.model.budget import Left, left, not_checked, used_up
from gitcmat.model.job import RunOutcome
from gitcmat.model.spending import By, Part, Total, grouped, total
from gitcmat.model.task import Budget
from gitcmat.model.usage import Spend, Usage

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
USAGE = Usage(input=100, cache_read=30, cache_write=7, output=20)
KNOWN = Spend(usage=USAGE, usd=0.0008, model="claude-opus-5-5")
NOBODY_KNOWS = Spend()


def part(spend: Spend, run: str = "r-1", task: str = "a", **more: object) -> Part:
    fields: dict[str, object] = {"agent": "fake", "started": NOON, "outcome": RunOutcome.FINISHED}
    return Part(id=run, task=task, spend=spend, **{**fields, **more})  # type: ignore[arg-type]


def day_of(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


@pytest.mark.parametrize(
    ("spends", "cost", "line"),
    [
        ((), "$0.00", "$0.00"),
        ((NOBODY_KNOWS,), "unknown", "unknown"),
        (
            (KNOWN, KNOWN),
            "$0.0016",
            "$0.0016, tokens: 200 in, 60 cache read, 14 cache write, 40 out",
        ),
        (
            (KNOWN, NOBODY_KNOWS),
            "≥ $0.0008 (1 unknown)",
            "≥ $0.0008 (1 unknown), tokens: ≥ 100 in, ≥ 30 cache read, ≥ 7 cache write, ≥ 20 out",
        ),
        ((Spend(usd=12.345, at_least=True),), "≥ $12.35", "≥ $12.35, tokens unknown"),
        ((Spend(usage=Usage(output=5)),), "unknown", "unknown, tokens: 5 out"),
        ((Spend(usd=0.0, usage=Usage()),), "$0.00", "$0.00, tokens: none"),
    ],
)
def test_a_sum_says_what_it_does_not_know(spends: tuple[Spend, ...], cost: str, line: str) -> None:
    found = total(part(spend) for spend in spends)
    assert (found.cost, str(found), found.runs) == (cost, line, len(spends))


def test_what_is_under_way_or_never_started_is_not_in_a_sum() -> None:
    parts = [part(KNOWN, outcome=None), part(NOBODY_KNOWS, outcome=RunOutcome.CANNOT_START)]
    assert total(parts) == Total()
    assert grouped(parts, By.TASK, day_of) == {}


def test_runs_are_grouped_by_what_is_asked_for() -> None:
    dear = Spend(usd=2.0, usage=Usage(output=1), model="gpt-6-sol")
    parts = [
        part(KNOWN, "r-3", started=NOON + timedelta(days=1)),
        part(dear, "r-2", "b", agent="other"),
        part(NOBODY_KNOWS, "r-1", ""),
    ]
    shown = {
        by: {key: found.cost for key, found in grouped(parts, by, day_of).items()} for by in By
    }
    assert {by: list(found.items()) for by, found in shown.items()} == {
        By.RUN: [("r-3", "$0.0008"), ("r-2", "$2.00"), ("r-1", "unknown")],
        By.TASK: [("b", "$2.00"), ("a", "$0.0008"), ("(no task)", "unknown")],
        By.AGENT: [("other", "$2.00"), ("fake", "≥ $0.0008 (1 unknown)")],
        By.DAY: [("2026-11-22", "$0.0008"), ("2026-11-21", "≥ $2.00 (1 unknown)")],
        By.MODEL: [
            ("gpt-6-sol", "$2.00"),
            ("claude-opus-5-5", "$0.0008"),
            ("(unknown)", "unknown"),
        ],
    }


def test_a_session_that_goes_on_is_not_counted_twice() -> None:
    counted = [
        Spend(usd=usd, usage=Usage(output=n))
        for usd, n in ((0.0008, 20), (0.0016, 40), (0.0024, 60))
    ]
    each = [
        whole.since(before) for before, whole in zip([Spend(), *counted[:-1]], counted, strict=True)
    ]
    found = total(part(spend) for spend in each)
    assert (found.cost, found.usage.output) == ("$0.0024", 60)


def test_tokens_with_and_without_a_cost_are_together_the_least() -> None:
    tokens = Spend(usage=Usage(output=1))
    assert (tokens + KNOWN).at_least
    assert not (Spend(model="m") + KNOWN).at_least
    assert not (KNOWN + KNOWN).at_least


# --- budgets ----------------------------------------------------------------------------------


def used(*spends: Spend) -> Total:
    return total(part(spend) for spend in spends)


def test_a_budget_is_for_all_runs_and_as_often_as_a_person_grants_it() -> None:
    budget = Budget(usd=0.0016, tokens=1000)
    assert left(None, used(KNOWN)) == Left()
    assert left(budget, used()) == Left(usd=0.0016, tokens=1000)
    assert left(budget, used(KNOWN)) == Left(usd=0.0008, tokens=843)
    assert left(budget, used(KNOWN, KNOWN)).nothing
    assert left(budget, used(KNOWN, KNOWN), times=2) == Left(usd=0.0016, tokens=1686)
    assert left(budget, used(NOBODY_KNOWS)) == Left(usd=0.0016, tokens=1000)


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        (Budget(usd=0.0017), ("", "")),
        (Budget(usd=0.0016), ("usd", "cost ≥ $0.0016 (1 unknown) of $0.0016")),
        (Budget(tokens=315), ("", "")),
        (Budget(usd=1.0, tokens=314), ("tokens", "used ≥ 314 of 314 tokens")),
    ],
)
def test_what_is_used_up_is_said_with_both_numbers(budget: Budget, said: tuple[str, str]) -> None:
    assert used_up(budget, used(KNOWN, KNOWN, NOBODY_KNOWS)) == said


def test_the_smaller_of_two_budgets_holds() -> None:
    assert Left(usd=1.0) & Left(usd=2.0, tokens=5) == Left(usd=1.0, tokens=5)
    assert Left() & Left() == Left()


def test_a_budget_that_could_not_be_checked_is_said() -> None:
    assert not_checked(5.0, None, NOBODY_KNOWS) == (
        "its cost is unknown: the budget, $5.00 left, was not checked",
    )
    tokens_alone = Spend(usage=USAGE)
    assert not_checked(5.0, 100, tokens_alone) == (
        "its cost is unknown: the budget, $5.00 left, was not checked",
    )
    assert not_checked(None, 100, NOBODY_KNOWS) == (
        "its tokens are unknown: the budget, 100 left, was not checked",
    )
    assert not_checked(5.0, 100, KNOWN) == ()
    assert not_checked(None, None, NOBODY_KNOWS) == ()
