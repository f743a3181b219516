"""What is told of a change, from the record before and after it."""

from typing import Any

import pytest

from gitcmat.model.audit import KINDS, Told, tell

ENTRY = {"id": "a", "task": {"title": "Do it"}, "state": "pending", "priority": "normal"}
BLOCKER = {"id": "b-abcd2345", "task": "a", "question": "Which\none?"}
RUN = {"id": "r-abcd2345", "task": "a", "agent": "coder", "attempt": 2}
SUBTASK = {"id": "s-abcd2345", "task": "a", "title": "First"}


@pytest.mark.parametrize(
    ("noun", "old", "new", "told"),
    [
        ("task", None, ENTRY, ("task.new", "pending: Do it")),
        ("task", ENTRY, {**ENTRY, "state": "active"}, ("task.moved", "pending -> active")),
        (
            "task",
            ENTRY,
            {**ENTRY, "state": "cancelled", "reason": "no more\nof it"},
            ("task.moved", "pending -> cancelled (no more of it)"),
        ),
        (
            "task",
            ENTRY,
            {**ENTRY, "priority": "high", "hold": True, "gates": [1], "updated": "later"},
            ("task.changed", "priority: normal -> high, hold: none -> true, gates"),
        ),
        ("run", None, RUN, ("run.started", "coder, attempt 2")),
        (
            "run",
            RUN,
            {**RUN, "outcome": "failed", "message": "exit 3"},
            ("run.ended", "failed: exit 3"),
        ),
        ("run", RUN, {**RUN, "attempt": 3}, ("run.changed", "attempt: 2 -> 3")),
        ("blocker", None, BLOCKER, ("blocker.opened", "Which one?")),
        (
            "blocker",
            BLOCKER,
            {**BLOCKER, "status": "answered", "answer": "this"},
            ("blocker.answered", "this"),
        ),
        ("blocker", BLOCKER, {**BLOCKER, "status": "closed"}, ("blocker.closed", "Which one?")),
        ("subtask", None, SUBTASK, ("subtask.new", "First")),
        ("subtask", SUBTASK, {**SUBTASK, "status": "done"}, ("subtask.done", "First")),
        ("subtask", {**SUBTASK, "status": "done"}, SUBTASK, ("subtask.reopened", "First")),
        (
            "checkpoint",
            {"id": "c-abcd2345", "name": "before"},
            {"id": "c-abcd2345", "name": "before", "deleted": "2026-11-21T12:00:00Z"},
            ("checkpoint.deleted", "before"),
        ),
    ],
)
def test_a_change_is_told_in_one_line(
    noun: str, old: dict[str, Any] | None, new: dict[str, Any], told: tuple[str, str]
) -> None:
    found = tell(noun, old, new, record=new["id"])
    assert (found.kind, found.what) == told
    assert found.kind in KINDS


def test_a_move_names_both_states_and_what_else_changed() -> None:
    new = {**ENTRY, "state": "active", "run": "r-abcd2345", "version": {"count": 2}}
    assert tell("task", ENTRY, new, record="a") == Told(
        kind="task.moved",
        what="pending -> active",
        task="a",
        old="pending",
        new="active",
        keys=("run",),
    )


def test_long_texts_are_cut() -> None:
    found = tell("blocker", None, {**BLOCKER, "question": "x" * 500}, record="b-abcd2345")
    assert found.what == "x" * 199 + "…"
