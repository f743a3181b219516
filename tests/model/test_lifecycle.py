"""What becomes of an entry: every legal move, every refused one, and what follows from each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from gitcmat.errors import Conflict
from gitcmat.model.blocker import OPTIONS, Blocker, BlockerKind
from gitcmat.model.entry import Entry, Landing, Note, Said, Source
from gitcmat.model.events import (
    Answered,
    Approved,
    Ask,
    Asked,
    Cancelled,
    ChecksRed,
    Claimed,
    CloseBlockers,
    DropBranch,
    Edited,
    Ended,
    Landed,
    LandingFailed,
    NeedFailed,
    Rejected,
    Rerun,
    RerunNeed,
    StopRun,
    Withdrawn,
)
from gitcmat.model.gate import GateOutcome, GateResult, Verdict
from gitcmat.model.job import Result, RunOutcome
from gitcmat.model.lifecycle import MAX_INTERRUPTIONS, advance
from gitcmat.model.state import FINISHED, MOVES, State, check_move
from gitcmat.model.talk import Handed, Remark, Talk
from gitcmat.model.task import Priority, Task

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
SOURCE = Source(ref="refs/heads/main", commit="c" * 40, path=".cmat/tasks/a.yaml", blob="b" * 40)
RED = GateResult(name="tests", outcome=GateOutcome.FAILED, exit_code=1, output="1 failed")
GREEN = GateResult(name="tests", outcome=GateOutcome.PASSED, exit_code=0)
SKIPPED = GateResult(name="lint", outcome=GateOutcome.SKIPPED, reason="ruff is not installed")


def entry(state: State, **changes: Any) -> Entry:
    plain = Entry(
        id="a",
        state=state,
        task=Task(title="A"),
        source=SOURCE,
        target="refs/heads/main",
        created=NOW,
        updated=NOW,
        since=NOW,
    )
    return replace(plain, **changes)


def active(**changes: Any) -> Entry:
    return entry(State.ACTIVE, **{"run": "r-1", "attempt": 1, "base": "0", "head": "", **changes})


def ended(outcome: RunOutcome, **result: Any) -> Ended:
    given = {"run": "r-1", "message": "why", "head": "h", "tree": "t", **result}
    return Ended(
        result=Result(outcome=outcome, started=NOW, ended=LATER, **given),
        attempts=3,
        backoff=10,
        wanted_gates=1,
    )


def blocker(kind: BlockerKind, **changes: Any) -> Blocker:
    return replace(Blocker(id="b-1", task="a", kind=kind, question="q?", asked=NOW), **changes)


def answer(kind: BlockerKind, text: str, **changes: Any) -> Answered:
    return Answered(blocker=blocker(kind, **changes), text=text, by="Ann")


@pytest.mark.parametrize(("old", "new"), list(product(State, State)))
def test_a_move_is_either_legal_or_refused_with_the_legal_ones_named(
    old: State, new: State
) -> None:
    if new in MOVES[old]:
        check_move("a", old, new)
        return
    with pytest.raises(Conflict) as refused:
        check_move("a", old, new)
    assert refused.value.message == f"a is {old}; it cannot become {new}."
    allowed = ", ".join(sorted(MOVES[old]))
    assert refused.value.hint == f"from {old} it may become: {allowed}"


def test_every_state_but_a_finished_one_can_be_cancelled() -> None:
    for state in State:
        assert (State.CANCELLED in MOVES[state]) is not state.finished


def test_a_claim_counts_an_attempt_and_names_the_run() -> None:
    event = Claimed(run="r-1", base="0", workspace="1")
    new, effects = advance(entry(State.PENDING, hold=True), event, LATER)
    assert (new.state, new.run, new.attempt, new.base, new.hold) == (
        State.ACTIVE,
        "r-1",
        1,
        "0",
        False,
    )
    assert effects == ()


def test_green_gates_lead_to_review() -> None:
    new, effects = advance(active(), ended(RunOutcome.FINISHED, gates=(GREEN,)), LATER)
    assert (new.state, new.verdict, new.head, new.checked_tree) == (
        State.REVIEW,
        Verdict.GREEN,
        "h",
        "t",
    )
    assert effects == ()


def test_a_skipped_gate_leads_to_review_that_says_not_checked() -> None:
    new, _ = advance(active(), ended(RunOutcome.FINISHED, gates=(GREEN, SKIPPED)), LATER)
    assert (new.state, new.verdict) == (State.REVIEW, Verdict.NOT_CHECKED)


def test_no_gates_is_not_green() -> None:
    wanted_none = replace(ended(RunOutcome.FINISHED), wanted_gates=0)
    new, _ = advance(active(), wanted_none, LATER)
    assert (new.state, new.verdict) == (State.REVIEW, Verdict.NO_GATES)


def test_gates_that_were_wanted_and_left_no_result_are_not_checked() -> None:
    new, _ = advance(active(), ended(RunOutcome.FINISHED), LATER)
    assert new.verdict is Verdict.NOT_CHECKED


def test_red_goes_back_with_the_output_after_a_wait_that_doubles() -> None:
    first, _ = advance(active(), ended(RunOutcome.FINISHED, gates=(RED,)), LATER)
    assert (first.state, first.not_before) == (State.PENDING, LATER + timedelta(seconds=10))
    assert first.notes == (
        Note(kind=Said.RED, text="tests: failed\n1 failed", at=LATER, by="gitcmat"),
    )
    second, _ = advance(
        active(attempt=2, notes=first.notes), ended(RunOutcome.FINISHED, gates=(RED,)), LATER
    )
    assert second.not_before == LATER + timedelta(seconds=20)
    assert len(second.notes) == 1


def test_red_at_the_last_attempt_asks_a_person() -> None:
    new, effects = advance(active(attempt=3), ended(RunOutcome.FINISHED, gates=(RED,)), LATER)
    assert (new.state, new.reason) == (State.BLOCKED, "red: tests")
    question = "a is still red after 3 attempts: tests. What now?"
    assert effects == (
        Ask(kind=BlockerKind.GATES, question=question, detail="tests: failed\n1 failed"),
    )


@pytest.mark.parametrize(
    "outcome",
    [
        RunOutcome.FAILED,
        RunOutcome.CANNOT_START,
        RunOutcome.TIMED_OUT,
        RunOutcome.SILENT,
        RunOutcome.TOO_LOUD,
    ],
)
def test_an_agent_that_does_not_end_well_is_tried_again_and_then_failed(
    outcome: RunOutcome,
) -> None:
    again, _ = advance(active(), ended(outcome), LATER)
    assert (again.state, again.reason, again.attempt) == (State.PENDING, "why", 1)
    over, effects = advance(active(attempt=3), ended(outcome), LATER)
    assert (over.state, over.reason, effects) == (State.FAILED, "why", (CloseBlockers(),))


def test_an_interrupted_run_uses_no_attempt() -> None:
    new, _ = advance(active(attempt=2), ended(RunOutcome.INTERRUPTED), LATER)
    assert (new.state, new.attempt, new.head) == (State.PENDING, 1, "h")


def test_a_stopped_run_uses_no_attempt_and_is_on_hold() -> None:
    new, _ = advance(active(attempt=2), ended(RunOutcome.STOPPED), LATER)
    assert (new.state, new.attempt, new.hold) == (State.PENDING, 1, True)


def test_questions_become_one_blocker_each() -> None:
    result = ended(RunOutcome.ASKED, questions=("x?", "y?"))
    new, effects = advance(active(), result, LATER)
    assert new.state is State.BLOCKED
    assert effects == tuple(
        Ask(kind=BlockerKind.QUESTION, question=q, by="agent") for q in ("x?", "y?")
    )


def test_an_unclear_result_asks_a_person() -> None:
    new, effects = advance(active(), ended(RunOutcome.UNCLEAR, message="odd"), LATER)
    assert new.state is State.BLOCKED
    question = "The result of a needs a look: odd"
    assert effects == (Ask(kind=BlockerKind.RESULT, question=question),)


@pytest.mark.parametrize("state", list(State))
def test_the_report_of_another_run_changes_nothing(state: State) -> None:
    old = entry(state, run="r-2", attempt=1)
    assert advance(old, ended(RunOutcome.FINISHED, gates=(GREEN,)), LATER) == (old, ())


def test_a_cancelled_active_entry_waits_until_its_run_has_ended() -> None:
    ending, effects = advance(active(), Cancelled(reason="", by="Ann"), LATER)
    assert (ending.state, ending.cancelling) == (State.ACTIVE, "cancelled by Ann")
    assert effects == (CloseBlockers(), StopRun(run="r-1"))
    over, _ = advance(ending, ended(RunOutcome.STOPPED), LATER)
    assert (over.state, over.reason, over.cancelling) == (State.CANCELLED, "cancelled by Ann", "")


def test_a_waiting_entry_is_cancelled_at_once() -> None:
    over, effects = advance(
        entry(State.PENDING), Cancelled(reason="no longer needed", by="Ann"), LATER
    )
    assert (over.state, over.reason, effects) == (
        State.CANCELLED,
        "no longer needed",
        (CloseBlockers(),),
    )


def test_an_answer_frees_the_entry_and_is_told_to_the_agent() -> None:
    old = entry(State.BLOCKED, attempt=3)
    new, effects = advance(old, answer(BlockerKind.QUESTION, " use x \n"), LATER)
    assert (new.state, new.attempt, effects) == (State.PENDING, 0, ())
    assert new.notes == (Note(kind=Said.ANSWER, text="use x", question="q?", at=LATER, by="Ann"),)


def test_an_answer_leaves_a_hold_alone() -> None:
    held = entry(State.BLOCKED, hold=True)
    assert advance(held, answer(BlockerKind.QUESTION, "x"), LATER)[0].hold


def test_an_entry_with_two_questions_waits_for_both_answers() -> None:
    first = replace(answer(BlockerKind.QUESTION, "x"), more=True)
    half, _ = advance(entry(State.BLOCKED), first, LATER)
    assert (half.state, len(half.notes)) == (State.BLOCKED, 1)
    whole, _ = advance(half, answer(BlockerKind.QUESTION, "y"), LATER)
    assert (whole.state, len(whole.notes)) == (State.PENDING, 2)


@pytest.mark.parametrize("kind", [BlockerKind.GATES, BlockerKind.RESULT])
def test_the_words_of_a_red_blocker_are_commands(kind: BlockerKind) -> None:
    blocked = entry(State.BLOCKED, attempt=3, run="r-1")
    assert advance(blocked, answer(kind, "Retry."), LATER)[0].state is State.PENDING
    assert advance(blocked, answer(kind, "review anyway"), LATER)[0].state is State.REVIEW
    assert advance(blocked, answer(kind, "cancel"), LATER)[0].state is State.CANCELLED
    guided, _ = advance(blocked, answer(kind, "look at x"), LATER)
    assert (guided.state, guided.notes[0].kind) == (State.PENDING, Said.GUIDANCE)


def test_a_failed_need_asks_once_and_takes_its_three_words() -> None:
    event = NeedFailed(need="b", state=State.FAILED)
    blocked, effects = advance(entry(State.PENDING), event, LATER)
    question = "a needs b, which is failed. What now?"
    assert effects == (Ask(kind=BlockerKind.NEED, question=question, about="b"),)
    again, effects = advance(blocked, answer(BlockerKind.NEED, "retry it", about="b"), LATER)
    assert (again.state, effects) == (State.PENDING, (RerunNeed(id="b"),))
    on, _ = advance(blocked, answer(BlockerKind.NEED, "go on", about="b"), LATER)
    assert (on.state, on.go_on_without) == (State.PENDING, ("b",))
    with pytest.raises(Conflict) as refused:
        advance(blocked, answer(BlockerKind.NEED, "hm", about="b"), LATER)
    assert refused.value.message == "'hm' is no answer to b-1."
    assert refused.value.hint == "one of: retry it, go on, cancel"


def test_a_conflict_is_retried_from_the_new_tip() -> None:
    event = LandingFailed(text="both changed x.py", conflict=True)
    blocked, effects = advance(entry(State.REVIEW, head="h", base="0"), event, LATER)
    question = "a conflicts with main. Retry starts it over on the new tip."
    assert effects == (
        Ask(kind=BlockerKind.CONFLICT, question=question, detail="both changed x.py"),
    )
    again, _ = advance(blocked, answer(BlockerKind.CONFLICT, "retry"), LATER)
    assert (again.state, again.head, again.base) == (State.PENDING, "", "")


def test_a_red_landing_goes_back_and_starts_from_the_tree_that_was_red() -> None:
    event = LandingFailed(text="tests: failed", conflict=False, base="1", head="m", gates=(RED,))
    again, effects = advance(entry(State.REVIEW, head="h", base="0", attempt=3), event, LATER)
    assert (again.state, again.head, again.base, again.attempt) == (State.PENDING, "m", "1", 0)
    assert effects == ()


def test_landing_ends_the_task_and_drops_its_branch() -> None:
    landing = Landing(commit="l", target="refs/heads/main", how="squash", at=LATER, by="Ann")
    done, effects = advance(entry(State.REVIEW), Landed(landing=landing), LATER)
    assert (done.state, done.landing, effects) == (
        State.DONE,
        landing,
        (CloseBlockers(), DropBranch()),
    )


def test_a_rejected_result_goes_back_with_the_reason() -> None:
    new, _ = advance(entry(State.REVIEW, attempt=2), Rejected(text="no", by="Ann"), LATER)
    assert (new.state, new.attempt) == (State.PENDING, 0)
    assert new.notes == (Note(kind=Said.REJECT, text="no", at=LATER, by="Ann"),)


def test_red_checks_count_like_red_gates() -> None:
    event = ChecksRed(names=("build", "docs"), text="boom", attempts=2)
    old = Note(kind=Said.RED, text="before", at=NOW, by="gitcmat")
    first, effects = advance(entry(State.REVIEW, attempt=1, notes=(old,)), event, LATER)
    assert effects == ()
    assert (first.state, first.reason) == (State.PENDING, "red on the forge: build, docs")
    assert (first.attempt, [note.text for note in first.notes]) == (1, ["boom"])

    last, effects = advance(entry(State.REVIEW, attempt=2), event, LATER)
    assert last.state is State.BLOCKED
    question = "The pull request of a is red after 2 attempts: build, docs. What now?"
    assert effects == (Ask(kind=BlockerKind.GATES, question=question, detail="boom"),)


def test_checks_that_an_agent_did_nothing_about_are_for_a_person() -> None:
    event = ChecksRed(names=("build",), text="boom", attempts=9, again=True)
    new, (ask,) = advance(entry(State.REVIEW, attempt=1), event, LATER)
    assert new.state is State.BLOCKED
    assert isinstance(ask, Ask)
    assert ask.question == (
        "The pull request of a is red and the agent changed nothing: build. What now?"
    )


def test_checks_of_what_is_not_at_review_mean_nothing() -> None:
    event = ChecksRed(names=("build",), text="boom", attempts=9)
    with pytest.raises(Conflict, match="only what is review can be sent back by its checks"):
        advance(entry(State.PENDING), event, LATER)


def test_a_rerun_forgets_what_was_said_and_not_that_it_was_heard() -> None:
    talk = Talk(
        heard=("comment:1",),
        held=(Remark(id="comment:1", by="rita"),),
        handed=(Handed(id="thread:2", last="thread:2", number=7, run="r-1", head="c"),),
    )
    new, _ = advance(entry(State.DONE, talk=talk), Rerun(by="Ann"), LATER)
    assert new.talk == Talk(heard=("comment:1",))


def test_a_rerun_begins_without_what_was() -> None:
    old = entry(State.FAILED, head="h", base="0", attempt=3, gates=(RED,), marks=("m",))
    new, _ = advance(old, Rerun(by="Ann"), LATER)
    assert (new.state, new.head, new.base, new.attempt) == (State.PENDING, "", "", 0)
    assert (new.gates, new.marks) == ((), ())


@pytest.mark.parametrize("state", list(State))
def test_an_edit_changes_what_has_not_started_and_marks_what_runs(state: State) -> None:
    task = Task(title="B", priority=Priority.HIGH)
    source = replace(SOURCE, blob="d" * 40)
    old = entry(state, attempt=2, run="r-1")
    new, effects = advance(old, Edited(task=task, source=source), LATER)
    assert (new.state, effects) == (state, ())
    if state.finished or state is State.REVIEW:
        assert new is old
    elif state is State.ACTIVE:
        assert (new.edited_since, new.attempt) == (True, 2)
    else:
        assert (new.task, new.priority, new.attempt) == (task, Priority.HIGH, 0)


@pytest.mark.parametrize("state", list(State))
def test_a_deleted_file_withdraws_what_has_not_started_and_asks_about_what_runs(
    state: State,
) -> None:
    new, effects = advance(entry(state, run="r-1"), Withdrawn(), LATER)
    if state in (State.BACKLOG, State.PENDING, State.BLOCKED):
        assert (new.state, new.reason) == (State.CANCELLED, "its task file was deleted")
    elif state is State.ACTIVE:
        question = "The task file of a was deleted while it runs. Keep the run?"
        assert (new.state, new.withdrawn, effects) == (
            State.ACTIVE,
            True,
            (Ask(kind=BlockerKind.WITHDRAWN, question=question),),
        )
    else:
        assert (new.state, effects) == (state, ())


def test_a_withdrawn_run_is_kept_or_cancelled_as_a_person_says() -> None:
    kept, effects = advance(active(), answer(BlockerKind.WITHDRAWN, "keep"), LATER)
    assert (kept, effects) == (active(without_file=True, updated=LATER), ())
    with pytest.raises(Conflict, match=r"^'yes' is no answer to b-1\.$"):
        advance(active(), answer(BlockerKind.WITHDRAWN, "yes"), LATER)
    ending, effects = advance(active(), answer(BlockerKind.WITHDRAWN, "cancel"), LATER)
    assert ending.cancelling == "its task file was deleted"
    assert StopRun(run="r-1") in effects


@pytest.mark.parametrize("state", [s for s in State if State.PENDING not in MOVES[s]])
def test_what_may_not_be_pending_is_refused(state: State) -> None:
    with pytest.raises(Conflict):
        advance(entry(state), Approved(), LATER)


@pytest.mark.parametrize("state", [State.BACKLOG, State.ACTIVE, *sorted(FINISHED)])
def test_what_may_not_be_blocked_is_refused(state: State) -> None:
    with pytest.raises(Conflict) as refused:
        advance(entry(state, run="r-1"), Asked(question="why?", by="Ann"), LATER)
    allowed = "only what is pending, blocked, review can be blocked."
    assert refused.value.message == f"a is {state}; {allowed}"


def test_a_blocked_entry_takes_another_question() -> None:
    old = entry(State.BLOCKED)
    asked = Ask(kind=BlockerKind.QUESTION, question="why?", by="Ann")
    assert advance(old, Asked(question="why?", by="Ann"), LATER) == (old, (asked,))


@pytest.mark.parametrize("state", [s for s in State if not s.finished])
def test_only_what_is_finished_is_started_again(state: State) -> None:
    with pytest.raises(Conflict):
        advance(entry(state, run="r-1"), Rerun(by="Ann"), LATER)


@pytest.mark.parametrize("state", [s for s in State if s is not State.REVIEW])
def test_only_what_is_in_review_is_sent_back_or_tried_to_land(state: State) -> None:
    failed = LandingFailed(text="", conflict=False, gates=())
    for event in (Rejected(text="no", by="Ann"), failed):
        with pytest.raises(Conflict):
            advance(entry(state, run="r-1"), event, LATER)


def test_runs_that_die_in_a_row_wait_longer_each_time_and_then_ask() -> None:
    at, waits = active(), []
    for _ in range(MAX_INTERRUPTIONS - 1):
        at, effects = advance(at, ended(RunOutcome.INTERRUPTED), LATER)
        assert effects == ()
        assert at.not_before is not None
        waits.append((at.not_before - LATER).total_seconds())
        at = replace(at, state=State.ACTIVE, attempt=1)
    assert waits == [0, 10, 30, 70]
    over, (ask,) = advance(at, ended(RunOutcome.INTERRUPTED), LATER)
    assert (over.state, over.interruptions) == (State.BLOCKED, MAX_INTERRUPTIONS)
    assert ask == Ask(
        kind=BlockerKind.RESULT, question="The runs of a were interrupted 5 times in a row: why"
    )


def test_every_kind_of_blocker_says_which_words_it_takes() -> None:
    assert set(OPTIONS) == set(BlockerKind)
