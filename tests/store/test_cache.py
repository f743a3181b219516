"""The cache of records: right whatever became of its file, and cheap where nothing changed."""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from gitcmat.model.blocker import BlockerStatus
from gitcmat.model.job import RunOutcome
from gitcmat.model.state import State
from gitcmat.model.task import Priority
from gitcmat.store.cache import VERSION, Cache
from gitcmat.store.git import Git
from gitcmat.store.layout import Kind
from gitcmat.store.rows import TYPES
from gitcmat.store.state import StateStore
from tests.support.repo import TestRepo
from tests.support.store import NOW, blocker, entry, move, open_store, put, run


@pytest.fixture
def store(repo: TestRepo) -> StateStore:
    return open_store(repo.path)


def fresh(repo: TestRepo) -> StateStore:
    """The store as the next process opens it."""
    return open_store(repo.path)


def cache_file(repo: TestRepo) -> Path:
    return repo.git_dir / "cmat" / "cache.sqlite"


class Parsed:
    """Counts the YAML files that are parsed."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def since(self) -> int:
        """How many since it was asked last."""
        try:
            lines = self._trace.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return 0
        self._trace.unlink()
        return sum(line.startswith("yaml ") for line in lines)


@pytest.fixture
def parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parsed:
    trace = tmp_path / "trace.txt"
    monkeypatch.setenv("GITCMAT_TRACE", str(trace))
    return Parsed(trace)


# --- what it costs --------------------------------------------------------------------------------


def test_a_record_is_parsed_once_and_only_when_it_changed(
    repo: TestRepo, store: StateStore, parsed: Parsed
) -> None:
    put(store, *(entry(f"t-{n}") for n in range(20)), blocker("b-abcd2345", "t-1"))
    parsed.since()
    assert len(fresh(repo).read().entries()) == 20
    assert parsed.since() == 21
    assert len(fresh(repo).read().entries()) == 20
    assert parsed.since() == 0
    move(store, "t-7", State.ACTIVE)
    parsed.since()
    assert fresh(repo).read().counts()[State.ACTIVE] == 1
    assert parsed.since() == 1


def test_a_writer_does_not_ask_git_what_it_has_changed_itself(
    repo: TestRepo, store: StateStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, entry("t-1"), entry("t-2"))
    move(store, "t-1", State.ACTIVE)
    trace = tmp_path / "processes.txt"
    monkeypatch.setenv("GITCMAT_TRACE", str(trace))
    held = store.read()
    asked = trace.read_text(encoding="utf-8")
    assert not any(word in asked for word in ("merge-base", "diff-tree", "cat-file"))
    cache_file(repo).unlink()
    from_git = fresh(repo).read()
    assert held.entries() == from_git.entries()
    assert [held.path(Kind.QUEUE, e.id) for e in held.entries()] == [
        from_git.path(Kind.QUEUE, e.id) for e in from_git.entries()
    ]


# --- what it is when its file is not what it was --------------------------------------------------


def _no_file(file: Path) -> None:
    file.unlink()


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _garbage(file: Path) -> None:
    file.write_bytes(b"no database " * 1000)


def _torn(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


def _scribbled(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[100 : len(data) : 7] = b"x" * len(data[100 : len(data) : 7])
    file.write_bytes(data)


def _other_version(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("UPDATE meta SET value = '0' WHERE key = 'version'")
        db.execute("UPDATE record SET json = '{}'")


def _other_tables(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("DROP TABLE record")
        db.execute("CREATE TABLE record (path TEXT)")


def _tip_that_is_gone(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("UPDATE meta SET value = ? WHERE key = 'tip'", ("1" * 40,))
        db.execute("DELETE FROM record")


DAMAGES: list[Callable[[Path], None]] = [
    _no_file,
    _empty,
    _garbage,
    _torn,
    _scribbled,
    _other_version,
    _other_tables,
    _tip_that_is_gone,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.__name__.strip("_"))
def test_a_cache_that_cannot_be_used_is_made_anew(
    repo: TestRepo, store: StateStore, damage: Callable[[Path], None]
) -> None:
    records = [entry(f"t-{n}") for n in range(50)]
    put(store, *records)
    store.read()
    store.close()
    damage(cache_file(repo))
    again = fresh(repo)
    assert [e.id for e in again.read().entries()] == sorted(e.id for e in records)
    put(again, entry("one-more"))
    assert fresh(repo).read().counts()[State.PENDING] == 51


def test_a_cache_that_is_damaged_beside_an_open_one_disturbs_neither(
    repo: TestRepo, store: StateStore
) -> None:
    put(store, entry("a"))
    assert [e.id for e in store.read().entries()] == ["a"]
    _garbage(cache_file(repo))
    put(fresh(repo), entry("b"))
    assert [e.id for e in fresh(repo).read().entries()] == ["a", "b"]
    put(store, entry("c"))
    assert [e.id for e in store.read().entries()] == ["a", "b", "c"]
    assert [e.id for e in fresh(repo).read().entries()] == ["a", "b", "c"]


def test_the_state_may_go_back_and_the_cache_with_it(repo: TestRepo, store: StateStore) -> None:
    put(store, entry("a"))
    first = store.tip()
    put(store, entry("b"))
    store.read()
    repo.git("update-ref", store.ref, str(first))
    assert [e.id for e in fresh(repo).read().entries()] == ["a"]
    repo.git("update-ref", "-d", store.ref)
    assert fresh(repo).read().entries() == []


def test_a_question_writes_nothing_into_a_repository_that_gitcmat_never_wrote_to(
    repo: TestRepo,
) -> None:
    cache = Cache(repo.git_dir / "cmat", Git(repo.git_dir))
    cache.at(None)
    assert cache.entries(State) == []
    assert not (repo.git_dir / "cmat").exists()


def test_a_cache_in_a_folder_that_cannot_be_written_is_kept_in_memory(
    repo: TestRepo, store: StateStore
) -> None:
    put(store, entry("a"))
    store.close()
    cache_file(repo).unlink(missing_ok=True)
    cache_file(repo).mkdir()  # stands for a file system that is read only
    assert [e.id for e in fresh(repo).read().entries()] == ["a"]


# --- what it answers ------------------------------------------------------------------------------


def test_entries_come_by_priority_then_age_and_finished_ones_by_their_end(
    store: StateStore,
) -> None:
    put(
        store,
        entry("normal", created=NOW.replace(hour=1)),
        entry("older", created=NOW.replace(hour=0, microsecond=5)),
        entry("oldest", created=NOW.replace(hour=0)),
        entry("low", priority=Priority.LOW, created=NOW.replace(hour=0)),
        entry("urgent", priority=Priority.CRITICAL),
        entry("first-done", State.DONE, since=NOW.replace(hour=1)),
        entry("last-done", State.DONE, since=NOW.replace(hour=3)),
        entry("failed", State.FAILED, since=NOW.replace(hour=2)),
    )
    facts = store.read()
    waiting = ["urgent", "oldest", "older", "normal", "low"]
    assert [e.id for e in facts.entries(State.PENDING)] == waiting
    finished = facts.entries(State.DONE, State.FAILED, limit=2)
    assert [e.id for e in finished] == ["last-done", "failed"]
    assert facts.counts()[State.DONE] == 2
    assert facts.states()["failed"] is State.FAILED


def test_blockers_and_runs_are_found_by_their_task(store: StateStore) -> None:
    put(
        store,
        entry("a"),
        blocker("b-aaaaaaaa", "a", asked=NOW.replace(hour=2)),
        blocker("b-bbbbbbbb", "a", asked=NOW.replace(hour=1)),
        blocker("b-cccccccc", "a", status=BlockerStatus.ANSWERED),
        blocker("b-dddddddd", "z"),
        run("r-aaaaaaaa", "a", started=NOW.replace(hour=1)),
        run("r-bbbbbbbb", "a", started=NOW.replace(hour=2), outcome=RunOutcome.FAILED),
        run("r-cccccccc", "z", started=NOW.replace(hour=0)),
    )
    facts = store.read()
    assert [b.id for b in facts.blockers(task="a")] == ["b-bbbbbbbb", "b-aaaaaaaa"]
    assert len(facts.blockers(task="a", only_open=False)) == 3
    assert len(facts.blockers()) == 3
    assert [r.id for r in facts.runs(task="a")] == ["r-bbbbbbbb", "r-aaaaaaaa"]
    assert [r.id for r in facts.runs(limit=1)] == ["r-bbbbbbbb"]


def test_the_view_shows_what_is_open_and_what_ended_in_the_last_seven_days(
    store: StateStore,
) -> None:
    put(
        store,
        entry("open", created=NOW.replace(year=2020)),
        entry("week", State.DONE, since=NOW.replace(day=14)),
        entry("older", State.DONE, since=NOW.replace(day=13)),
        blocker("b-aaaaaaaa", "open", asked=NOW.replace(year=2020)),
        blocker("b-bbbbbbbb", "open", status=BlockerStatus.CLOSED, asked=NOW.replace(year=2020)),
        run("r-aaaaaaaa", "open", started=NOW.replace(year=2020)),
        run("r-bbbbbbbb", "open", started=NOW.replace(day=13), outcome=RunOutcome.FAILED),
    )
    assert sorted(store.read().shown(NOW)) == [
        ".cmat/blockers/b-aaaaaaaa.yaml",
        ".cmat/queue/done/2026-11-14/week.yaml",
        ".cmat/queue/pending/open.yaml",
        ".cmat/runs/2020-11-21/r-aaaaaaaa.yaml",
    ]


def test_a_path_is_where_the_record_lies_now(store: StateStore) -> None:
    put(store, entry("a"))
    move(store, "a", State.ACTIVE)
    assert store.read().path(Kind.QUEUE, "a") == ".cmat/queue/active/ca/a.yaml"
    assert store.read().path(Kind.QUEUE, "b") is None


def _keys(cls: Any) -> dict[str, Any]:
    """Return every key that rows of `cls` hold, those of what is in it too."""
    found = {}
    hints = get_type_hints(cls)
    for field in fields(cls):
        parts = (hints[field.name], *get_args(hints[field.name]))
        found[field.name] = [_keys(part) for part in parts if is_dataclass(part)]
    return found


def test_rows_of_other_keys_have_another_version() -> None:
    keys = json.dumps({kind: _keys(cls) for kind, cls in TYPES.items()}, sort_keys=True)
    written = hashlib.sha256(keys.encode()).hexdigest()[:16]

    assert (VERSION, written) == ("13", "b66c2b40094760bf"), (
        "records have other keys: raise VERSION in cache.py"
    )
