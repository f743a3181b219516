"""The state of a node: whole changes or none, whoever else changes it, dies or collects garbage."""

import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from gitcmat.errors import Conflict, NotFound
from gitcmat.model.entry import Version
from gitcmat.model.state import State
from gitcmat.store.layout import Kind
from gitcmat.store.state import StateStore
from tests.support import changer
from tests.support.repo import TestRepo
from tests.support.store import NOW, PAT, blocker, entry, move, open_store, put


@pytest.fixture
def store(repo: TestRepo) -> StateStore:
    return open_store(repo.path)


def history(repo: TestRepo, ref: str) -> int:
    return int(repo.git("rev-list", "--count", ref))


# --- one change -----------------------------------------------------------------------------------


def test_a_change_is_one_commit_by_whoever_changed_it(repo: TestRepo, store: StateStore) -> None:
    with store.change("take in", by=PAT) as change:
        change.put(entry("a"), "a: new, pending")
        change.put(entry("b"), "b: new, pending")
        change.put(blocker("b-abcd2345", "a"))
    assert repo.git("log", "-1", "--format=%an <%ae>|%cn <%ce>|%B", store.ref) == (
        f"Pat Person <pat@example.org>|gitcmat <gitcmat@{store.node}>|"
        "a: new, pending, and 1 more\n\na: new, pending\nb: new, pending\n\nCmat-Change: take in"
    )
    assert repo.names(store.ref) == [
        ".cmat/blockers/2b/b-abcd2345.yaml",
        ".cmat/queue/pending/3e/b.yaml",
        ".cmat/queue/pending/ca/a.yaml",
    ]
    assert repo.git("fsck", "--strict", "--no-dangling") == ""


def test_a_single_note_is_the_subject(repo: TestRepo, store: StateStore) -> None:
    put(store, entry("a"), note="a: new,\n\nCmat-Change: pending")
    assert repo.git("log", "-1", "--format=%B", store.ref) == (
        "a: new, Cmat-Change: pending\n\nCmat-Change: put"
    )


def test_a_move_is_a_rename_and_leaves_nothing_at_the_old_place(
    repo: TestRepo, store: StateStore
) -> None:
    put(store, entry("a"))
    move(store, "a", State.ACTIVE)
    assert repo.names(store.ref) == [".cmat/queue/active/ca/a.yaml"]
    status = repo.git("diff", "--name-status", "-M20%", f"{store.ref}~", store.ref)
    assert status.split("\t")[1:] == [
        ".cmat/queue/pending/ca/a.yaml",
        ".cmat/queue/active/ca/a.yaml",
    ]
    assert status.startswith("R")


def test_each_write_of_an_entry_counts_its_version(store: StateStore) -> None:
    put(store, entry("a"))
    with store.change("twice in one", by=PAT) as change:
        change.put(change.entry("a"))
        change.put(change.entry("a"))
    found = store.read().entry("a")
    assert found is not None
    assert found.version == Version(epoch=0, count=2, node=store.node)


def test_a_change_sees_what_it_wrote_itself(store: StateStore) -> None:
    put(store, entry("a"), blocker("b-aaaaaaaa", "a"))
    with store.change("look", by=PAT) as change:
        change.put(change.entry("a").to(State.BLOCKED, NOW))
        change.put(blocker("b-bbbbbbbb", "a"))
        assert change.entry("a").state is State.BLOCKED
        assert [b.id for b in change.blockers("a")] == ["b-aaaaaaaa", "b-bbbbbbbb"]
        assert set(change.entries()) == {"a"}


def test_an_unknown_entry_is_said_to_be_unknown(store: StateStore) -> None:
    with store.change("look", by=PAT) as change:
        assert change.find("a") is None
        with pytest.raises(NotFound) as unknown:
            change.entry("a")
    assert (unknown.value.message, unknown.value.hint) == (
        "There is no task 'a'.",
        "gitcmat queue list",
    )


def test_a_change_that_raises_writes_nothing(repo: TestRepo, store: StateStore) -> None:
    put(store, entry("a"))
    before = (store.tip(), sorted(repo.git_dir.glob("objects/pack/*")))
    with suppress(ZeroDivisionError), store.change("no", by=PAT) as change:
        change.put(entry("b"))
        raise ZeroDivisionError
    assert (store.tip(), sorted(repo.git_dir.glob("objects/pack/*"))) == before
    put(store, entry("c"))
    assert set(store.read().states()) == {"a", "c"}


def test_a_change_of_nothing_is_no_commit(repo: TestRepo, store: StateStore) -> None:
    put(store, entry("a"))
    before = store.tip()
    with store.change("nothing", by=PAT):
        pass
    assert store.tip() == before
    assert history(repo, store.ref) == 1


def test_a_ref_that_somebody_else_moved_meanwhile_loses_nothing(
    repo: TestRepo, store: StateStore
) -> None:
    put(store, entry("a"))
    first = store.tip()
    put(store, entry("b"))
    second = str(store.tip())
    with pytest.raises(Conflict) as moved:
        _change_beside(repo, store, str(first))
    assert moved.value.message == (
        f"{store.ref} was moved by somebody else: it is at {first}, not at {second}."
    )
    assert store.tip() == first


def _change_beside(repo: TestRepo, store: StateStore, elsewhere: str) -> None:
    with store.change("late", by=PAT) as change:
        change.put(entry("c"))
        repo.git("update-ref", store.ref, elsewhere)


