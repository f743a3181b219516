"""Saves at the very moment of our write, and crashes in the middle: nothing is lost."""

import threading
import time
from pathlib import Path

import pytest

from gitcmat.model.edits import Accepted
from gitcmat.store import view_files
from gitcmat.store.view_manifest import Refusal
from gitcmat.store.view_recover import KEEP_SECONDS
from gitcmat.system.files import exchange
from tests.support.repo import TestRepo
from tests.support.view import ACTIVE, BLOCKER, PENDING, QUESTION, Records, entry, save


class KilledError(BaseException):
    """As if the process had ended here."""


@pytest.fixture
def records(repo: TestRepo) -> Records:
    made = Records(repo.path)
    made.show({PENDING: entry(), BLOCKER: QUESTION})
    return made


def test_a_save_between_look_and_exchange_goes_back(repo: TestRepo) -> None:
    saves: list[str] = []

    def between(path: str) -> None:
        if path == PENDING and not saves:
            saves.append(path)
            save(repo.path / path, entry(hold=True))

    records = Records(repo.path, between)
    records.show({PENDING: entry()})
    records.show({PENDING: entry(2)})
    assert saves == [PENDING]
    assert records.report.kept == (PENDING,)
    assert records.read(PENDING) == entry(hold=True)
    (edit,) = records.edits()
    assert records.merge(edit, entry(2)) == Accepted({"hold": True})
    assert records.files() == [PENDING]


def test_a_save_between_look_and_removal_goes_back(repo: TestRepo) -> None:
    saves: list[str] = []

    def between(path: str) -> None:
        if path == PENDING and not saves:
            saves.append(path)
            save(repo.path / path, entry(hold=True))

    records = Records(repo.path, between)
    records.show({PENDING: entry()})
    records.show({ACTIVE: entry(2)})
    assert saves == [PENDING]
    assert records.report.kept == (PENDING,)
    (edit,) = records.edits()
    assert (edit.path, edit.text) == (PENDING, entry(hold=True).encode())


