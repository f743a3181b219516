"""What a tick decides: what comes in, changes, goes, waits and starts, and in which order."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitcmat.model.entry import Entry, Source
from gitcmat.model.events import Approved, Edited, NeedFailed, Unapproved, Withdrawn
from gitcmat.model.schedule import (
    Decisions,
    Happened,
    Intent,
    Take,
    Wanted,
    World,
    find_cycle,
    may_start_now,
    plan,
    startable,
    unmet_needs,
    waits_for,
)
from gitcmat.model.state import OPEN, State
from gitcmat.model.task import Priority, Task

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MAIN = "refs/heads/main"
SIDE = "refs/heads/side"


def source(task: str, blob: str = "1", ref: str = MAIN) -> Source:
    return Source(ref=ref, commit="c", path=f".cmat/tasks/{task}.yaml", blob=blob)


def entry(task: str, state: State = State.PENDING, needs: Iterable[str] = (), **more: Any) -> Entry:
    wanted = Task(title=task, needs=tuple(needs))
    plain = Entry(
        id=task,
        state=state,
        task=wanted,
        source=source(task),
        target=MAIN,
        created=NOW,
        updated=NOW,
        since=NOW,
    )
    return replace(plain, **more)


def wanted(task: str, blob: str = "1", ref: str = MAIN, **task_fields: Any) -> Wanted:
    fields = {"title": task, **task_fields}
    return Wanted(id=task, source=source(task, blob, ref), task=Task(**fields))


def intent(*files: Wanted, new_from: str | None = MAIN) -> Intent:
    refs = {MAIN, *(f.source.ref for f in files)}
    return Intent(
        new_from=new_from,
        files={ref: {f.id: f for f in files if f.source.ref == ref} for ref in refs},
    )


def world(*entries: Entry, allowed: Collection[str] | None = None, **more: Any) -> World:
    """All of `entries` may run as they are, unless `allowed` names those that may."""
    held = {e.id: e for e in entries}
    may = set(held) if allowed is None else set(allowed)
    plain = World(
        now=NOW,
        entries=held,
        known=frozenset(held),
        allowed={(task, blob) for task in may for blob in ("1", "2")},
        landed=frozenset(),
        free=2,
    )
    return replace(plain, **more)


def files_of(*entries: Entry) -> Intent:
    return intent(*(wanted(e.id) for e in entries))


# --- what comes in ------------------------------------------------------------------------------


def test_a_new_file_that_may_run_is_taken_in_as_pending() -> None:
    file = wanted("a")
    took = Take(id="a", task=Task(title="a"), source=source("a"), state=State.PENDING)
    assert plan(intent(file), world(allowed={"a"})) == Decisions(take=(took,))


def test_a_new_file_of_somebody_else_waits_in_the_backlog() -> None:
    decided = plan(intent(wanted("a")), world())
    assert [(t.id, t.state) for t in decided.take] == [("a", State.BACKLOG)]


def test_a_new_file_with_an_unknown_need_waits_in_the_backlog() -> None:
    decided = plan(intent(wanted("a", needs=("later",))), world(allowed={"a"}))
    assert [(t.id, t.state) for t in decided.take] == [("a", State.BACKLOG)]


def test_two_new_files_that_come_together_know_each_other() -> None:
    decided = plan(intent(wanted("a", needs=("b",)), wanted("b")), world(allowed={"a", "b"}))
    assert {t.id: t.state for t in decided.take} == {"a": State.PENDING, "b": State.PENDING}


def test_nothing_new_comes_from_another_branch_nor_while_there_is_none() -> None:
    file = wanted("a", ref=SIDE)
    assert plan(intent(file), world(allowed={"a"})) == Decisions()
    assert plan(intent(wanted("a"), new_from=None), world(allowed={"a"})) == Decisions()


def test_a_file_that_does_not_parse_is_neither_taken_in_nor_does_it_withdraw() -> None:
    broken = Wanted(id="a", source=source("a", "2"), broken="x.yaml:1: no")
    assert plan(intent(broken), world(allowed={"a"})) == Decisions()
    assert plan(intent(broken), world(entry("a"))) == Decisions()


def test_the_file_of_a_finished_task_is_not_taken_in_again() -> None:
    done = entry("a", State.DONE)
    assert plan(intent(wanted("a", "2")), world(done)) == Decisions()
    assert plan(intent(wanted("a", "2")), world(known={"a"})) == Decisions()


# --- what changes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state", [State.BACKLOG, State.PENDING, State.BLOCKED, State.ACTIVE], ids=str
)
def test_an_edit_at_its_own_source_reaches_what_is_not_at_review(state: State) -> None:
    file = wanted("a", "2", prompt="more")
    edited = Edited(task=Task(title="a", prompt="more"), source=source("a", "2"))
    decided = plan(intent(file), world(entry("a", state)))
    assert decided == Decisions(happened=(Happened(id="a", event=edited),))


def test_an_edit_at_review_changes_nothing() -> None:
    assert plan(intent(wanted("a", "2")), world(entry("a", State.REVIEW))) == Decisions()


def test_an_edit_on_another_branch_changes_nothing() -> None:
    there = wanted("a", "2", ref=SIDE)
    assert plan(intent(wanted("a"), there, new_from=SIDE), world(entry("a"))) == Decisions()


@pytest.mark.parametrize(
    "state", [State.BACKLOG, State.PENDING, State.BLOCKED, State.ACTIVE], ids=str
)
def test_a_file_deleted_at_its_own_source_withdraws(state: State) -> None:
    decided = plan(intent(), world(entry("a", state)))
    assert decided == Decisions(happened=(Happened(id="a", event=Withdrawn()),))


@pytest.mark.parametrize("state", [State.REVIEW, State.DONE, State.FAILED, State.CANCELLED])
def test_a_deleted_file_does_nothing_to_what_is_at_review_or_finished(state: State) -> None:
    assert plan(intent(), world(entry("a", state))) == Decisions()


def test_a_switch_to_a_branch_without_the_file_withdraws_nothing() -> None:
    there = Intent(new_from=SIDE, files={MAIN: {"a": wanted("a")}, SIDE: {}})
    assert plan(there, world(entry("a"))) == Decisions()


def test_a_source_that_is_gone_withdraws_nothing() -> None:
    assert plan(Intent(new_from=SIDE, files={SIDE: {}}), world(entry("a"))) == Decisions()


def test_an_approval_and_a_known_need_free_what_is_in_the_backlog() -> None:
    one = entry("a", State.BACKLOG, needs=["b"])
    free = Decisions(happened=(Happened(id="a", event=Approved()),))
    assert plan(files_of(one), world(one, known={"a", "b"})) == free
    assert plan(files_of(one), world(one)) == Decisions()
    assert plan(files_of(one), world(one, known={"a", "b"}, allowed=())) == Decisions()


def test_an_edit_that_nobody_approved_goes_back_to_the_backlog() -> None:
    one = entry("a")
    back = Decisions(happened=(Happened(id="a", event=Unapproved()),))
    assert plan(files_of(one), world(one, allowed=())) == back


def test_work_without_a_file_needs_no_approval() -> None:
    one = entry("a", source=None)
    assert plan(intent(), world(one, allowed=())) == Decisions()


@pytest.mark.parametrize("lost", [State.FAILED, State.CANCELLED], ids=str)
def test_a_need_that_is_lost_is_asked_about_unless_a_person_goes_on_without(lost: State) -> None:
    one, need = entry("a", needs=["b"]), entry("b", lost)
    asked = Decisions(happened=(Happened(id="a", event=NeedFailed(need="b", state=lost)),))
    assert plan(files_of(one, need), world(one, need)) == asked
    without = replace(one, go_on_without=("b",))
    assert plan(files_of(one, need), world(without, need)) == Decisions()


# --- what waits, and for what ---------------------------------------------------------------------


REASONS: list[tuple[Entry, Mapping[str, Any], str]] = [
    (entry("a", State.BACKLOG), {"allowed": ()}, "waits for approval"),
    (entry("a", State.BACKLOG, ["b", "c"]), {}, "needs b, c, which is not known"),
    (entry("a", State.BACKLOG), {}, "is about to be queued"),
    (entry("a", hold=True), {}, "on hold"),
    (entry("a", hold=True, reason="stopped by a person"), {}, "on hold (stopped by a person)"),
    (entry("a", needs=["b", "c"]), {"landed": {(MAIN, "c")}}, "needs b"),
    (entry("a", needs=["b"]), {"landed": {(SIDE, "b")}}, "needs b"),
    (entry("a", needs=["b"]), {"landed": {(MAIN, "b")}}, ""),
    (entry("a", needs=["b"], go_on_without=("b",)), {}, ""),
    (entry("a", not_before=NOW + timedelta(seconds=61)), {}, "not before 12:01:01 UTC"),
    (entry("a", not_before=NOW), {}, ""),
    (entry("a"), {}, ""),
]


@pytest.mark.parametrize("case", range(len(REASONS)))
def test_a_reason_is_said_for_whatever_does_not_start(case: int) -> None:
    one, more, why = REASONS[case]
    there = world(one, **more)
    assert waits_for(one, there) == why
    assert startable(there) == (() if why else ("a",))


def test_an_entry_whose_source_is_gone_waits_until_it_is_back() -> None:
    one = entry("a")
    assert waits_for(one, world(one), gone={MAIN}) == "its source refs/heads/main is gone"
    assert startable(world(one), gone={MAIN}) == ()
    assert startable(world(one), gone={SIDE}) == ("a",)


def test_by_name_a_person_may_start_what_is_held_or_later_but_not_what_has_needs() -> None:
    held = entry("a", hold=True, not_before=NOW + timedelta(hours=1))
    assert may_start_now(held, world(held))
    needy = entry("a", needs=["b"])
    assert not may_start_now(needy, world(needy))
    assert not may_start_now(entry("a", State.BLOCKED), world(entry("a", State.BLOCKED)))


def test_what_starts_first_is_by_priority_then_age_then_id() -> None:
    older = NOW - timedelta(seconds=1)
    entries = [
        entry("low", priority=Priority.LOW, created=older),
        entry("new"),
        entry("old", created=older),
        entry("also-new"),
        entry("urgent", priority=Priority.CRITICAL),
    ]
    assert startable(world(*entries)) == ("urgent", "old", "also-new", "new", "low")


# --- circles --------------------------------------------------------------------------------------


def test_a_circle_is_named_with_its_first_id_at_both_ends() -> None:
    assert find_cycle({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}) == ["a", "b", "c", "a"]
    assert find_cycle({"a": ["a"]}) == ["a", "a"]
    assert find_cycle({"a": ["b", "c"], "b": ["d"], "c": ["d"]}) == []
    assert find_cycle({}) == []


def test_a_chain_of_ten_thousand_is_no_circle() -> None:
    chain = {str(n): [str(n + 1)] for n in range(10_000)}
    assert find_cycle(chain) == []


GRAPHS = st.dictionaries(st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdefg")))


@given(GRAPHS)
def test_a_circle_is_found_exactly_when_there_is_one(needs: dict[str, set[str]]) -> None:
    found = find_cycle(needs)
    if not found:
        assert _all_can_be_done(needs)
        return
    assert found[0] == found[-1]
    assert len(set(found)) == len(found) - 1
    for one, two in pairwise(found):
        assert two in needs[one]


def _all_can_be_done(needs: Mapping[str, Collection[str]]) -> bool:
    """Take away what needs nothing that is left, again and again (Kahn's way, not ours)."""
    left = {task: set(wanted) & needs.keys() for task, wanted in needs.items()}
    while free := {task for task, wanted in left.items() if not wanted & left.keys()}:
        left = {task: wanted for task, wanted in left.items() if task not in free}
    return not left


ENTRIES = st.builds(
    entry,
    st.sampled_from("abcdef"),
    st.sampled_from(list(OPEN)),
    st.sets(st.sampled_from("abcdefx"), max_size=2),
    hold=st.booleans(),
    priority=st.sampled_from(list(Priority)),
    not_before=st.sampled_from([None, NOW - timedelta(1), NOW + timedelta(1)]),
)


@given(st.lists(ENTRIES, unique_by=lambda e: e.id), st.sets(st.sampled_from("abcdef")))
def test_what_may_start_is_what_has_no_reason_to_wait(
    entries: list[Entry], allowed: set[str]
) -> None:
    there = world(*entries, allowed=allowed, landed={(MAIN, "a"), (MAIN, "b")})
    names = startable(there)
    assert names == tuple(i for i in names if not waits_for(there.entries[i], there))
    assert set(names) == {
        e.id
        for e in entries
        if e.state is State.PENDING
        and not e.hold
        and (e.not_before is None or e.not_before <= NOW)
        and set(e.task.needs) <= {"a", "b"}
    }
    assert all(not unmet_needs(there.entries[i], there) for i in names)


def test_an_entry_whose_file_cannot_be_read_waits_and_nobody_can_start_it() -> None:
    here = world(entry("a"), entry("b"), allowed={"a", "b"})
    found = replace(here, broken={"a": "x.yaml:1: no"})
    assert startable(found) == ("b",)
    assert waits_for(found.entries["a"], found) == "has a task file that is wrong: x.yaml:1: no"
    assert not may_start_now(found.entries["a"], found)
    assert may_start_now(here.entries["a"], here)
