"""Which accounts wait, and how long where nobody says until when."""

from datetime import UTC, datetime, timedelta

from gitcmat.store import accounts

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_an_account_waits_until_the_time_that_was_named() -> None:
    until = NOW + timedelta(seconds=3)
    assert accounts.hold("claude", until, "resets in 3s", NOW) == until
    assert accounts.limits(NOW) == {"claude": accounts.Limit(until, "resets in 3s", 0)}
    assert accounts.limits(until) == {}


def test_without_a_time_it_waits_a_minute_and_twice_as_long_each_time_that_follows_soon() -> None:
    now, waits = NOW, []
    for _ in range(8):
        until = accounts.hold("claude", None, "limit", now)
        waits.append((until - now) / MINUTE)
        now = until + timedelta(seconds=10)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_after_an_hour_of_peace_it_waits_a_minute_again() -> None:
    until = accounts.hold("claude", None, "limit", NOW)
    until = accounts.hold("claude", None, "limit", until)
    later = until + timedelta(hours=1)
    assert accounts.hold("claude", None, "limit", later) == later + MINUTE


def test_a_time_that_was_misread_is_none() -> None:
    for wrong in (NOW - MINUTE, NOW + timedelta(days=9)):
        accounts.release("claude")
        assert accounts.hold("claude", wrong, "limit", NOW) == NOW + MINUTE


def test_a_shorter_wait_does_not_take_the_place_of_a_longer_one() -> None:
    until = NOW + timedelta(hours=5)
    accounts.hold("claude", until, "weekly limit", NOW)
    assert accounts.hold("claude", NOW + MINUTE, "too many requests", NOW) == until


def test_a_person_may_lift_it_once() -> None:
    accounts.hold("claude", None, "limit", NOW)
    accounts.hold("codex", None, "limit", NOW)
    assert accounts.release("claude")
    assert not accounts.release("claude")
    assert [*accounts.limits(NOW)] == ["codex"]
