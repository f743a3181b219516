"""Where records lie: one place for each, read back from the path alone."""

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitcmat.model.names import is_id
from gitcmat.model.state import FINISHED, State
from gitcmat.store import layout
from gitcmat.store.layout import Key, Kind

WHEN = datetime(2026, 11, 21, 23, 59, tzinfo=UTC)
IDS = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True).filter(
    is_id  # not the names that Windows reserves
)
TIMES = st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
DAYS = TIMES.map(lambda day: f"{day:%Y-%m-%d}")


def keys() -> st.SearchStrategy[Key]:
    entries = st.builds(layout.entry_key, IDS, st.sampled_from(State), TIMES)
    flat = st.builds(layout.blocker_key, IDS) | st.builds(layout.subtask_key, IDS)
    flat |= st.builds(layout.checkpoint_key, IDS)
    return entries | flat | st.builds(layout.run_key, IDS, DAYS)


@given(keys())
def test_a_path_says_all_that_its_key_does(key: Key) -> None:
    assert layout.parse(key.path) == key


@given(keys())
def test_the_view_is_the_same_without_the_fan(key: Key) -> None:
    *folders, fan, name = key.path.split("/")
    assert key.view == "/".join([*folders, name])
    assert fan == hashlib.sha256(key.id.encode()).hexdigest()[:2]


@given(keys())
def test_every_place_of_a_record_is_a_place_of_facts(key: Key) -> None:
    assert layout.is_fact(key.view)
    assert layout.is_fact(key.path)


@pytest.mark.parametrize("state", list(State), ids=str)
def test_only_what_is_finished_lies_in_a_folder_of_its_day(state: State) -> None:
    folder = f"{state}/2026-11-21" if state in FINISHED else state.value
    assert layout.entry_key("a", state, WHEN).view == f".cmat/queue/{folder}/a.yaml"


def test_the_places_of_the_three_kinds_are_these() -> None:
    assert layout.entry_key("x", State.REVIEW, WHEN).path == ".cmat/queue/review/2d/x.yaml"
    assert layout.blocker_key("b-abcd2345").path == ".cmat/blockers/2b/b-abcd2345.yaml"
    assert layout.run_key("r-abcd2345", "2026-11-21").path == (
        ".cmat/runs/2026-11-21/ac/r-abcd2345.yaml"
    )
    assert layout.checkpoint_key("c-abcd2345").path == ".cmat/checkpoints/79/c-abcd2345.yaml"
    assert layout.task_path("parse-dates") == ".cmat/tasks/parse-dates.yaml"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "README.md",
        ".cmat/config.yaml",
        ".cmat/tasks/a.yaml",
        ".cmat/tasks/ca/a.yaml",
        ".cmat/queue/pending/a.yaml",
        ".cmat/queue/pending/zz/a.yaml",
        ".cmat/queue/pending/ca/a.txt",
        ".cmat/queue/pending/ca/A.yaml",
        ".cmat/queue/pending/ca/.yaml",
        ".cmat/queue/pending/ca/nul.yaml",
        ".cmat/queue/pending/2026-11-21/ca/a.yaml",
        ".cmat/queue/done/ca/a.yaml",
        ".cmat/queue/done/2026-11/ca/a.yaml",
        ".cmat/queue/nowhere/ca/a.yaml",
        ".cmat/queue/ca/a.yaml",
        ".cmat/queue/a.yaml",
        ".cmat/blockers/2026-11-21/ca/a.yaml",
        ".cmat/runs/ca/a.yaml",
        ".cmat/memory/ca/a.yaml",
        "cmat/queue/pending/ca/a.yaml",
    ],
)
def test_what_is_no_place_of_a_record_is_no_key(path: str) -> None:
    assert layout.parse(path) is None


def test_facts_are_the_folders_that_only_gitcmat_writes() -> None:
    assert layout.is_fact(".cmat/queue/pending/a.yaml")
    assert layout.is_fact(".cmat/blockers/anything")
    assert not layout.is_fact(".cmat/tasks/a.yaml")
    assert not layout.is_fact(".cmat")
    assert not layout.is_fact("src/queue/a.yaml")
    assert Kind("queue") is Kind.QUEUE
