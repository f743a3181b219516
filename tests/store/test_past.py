"""Points in the past: found by id, by steps and by date, and read without moving the present."""

from datetime import timedelta

import pytest

from gitcmat.errors import NotFound
from gitcmat.model.state import State
from gitcmat.store.past import find_point
from gitcmat.store.state import StateStore
from tests.support.repo import TestRepo
from tests.support.store import NOW, blocker, entry, move, open_store, put

DAY = timedelta(days=1)


@pytest.fixture
def days(repo: TestRepo) -> list[str]:
    """Three states, a day apart: `a` pending, `a` active, `b` there too; their commits."""
    commits = []
    for number in range(3):
        store = open_store(repo.path, NOW + number * DAY)
        if number == 1:
            move(store, "a", State.ACTIVE)
        else:
            put(store, entry("ab"[number // 2]), blocker(f"b-aaaaaaa{number + 2}", "a"))
        commits.append(str(store.tip()))
    return commits


@pytest.fixture
def store(repo: TestRepo, days: list[str]) -> StateStore:
    assert len(days) == 3
    return open_store(repo.path)


@pytest.mark.parametrize(
    ("text", "which"),
    [
        ("~0", 2),
        ("~", 1),
        ("~2", 0),
        ("^", 1),
        ("2026-11-21", 0),
        ("2026-11-22", 1),
        ("2026-11-21T12:00:00Z", 0),
        ("2026-11-22T11:59:59Z", 0),
        ("2026-11-22 12:00:00 +0000", 1),
        ("2030-01-01", 2),
        ("now", 2),
    ],
)
def test_a_state_is_found_by_steps_and_by_date(
    store: StateStore, days: list[str], text: str, which: int
) -> None:
    assert store.read_at(text).tip == days[which]


def test_a_state_is_found_by_the_beginning_of_its_id_and_by_its_events(
    store: StateStore, days: list[str]
) -> None:
    assert store.read_at(days[1]).tip == days[1]
    assert store.read_at(days[1][:10]).tip == days[1]
    assert store.read_at(f"{days[1][:10]}:3").tip == days[1]
    assert store.read_at(f"{days[1][:10]}~").tip == days[0]


def test_the_past_is_as_it_was_and_the_present_stays(store: StateStore, repo: TestRepo) -> None:
    now = store.read()
    then = store.read_at("~2")
    assert (then.entry("a"), then.entry("b")) == (
        entry("a", version=then.entries()[0].version),
        None,
    )
    assert [b.id for b in then.blockers()] == ["b-aaaaaaa2"]
    assert then.counts()[State.PENDING] == 1
    assert then.point is not None
    assert str(then.point).endswith(f"({str(then.tip)[:10]})")
    assert (now.states(), now.point) == ({"a": State.ACTIVE, "b": State.PENDING}, None)
    store.close()
    assert open_store(repo.path).read().states() == {"a": State.ACTIVE, "b": State.PENDING}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "There is no state 'nonsense', and it is no date either."),
        ("", "There is no state '', and it is no date either."),
        ("abcdef12", "There is no state 'abcdef12'."),
        ("~9", "There is no state '~9'."),
        ("2026-11-20", "Nothing had been recorded yet at '2026-11-20'."),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(
    store: StateStore, days: list[str], text: str, message: str
) -> None:
    with pytest.raises(NotFound) as refused:
        store.read_at(text)
    oldest, newest = (store.read_at(day).point for day in (days[0], days[2]))
    hint = f"the oldest state is of {oldest}, the newest of {newest}"
    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_a_commit_of_the_person_is_no_state(store: StateStore, repo: TestRepo) -> None:
    with pytest.raises(NotFound):
        store.read_at(repo.tip())


def test_where_nothing_was_recorded_there_is_no_past(repo: TestRepo) -> None:
    store = open_store(repo.path)
    with pytest.raises(NotFound) as refused:
        store.read_at("yesterday")
    assert refused.value.message == "Nothing has been recorded here yet."
    with pytest.raises(NotFound):
        find_point(store._git, None, "~1")
