"""What a person changed in a file of the view, merged with the record as it is by now."""

from typing import Any

import pytest

from gitcmat.model.edits import Accepted, Lines, Refused, merge_edit
from gitcmat.model.state import FINISHED, State

ENTRY: dict[str, Any] = {
    "schema": 1,
    "id": "a",
    "priority": "normal",
    "hold": False,
    "attempt": 1,
    "task": {"title": "T", "needs": ["b"]},
    "version": {"count": 1},
}
BLOCKER: dict[str, Any] = {"schema": 1, "id": "b-x", "question": "Which?", "answer": ""}


def entry(edited: dict[str, Any], **now: Any) -> Accepted | Refused:
    return merge_edit("queue", ENTRY, {**ENTRY, **edited}, {**ENTRY, **now}, state=State.PENDING)


def answer(text: object, **now: Any) -> Accepted | Refused:
    return merge_edit("blockers", BLOCKER, {**BLOCKER, "answer": text}, {**BLOCKER, **now})


# --- entries --------------------------------------------------------------------------------------


def test_priority_and_hold_may_be_changed() -> None:
    assert entry({"priority": "high", "hold": True}) == Accepted({"priority": "high", "hold": True})


def test_nothing_changed_is_nothing_to_do() -> None:
    assert entry({}) == Accepted({})


def test_the_record_may_change_in_other_fields_meanwhile() -> None:
    now = {"priority": "low", "attempt": 2, "version": {"count": 2}}
    assert entry({"hold": True}, **now) == Accepted({"hold": True})


def test_a_field_changed_on_both_sides_is_refused() -> None:
    assert entry({"priority": "high"}, priority="low") == Refused(
        "priority was changed here and also elsewhere, to 'low'", "priority"
    )


def test_the_same_change_on_both_sides_is_nothing_to_do() -> None:
    assert entry({"hold": True}, hold=True) == Accepted({})


@pytest.mark.parametrize("value", [7, "1", True, None])
def test_no_other_field_may_be_changed(value: object) -> None:
    assert entry({"attempt": value}) == Refused(
        "attempt was changed; only priority and hold may be changed here", "attempt"
    )


def test_a_change_inside_a_field_is_a_change() -> None:
    assert entry({"task": {"title": "T", "needs": ["c"]}}) == Refused(
        "task was changed; only priority and hold may be changed here", "task"
    )


def test_an_added_key_is_refused() -> None:
    assert entry({"state": "done"}) == Refused(
        "state was added; only priority and hold may be changed here", "state"
    )


def test_a_key_that_is_no_text_is_refused() -> None:
    edited: dict[object, Any] = dict(ENTRY.items())
    edited[1] = "x"
    found = merge_edit("queue", ENTRY, edited, ENTRY, state=State.PENDING)
    assert found == Refused("1 was added; only priority and hold may be changed here", "1")


@pytest.mark.parametrize("key", ["attempt", "priority"])
def test_a_removed_key_is_refused(key: str) -> None:
    edited = {k: v for k, v in ENTRY.items() if k != key}
    assert merge_edit("queue", ENTRY, edited, ENTRY, state=State.PENDING) == Refused(
        f"{key} was removed; only priority and hold may be changed here", key
    )


def test_an_editable_key_that_was_left_out_means_its_default_and_may_be_added() -> None:
    base = {"id": "a"}
    assert merge_edit("queue", base, {"id": "a", "hold": True}, base) == Accepted({"hold": True})
    assert merge_edit("queue", base, {"id": "a", "hold": False}, base) == Accepted({})


def test_a_refusal_outweighs_what_could_be_taken() -> None:
    assert isinstance(entry({"hold": True, "attempt": 9}), Refused)


def test_the_first_refused_key_of_the_file_is_named_with_its_line() -> None:
    lines: Lines = {("attempt",): 9, ("id",): 12, ("priority",): 2}
    edited = {**ENTRY, "id": "x", "attempt": 5, "priority": "high"}
    found = merge_edit("queue", ENTRY, edited, ENTRY, state=State.PENDING, lines=lines)
    assert found == Refused(
        "attempt was changed; only priority and hold may be changed here", "attempt", 9
    )


def test_a_save_of_an_older_text_says_so() -> None:
    base = {**ENTRY, "version": {"count": 2}}
    old = {**ENTRY, "hold": True}
    assert merge_edit("queue", base, old, base, state=State.ACTIVE) == Refused(
        "it was saved from an older version of the record; open it again and repeat the change",
        "version",
    )


def test_a_text_that_is_the_record_as_it_is_now_is_nothing_to_do() -> None:
    now = {**ENTRY, "attempt": 2, "version": {"count": 2}, "landing": {"how": "squash"}}
    assert merge_edit("queue", ENTRY, now, now, state=State.DONE) == Accepted({})


@pytest.mark.parametrize("state", sorted(FINISHED))
def test_a_finished_entry_is_not_changed(state: State) -> None:
    edited = {**ENTRY, "hold": True}
    assert merge_edit("queue", ENTRY, edited, ENTRY, state=state) == Refused(
        f"the task is {state} by now", "hold"
    )


@pytest.mark.parametrize("value", ["urgent", "", None, 1, ["high"]])
def test_a_priority_is_one_of_four_words(value: object) -> None:
    assert entry({"priority": value}) == Refused(
        f"priority is one of critical, high, normal, low, not {value!r}", "priority"
    )


@pytest.mark.parametrize("value", ["yes", 1, 0, None])
def test_hold_is_true_or_false(value: object) -> None:
    assert entry({"hold": value}) == Refused(f"hold is true or false, not {value!r}", "hold")


# --- blockers -------------------------------------------------------------------------------------


def test_an_answer_is_taken_as_it_was_written() -> None:
    text = "Yes: with `#` and\n\n  indented lines\n"
    assert answer(text) == Accepted({"answer": text})


@pytest.mark.parametrize("text", ["", "  \n\n", None])
def test_an_empty_answer_is_none(text: object) -> None:
    assert answer(text) == Accepted({})


@pytest.mark.parametrize("value", [42, True, ["a"], {"a": 1}])
def test_an_answer_is_text(value: object) -> None:
    assert answer(value) == Refused(
        "answer is not text; write it on the lines below `answer: |`, two spaces in", "answer"
    )


def test_only_the_answer_may_be_changed() -> None:
    edited = {**BLOCKER, "question": "Other?", "answer": "yes"}
    assert merge_edit("blockers", BLOCKER, edited, BLOCKER) == Refused(
        "question was changed; only answer may be changed here", "question"
    )


def test_a_question_that_is_no_longer_open_takes_no_answer() -> None:
    assert answer("mine", status="answered", answer="theirs") == Refused(
        "the question is answered by now", "answer"
    )
    assert answer("mine", status="closed") == Refused("the question is closed by now", "answer")


def test_the_answer_that_was_taken_in_already_is_nothing_to_do() -> None:
    assert answer("theirs\n", status="answered", answer="theirs") == Accepted({})


# --- the rest -------------------------------------------------------------------------------------


def test_other_records_take_no_edits() -> None:
    found = merge_edit("runs", {"exit": 1}, {"exit": 0}, {"exit": 1})
    assert found == Refused("exit was changed; nothing here may be changed", "exit")


@pytest.mark.parametrize("edited", [None, [], "text", 3])
def test_what_is_no_mapping_is_refused(edited: object) -> None:
    found = merge_edit("queue", ENTRY, edited, ENTRY, lines={(): 4})
    assert found == Refused("it is not a mapping of keys to values", "", 4)
