"""The rules about checkpoints: names, sizes, what may go, what of a record is put back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gitcmat.errors import InvalidData
from gitcmat.model.checkpoint import (
    Checkpoint,
    PutBack,
    TaskNow,
    Why,
    checked_name,
    compare_tasks,
    expired,
    is_large,
    last_restore,
    put_back,
)
from gitcmat.model.state import State
from gitcmat.model.task import Priority
from tests.support.store import NOW, entry


def _made(number: int, why: Why = Why.LANDING, *, days: float = 0, tree: str = "") -> Checkpoint:
    return Checkpoint(
        id=f"c-{number}",
        name=f"number {number}",
        why=why,
        ref=f"refs/cmat/checkpoints/c-{number}",
        commit="c" * 40,
        head="b" * 40,
        work_tree=tree,
        created=NOW - timedelta(days=days),
        by="Pat",
    )


@pytest.mark.parametrize("name", ["x", "  vor dem Umbau 🙂 ", "a/b; rm -rf", "-x"])
def test_a_name_is_free_text_of_one_line(name: str) -> None:
    assert checked_name(name) == name.strip()


@pytest.mark.parametrize("name", ["", "  ", "x" * 201])
def test_a_name_is_neither_empty_nor_endless(name: str) -> None:
    with pytest.raises(InvalidData, match="A checkpoint needs a name of 1 to 200 characters"):
        checked_name(name)


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a\x1b[0m", "a\u2028b", "a\0b"])
def test_a_name_has_no_control_characters(name: str) -> None:
    with pytest.raises(InvalidData, match="is one line of text"):
        checked_name(name)


def test_many_or_large_new_files_are_asked_about() -> None:
    assert not is_large(1_000, 50_000_000)
    assert is_large(1_001, 0)
    assert is_large(0, 50_000_001)
    assert not is_large(5_000, 60_000_000, limit=60_000_000)
    assert is_large(1, 2, limit=1)


def test_without_a_word_only_what_gitcmat_made_90_days_ago_goes() -> None:
    found = [
        _made(1, days=91),
        _made(2, days=89),
        _made(3, Why.MANUAL, days=900),
        _made(4, Why.RESTORE, days=91.5),
    ]
    assert [c.id for c in expired(found, NOW, keep=None, days=None)] == ["c-4", "c-1"]


def test_the_newest_are_kept_and_named_ones_are_not_counted() -> None:
    found = [_made(n, days=n) for n in range(1, 6)] + [_made(9, Why.MANUAL)]
    assert [c.id for c in expired(found, NOW, keep=2, days=None)] == ["c-5", "c-4", "c-3"]
    assert [c.id for c in expired(found, NOW, keep=2, days=4.5)] == ["c-5"]
    assert [c.id for c in expired(found, NOW, keep=None, days=4.5)] == ["c-5"]
    assert len(expired(found, NOW, keep=0, days=None)) == 5
    assert expired(found, NOW, keep=9, days=None) == []


def test_the_last_restore_is_that_of_this_work_tree() -> None:
    found = [
        _made(1, Why.RESTORE, days=3),
        _made(2, Why.RESTORE, days=2),
        _made(3, Why.RESTORE, days=1, tree="linked"),
        _made(4, Why.MANUAL),
    ]
    last = last_restore(found, "")
    assert last is not None
    assert last.id == "c-2"
    assert last_restore(found[3:], "") is None


def test_tasks_are_added_removed_changed_or_unchanged() -> None:
    old = {i: TaskNow(State.PENDING, f"{i}.yaml", "1") for i in ("gone", "moved", "same")}
    new = {
        "same": old["same"],
        "moved": TaskNow(State.DONE, "done.yaml", "1"),
        "new": TaskNow(State.BACKLOG, "new.yaml", "1"),
    }
    found = compare_tasks(old, new)
    assert (found.added, found.removed, found.unchanged) == (("new",), ("gone",), ("same",))
    assert found.changed == {"moved": (old["moved"], new["moved"])}


def test_priority_and_hold_are_put_back_and_the_rest_of_the_record_stays() -> None:
    then = entry("x", State.PENDING, priority=Priority.HIGH)
    now = entry("x", State.PENDING, hold=True, attempt=3, reason="sent back")
    plan = put_back(then, now, NOW)
    assert plan == PutBack(
        "x",
        replace(now, priority=Priority.HIGH, hold=False, updated=NOW),
        "priority normal -> high, no longer on hold",
    )


@pytest.mark.parametrize(
    ("then", "now", "why"),
    [
        (State.PENDING, State.ACTIVE, "is active, was pending, and stays so"),
        (State.BLOCKED, State.REVIEW, "is review, was blocked, and stays so"),
        (State.PENDING, State.CANCELLED, "is cancelled, was pending: gitcmat queue rerun x"),
        (State.DONE, State.PENDING, "is pending, was done, and stays so"),
    ],
)
def test_a_state_is_named_and_never_put_back(then: State, now: State, why: str) -> None:
    assert put_back(entry("x", then), entry("x", now), NOW) == PutBack("x", None, why)


def test_what_differs_in_nothing_that_counts_is_not_named() -> None:
    then = entry("x", State.PENDING)
    assert put_back(then, replace(then, attempt=2), NOW) is None
    done = entry("x", State.DONE)
    assert put_back(done, replace(done, hold=True), NOW) is None


def test_a_task_that_moved_gets_its_priority_back_all_the_same() -> None:
    then = entry("x", State.PENDING, hold=True)
    now = entry("x", State.REVIEW)
    plan = put_back(then, now, NOW)
    assert plan is not None
    assert plan.why == "on hold again (is review, was pending, and stays so)"
    assert plan.entry is not None
    assert (plan.entry.state, plan.entry.hold) == (State.REVIEW, True)
