"""What must be said before work lands, and what its commit says."""

from datetime import UTC, datetime

import pytest

from gitcmat.errors import Conflict
from gitcmat.model.entry import Entry
from gitcmat.model.gate import GateOutcome, GateResult, Verdict
from gitcmat.model.landing import check_override, check_state, in_words, message, unforeseen
from gitcmat.model.state import State
from gitcmat.model.task import Task

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def _gate(name: str, outcome: str, reason: str = "") -> GateResult:
    return GateResult(name=name, outcome=GateOutcome(outcome), reason=reason)


def _entry(
    state: State = State.REVIEW, task: Task | None = None, gates: tuple[GateResult, ...] = ()
) -> Entry:
    return Entry(
        id="do-it",
        state=state,
        task=task or Task(title="Do it", prompt="Now.\nThen rest."),
        source=None,
        created=NOW,
        updated=NOW,
        since=NOW,
        run="r-1",
        gates=gates,
    )


@pytest.mark.parametrize("state", [s for s in State if s is not State.REVIEW])
def test_only_what_is_in_review_may_land(state: State) -> None:
    with pytest.raises(Conflict, match=f"do-it is {state}; only what is in review can land") as no:
        check_state(_entry(state))
    assert no.value.hint


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        ((_gate("a", "passed"),), Verdict.GREEN),
        ((), Verdict.NO_GATES),
    ],
)
def test_green_and_no_gates_need_no_reason(gates: tuple[GateResult, ...], said: Verdict) -> None:
    assert check_override(_entry(), gates, "") is said


@pytest.mark.parametrize(
    ("gates", "said", "why"),
    [
        ((_gate("a", "failed"), _gate("b", "error")), Verdict.RED, "a, b are red"),
        ((_gate("a", "passed"), _gate("b", "failed")), Verdict.RED, "b is red"),
        (
            (_gate("a", "passed"), _gate("b", "skipped", "no tool")),
            Verdict.NOT_CHECKED,
            "it was not checked (b: no tool)",
        ),
    ],
)
def test_what_is_not_green_wants_a_reason(
    gates: tuple[GateResult, ...], said: Verdict, why: str
) -> None:
    with pytest.raises(Conflict) as no:
        check_override(_entry(), gates, "")
    assert no.value.message == f"do-it does not land by itself: {why}."
    assert check_override(_entry(), gates, "I looked") is said


def test_only_a_red_that_nobody_knew_of_is_unforeseen() -> None:
    entry = _entry(gates=(_gate("a", "failed"), _gate("b", "passed")))
    assert unforeseen(entry, (_gate("a", "error"), _gate("b", "passed"))) == ()
    assert unforeseen(entry, (_gate("a", "failed"), _gate("b", "failed"))) == ("b",)


def test_no_gates_and_not_checked_are_never_called_green() -> None:
    skipped = (_gate("a", "passed"), _gate("b", "skipped"))
    assert in_words(skipped, Verdict.NOT_CHECKED) == "not checked (b did not run)"
    assert in_words((), Verdict.NOT_CHECKED) == "not checked"
    assert in_words((), Verdict.NO_GATES) == "no gates"
    assert in_words((), None) == "no gates"
    assert in_words((_gate("a", "failed"),), Verdict.RED) == "red (a)"
    assert in_words((_gate("a", "passed"),), Verdict.GREEN) == "green (a)"


def test_the_message_has_title_body_and_trailers() -> None:
    assert message(_entry(), agent="coder") == (
        "Do it\n\nNow.\nThen rest.\n\nCmat-Task: do-it\nCmat-Run: r-1\nAssisted-by: coder\n"
    )


def test_a_task_without_a_title_is_named_by_its_first_line() -> None:
    entry = _entry(task=Task(prompt="Do it.\nAnd\0 this."))
    assert message(entry, agent="", merge_of="cmat/do-it") == (
        "Merge cmat/do-it: Do it.\n\nAnd this.\n\nCmat-Task: do-it\nCmat-Run: r-1\n"
    )