# --- ids by their beginnings ----------------------------------------------------------------------


def test_an_id_may_be_given_by_a_unique_beginning(store: StateStore) -> None:
    put(store, entry("parse"), entry("parse-dates"), entry("parse-times"), entry("zoo"))
    facts = store.read()
    assert facts.resolve(Kind.QUEUE, "z") == "zoo"
    assert facts.resolve(Kind.QUEUE, "parse") == "parse"
    assert facts.resolve(Kind.QUEUE, "parse-d") == "parse-dates"
    with pytest.raises(NotFound) as many:
        facts.resolve(Kind.QUEUE, "parse-")
    assert (many.value.message, many.value.hint) == (
        "'parse-' may be parse-dates, parse-times.",
        "write more of the id",
    )


@pytest.mark.parametrize(
    ("kind", "message", "hint"),
    [
        (Kind.QUEUE, "There is no task 'x'.", "gitcmat queue list"),
        (Kind.BLOCKERS, "There is no blocker 'x'.", "gitcmat blocker list"),
        (Kind.RUNS, "There is no run 'x'.", "gitcmat run list"),
    ],
    ids=str,
)
def test_what_is_unknown_is_said_with_the_list_to_look_at(
    store: StateStore, kind: Kind, message: str, hint: str
) -> None:
    with pytest.raises(NotFound) as unknown:
        store.read().resolve(kind, "x")
    assert (unknown.value.message, unknown.value.hint) == (message, hint)


@pytest.mark.parametrize("text", ["\udcff", "a\0b", "%", "_", "\uffff", "é"])
def test_text_that_no_id_can_be_is_just_unknown(store: StateStore, text: str) -> None:
    put(store, entry("a"))
    with pytest.raises(NotFound) as unknown:
        store.read().resolve(Kind.QUEUE, text)
    assert unknown.value.message == f"There is no task {text!r}."


# --- every kind of repository ---------------------------------------------------------------------


@pytest.mark.parametrize("bare", [False, True], ids=["work tree", "bare"])
@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_the_state_works_in_every_kind_of_repository(
    tmp_path: Path, object_format: str, *, bare: bool
) -> None:
    repo = TestRepo(tmp_path / "other", bare=bare, object_format=object_format)
    repo.freeze()
    store = open_store(repo.path)
    assert store.read().entries() == []
    put(store, *(entry(f"t-{n}") for n in range(300)))
    move(store, "t-7", State.ACTIVE)
    assert len(open_store(repo.path).read().entries()) == 300
    assert open_store(repo.path).read().counts()[State.ACTIVE] == 1
    assert repo.git("fsck", "--strict", "--no-dangling") == ""


# --- many at once ---------------------------------------------------------------------------------


def test_eight_processes_with_25_changes_each_lose_none(repo: TestRepo) -> None:
    processes = [changer.start(repo.path, f"p{n}", 25) for n in range(8)]
    assert [process.wait(110) for process in processes] == [0] * 8
    assert set(open_store(repo.path).read().states()) == {
        f"p{p}-{n}" for p in range(8) for n in range(25)
    }
    ref = open_store(repo.path).ref
    assert history(repo, ref) == 200
    assert len(repo.refs("refs/cmat/state/")) == 1
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    assert list(repo.git_dir.glob("objects/pack/*.keep")) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_500_transitions_beside_a_loop_of_gc_lose_none(repo: TestRepo, store: StateStore) -> None:
    put(store, *(entry(f"t-{n}") for n in range(100)))
    over = threading.Event()
    collections: list[int] = []

    def collect() -> None:
        while not over.is_set():
            done = subprocess.run(
                ["git", "gc", "--prune=now", "--quiet"],
                cwd=repo.path,
                capture_output=True,
                check=False,
            )
            collections.append(done.returncode)

    collector = threading.Thread(target=collect)
    collector.start()
    path = [State.ACTIVE, State.REVIEW, State.PENDING, State.ACTIVE, State.PENDING]
    try:
        for state in path:
            for number in range(100):
                move(store, f"t-{number}", state)
            store.tidy()
    finally:
        over.set()
        collector.join()
    assert collections
    assert set(collections) == {0}
    assert open_store(repo.path).read().counts()[State.PENDING] == 100
    assert history(repo, store.ref) == 501
    assert repo.git("fsck", "--strict", "--no-dangling") == ""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_1000_transitions_leave_few_loose_objects_and_few_packs(
    repo: TestRepo, store: StateStore
) -> None:
    put(store, *(entry(f"t-{n}") for n in range(20)))
    for turn in range(50):
        for number in range(20):
            move(store, f"t-{number}", State.PENDING if turn % 2 else State.ACTIVE)
        store.tidy()
    counted = dict(line.split(": ") for line in repo._git("count-objects", "-v").splitlines())
    assert int(counted["count"]) < 100
    assert int(counted["packs"]) < 60
    assert history(repo, store.ref) == 1001
    assert repo.git("fsck", "--strict", "--no-dangling") == ""


def test_a_store_that_was_opened_before_the_first_write_sees_it(repo: TestRepo) -> None:
    early = open_store(repo.path)
    assert early.read().entries() == []
    put(open_store(repo.path), entry("a"))
    assert set(early.read().states()) == {"a"}
