"""The small parts: time, names, the trace and the files that come with the program."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitcmat.errors import NotFound
from gitcmat.system import assets, clock, ids, trace

TASK_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def test_now_is_aware_and_in_utc() -> None:
    for now in (clock.now(), clock.SystemClock().now()):
        assert now.tzinfo is UTC
        assert abs(datetime.now(UTC) - now) < timedelta(minutes=1)


def test_the_monotonic_clock_does_not_go_back() -> None:
    real = clock.SystemClock()
    first = clock.monotonic()
    real.sleep(-5)
    real.sleep(0.001)
    assert clock.monotonic() <= real.monotonic()
    assert first + 0.001 <= clock.monotonic()
    # It is the one that the kernel never sets, not just one that happens to go on.
    before = time.monotonic()
    assert before <= clock.monotonic() <= real.monotonic() <= time.monotonic()


def test_tokens_are_of_the_alphabet_and_differ() -> None:
    made = {ids.token() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch("[a-z2-7]{8}", text) for text in made)
    assert re.fullmatch("[a-z2-7]{20}", ids.token(20))
    assert re.fullmatch("r-[a-z2-7]{8}", ids.run_id())
    assert re.fullmatch("b-[a-z2-7]{8}", ids.blocker_id())


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Parse dates", "parse-dates"),
        ("  Don't panic: it's   FINE!  ", "dont-panic-its-fine"),
        ("Größe ändern", "große-andern".replace("ß", "")),
        ("日本語", "task"),
        ("", "task"),
        ("--", "task"),
        ("x" * 100, "x" * 48),
        ("word " * 20, "word-word-word-word-word-word-word-word-word"),
        ("a" * 40 + " bbbbbbbb", "a" * 40),
    ],
)
def test_a_title_becomes_an_id(title: str, expected: str) -> None:
    assert ids.slug(title) == expected


@given(st.text(), st.integers(1, 63))
def test_any_title_becomes_a_valid_id(title: str, limit: int) -> None:
    made = ids.slug(title, limit=limit)
    assert TASK_ID.fullmatch(made)
    assert len(made) <= limit


def test_events_are_lines_of_the_file_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "trace"
    trace.event("yaml", "unseen")
    monkeypatch.setenv(trace.VARIABLE, str(log))
    trace.event("yaml", "a.yaml")
    trace.event("read", "two\nlines\\\udcff")
    assert log.read_bytes() == b"yaml a.yaml\nread two\\nlines\\\\\xff\n"


def test_a_trace_that_cannot_be_written_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for target in (tmp_path, tmp_path / "no" / "folder", Path("/dev/full")):
        monkeypatch.setenv(trace.VARIABLE, str(target))
        trace.event("yaml", "a.yaml")


def test_templates_and_hooks_are_found_in_a_checkout() -> None:
    root = Path(__file__).resolve().parents[2]
    assert assets.templates_dir() == root / "templates"
    assert assets.hooks_dir() == root / "hooks"


def test_templates_and_hooks_are_found_in_an_installed_package_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "gitcmat"
    monkeypatch.setattr(assets, "_PACKAGE", package)
    with pytest.raises(NotFound) as caught:
        assets.hooks_dir()
    assert caught.value.message == (
        f"The folder `hooks` that belongs to gitcmat is missing from {package}."
    )
    (tmp_path / "hooks").mkdir()
    (package / "_assets" / "hooks").mkdir(parents=True)
    assert assets.hooks_dir() == package / "_assets" / "hooks"