def test_two_saves_during_one_exchange_are_both_kept(
    repo: TestRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def between(path: str) -> None:
        if len(calls) == 1:
            save(repo.path / path, entry(hold=True))

    calls: list[str] = []
    records = Records(repo.path, between)
    records.show({PENDING: entry()})
    real = view_files.ViewFiles.holds

    def holds(self: view_files.ViewFiles, file: Path, oids: frozenset[str]) -> bool:
        found = real(self, file, oids)
        if calls == ["exchange"]:  # just seen that somebody saved: they save again
            calls.append("saved")
            save(repo.path / PENDING, entry(priority="high"))
        return found

    monkeypatch.setattr(view_files.ViewFiles, "holds", holds)
    calls.append("exchange")
    records.show({PENDING: entry(2)})
    assert records.read(PENDING) == entry(priority="high")
    (edit,) = records.edits()
    assert edit.text == entry(priority="high").encode()
    assert records.read(f"{PENDING}.refused") == entry(hold=True)
    reason = "saved while another save of the same file was being written"
    assert records.view.refusals() == (Refusal(f"{PENDING}.refused", 1, reason),)


@pytest.mark.parametrize("moved", [False, True])
def test_a_late_write_to_an_open_file_is_brought_back(records: Records, *, moved: bool) -> None:
    with (records.path / PENDING).open("r+", encoding="utf-8") as editor:
        records.show({ACTIVE if moved else PENDING: entry(2)})
        records.later(3)
        records.show()
        editor.truncate(0)
        editor.flush()
        assert records.edits() == []
        editor.write(entry(hold=True))
    (edit,) = records.edits()
    assert (edit.path, edit.base) == (PENDING, entry().encode())
    assert records.merge(edit, entry(2)) == Accepted({"hold": True})
    records.view.accept(edit)
    final = {ACTIVE if moved else PENDING: entry(3, hold=True)}
    records.show(final)
    assert records.files() == list(final)
    assert records.read(next(iter(final))) == entry(3, hold=True)


def test_a_late_write_meets_another_edit_and_both_are_kept(records: Records) -> None:
    with (records.path / PENDING).open("r+", encoding="utf-8") as editor:
        records.show({PENDING: entry(2), BLOCKER: QUESTION})
        save(records.path / PENDING, entry(2, priority="high"))
        editor.write(entry(hold=True))
    assert [e.text for e in records.edits()] == [entry(2, priority="high").encode()]
    assert records.read(f"{PENDING}.refused").startswith(entry(hold=True).rstrip())


def test_what_came_out_is_let_go_after_a_while(records: Records) -> None:
    records.show({PENDING: entry(2), BLOCKER: QUESTION})
    kept = records.repo.cmat / "view/kept"
    assert len(list(kept.iterdir())) == 1
    records.later(KEEP_SECONDS + 1)
    records.show()
    assert not any(kept.iterdir())


def test_no_save_is_lost_beside_a_busy_writer(records: Records) -> None:
    path, done = records.path / PENDING, threading.Event()
    last = entry(1000, hold=True)

    def person() -> None:
        for n in range(60):
            save(path, entry(2000 + n))
            time.sleep(0.002)  # a person is not that fast; the writer must get between
        save(path, last)
        done.set()

    handed_out: set[bytes] = set()
    thread = threading.Thread(target=person)
    thread.start()
    version = 2
    while True:
        finished = done.is_set()
        for edit in records.edits():
            handed_out.add(edit.text)
            records.view.accept(edit)
        if finished:
            break
        records.show({PENDING: entry(version), BLOCKER: QUESTION})
        version += 1
    thread.join()
    assert version > 2
    assert last.encode() in handed_out


@pytest.mark.parametrize("step", ["before", "after"])
def test_a_crash_in_the_middle_leaves_no_riddle(
    repo: TestRepo, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    records = Records(repo.path)
    records.show({PENDING: entry(), BLOCKER: QUESTION})

    def killed(first: Path, second: Path) -> bool:
        if step == "after":
            exchange(first, second)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr("gitcmat.store.view_files.exchange", killed)
        with pytest.raises(KilledError):
            records.show({PENDING: entry(2), BLOCKER: QUESTION})
    again = Records(repo.path)
    assert again.edits() == []
    again.show({PENDING: entry(2), BLOCKER: QUESTION})
    assert again.read(PENDING) == entry(2)
    again.later(KEEP_SECONDS + 1)
    again.show()
    assert again.edits() == []
    assert not any((again.repo.cmat / "view/kept").iterdir())


def test_a_save_that_a_crash_left_aside_is_brought_back(
    repo: TestRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = Records(repo.path)
    records.show({PENDING: entry()})

    def killed(first: Path, second: Path) -> bool:
        save(first, entry(hold=True))
        exchange(first, second)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr("gitcmat.store.view_files.exchange", killed)
        with pytest.raises(KilledError):
            records.show({PENDING: entry(2)})
    again = Records(repo.path)
    (edit,) = again.edits()
    assert (edit.path, edit.text) == (PENDING, entry(hold=True).encode())
    assert again.merge(edit, entry(2)) == Accepted({"hold": True})


def test_without_its_memory_the_view_loses_nothing(records: Records) -> None:
    save(records.path / PENDING, entry(hold=True))
    (records.repo.cmat / "view/manifest.json").write_text("{tor", encoding="utf-8")
    records.set({PENDING: entry(2), BLOCKER: QUESTION})
    again = Records(records.path)
    again.wanted = records.wanted
    assert again.edits() == []
    again.show()
    assert again.read(PENDING) == entry(2)
    assert again.read(f"{PENDING}.refused") == entry(hold=True)
    assert again.files() == [BLOCKER, PENDING, f"{PENDING}.refused"]
