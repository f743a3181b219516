"""The view: records as files in a person's work tree, which they may edit a little."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gitcmat.model.edits import Accepted
from gitcmat.store.view_manifest import Refusal, Row
from gitcmat.store.view_recover import KEEP_SECONDS
from gitcmat.system import trace
from tests.support.repo import TestRepo
from tests.support.view import ACTIVE, BLOCKER, PENDING, QUESTION, QUIET, Records, entry, save


@pytest.fixture
def records(repo: TestRepo) -> Records:
    made = Records(repo.path)
    made.show({PENDING: entry(), BLOCKER: QUESTION})
    return made


# --- ours -----------------------------------------------------------------------------------------


def test_a_file_has_exactly_the_bytes_of_its_record(records: Records) -> None:
    assert records.files() == [BLOCKER, PENDING]
    assert records.read(PENDING) == entry()
    assert records.read(BLOCKER) == QUESTION
    assert records.report.written == 2


def test_a_file_that_nobody_touched_is_no_edit_however_old_its_record(records: Records) -> None:
    for version in range(2, 52):
        records.set({PENDING: entry(version), BLOCKER: QUESTION})
    assert records.edits() == []
    records.show()
    assert records.read(PENDING) == entry(51)
    assert records.edits() == []


def test_a_moved_record_moves_its_file(records: Records) -> None:
    records.show({ACTIVE: entry(2)})
    assert records.files() == [ACTIVE]
    assert (records.report.written, records.report.removed) == (1, 2)


def test_folders_of_days_go_with_their_last_file_and_states_stay(records: Records) -> None:
    day = ".cmat/queue/done/2026-01-02"
    records.show({f"{day}/a.yaml": entry(2), BLOCKER: QUESTION})
    assert (records.path / day).is_dir()
    records.show({BLOCKER: QUESTION})
    assert not (records.path / day).exists()
    assert (records.path / ".cmat/queue/done").is_dir()
    records.show({})
    assert not any((records.path / ".cmat").iterdir())


def test_a_folder_that_a_person_made_is_not_removed(repo: TestRepo) -> None:
    (repo.path / ".cmat/queue/pending").mkdir(parents=True)
    records = Records(repo.path)
    records.show({PENDING: entry()})
    records.show({})
    assert (repo.path / ".cmat/queue/pending").is_dir()


@pytest.mark.parametrize("how", ["delete", "clean", "stash"])
def test_a_missing_file_means_nothing_and_is_written_again(
    records: Records, repo: TestRepo, how: str
) -> None:
    match how:
        case "delete":
            (repo.path / PENDING).unlink()
            (repo.path / BLOCKER).unlink()
        case "clean":
            repo.git("clean", "-fdX")
        case _:
            (repo.path / "README.md").write_text("changed", encoding="utf-8")
            repo.git("stash", "--all")
    assert records.files() == []
    assert records.edits() == []
    records.show()
    assert records.files() == [BLOCKER, PENDING]


def test_files_that_we_did_not_write_mean_nothing(records: Records, repo: TestRepo) -> None:
    (repo.path / ".cmat/blockers/b-zzzz2222.yaml").write_text("answer: yes\n", encoding="utf-8")
    (repo.path / PENDING).rename(repo.path / ".cmat/queue/pending/b.yaml")
    assert records.edits() == []
    records.show()
    assert records.read(PENDING) == entry()
    assert ".cmat/blockers/b-zzzz2222.yaml" in records.files()


# --- edits ----------------------------------------------------------------------------------------


def replaced(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def renamed_like_vim(path: Path, text: str) -> None:
    path.rename(path.with_name(path.name + "~"))
    path.write_text(text, encoding="utf-8")
    path.with_name(path.name + "~").unlink()


def same_size_and_time(path: Path, text: str) -> None:
    before = path.stat()
    path.write_text(text, encoding="utf-8")
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("way", [save, replaced, renamed_like_vim, same_size_and_time])
def test_every_way_to_save_is_seen(records: Records, way: Callable[[Path, str], None]) -> None:
    records.later(10)
    assert records.edits() == []  # settled: from here on only signatures are compared
    way(records.path / PENDING, entry(1, priority="urgent"))
    (edit,) = records.edits()
    assert (edit.path, edit.kind, edit.id) == (PENDING, "queue", "a")
    assert edit.base == entry().encode()
    assert edit.text == entry(1, priority="urgent").encode()


def test_a_file_saved_within_one_tick_of_our_write_is_seen(records: Records) -> None:
    same_size_and_time(records.path / PENDING, entry(1, priority="urgent"))
    assert [edit.path for edit in records.edits()] == [PENDING]


def test_a_file_that_was_young_when_it_was_looked_at_is_not_trusted() -> None:
    second = 1_000_000_000
    sign = (100 * second, 10, 7, 100 * second)
    young, old = (Row("a", "a", sign, at=100 * second + after) for after in (second, 3 * second))
    assert not young.still(sign)
    assert old.still(sign)
    assert not old.still((*sign[:3], 101 * second))


def test_an_edit_that_was_taken_in_follows_the_record(records: Records) -> None:
    save(records.path / PENDING, entry(hold=True))
    (edit,) = records.edits()
    assert records.merge(edit, entry(1)) == Accepted({"hold": True})
    records.view.accept(edit)
    records.show({PENDING: entry(2, hold=True), BLOCKER: QUESTION})
    assert records.read(PENDING) == entry(2, hold=True)
    assert records.edits() == []


def test_a_save_after_the_edit_was_taken_in_is_compared_with_that(records: Records) -> None:
    save(records.path / PENDING, entry(hold=True))
    (edit,) = records.edits()
    records.view.accept(edit)
    save(records.path / PENDING, entry(hold=True, priority="high"))
    records.show({PENDING: entry(2, hold=True), BLOCKER: QUESTION})
    assert records.report.kept == (PENDING,)
    (again,) = records.edits()
    assert again.base == entry(hold=True).encode()
    assert records.merge(again, entry(2, hold=True)) == Accepted({"priority": "high"})


def test_an_edit_is_kept_while_the_record_changes_and_merged_with_another_field(
    records: Records,
) -> None:
    save(records.path / PENDING, entry(hold=True))
    records.show({PENDING: entry(2, priority="high"), BLOCKER: QUESTION})
    assert records.report.kept == (PENDING,)
    (edit,) = records.edits()
    assert records.merge(edit, entry(2, priority="high")) == Accepted({"hold": True})
    records.view.accept(edit)
    records.show({PENDING: entry(3, priority="high", hold=True), BLOCKER: QUESTION})
    assert records.read(PENDING) == entry(3, priority="high", hold=True)


def test_a_field_changed_on_both_sides_is_refused_and_the_file_stays(records: Records) -> None:
    mine = entry(priority="low")
    save(records.path / PENDING, mine)
    records.show({PENDING: entry(2, priority="high"), BLOCKER: QUESTION})
    (edit,) = records.edits()
    assert not isinstance(records.merge(edit, entry(2, priority="high")), Accepted)
    records.view.refuse(edit, line=3, reason="priority was changed on both sides")
    assert records.view.refusals() == (Refusal(PENDING, 3, "priority was changed on both sides"),)
    records.show()
    assert records.read(PENDING) == mine
    assert records.edits() == []  # said once


def test_a_refusal_is_forgotten_when_the_file_changes(records: Records) -> None:
    save(records.path / PENDING, "not: [yaml")
    (edit,) = records.edits()
    records.view.refuse(edit, line=1, reason="not YAML")
    save(records.path / PENDING, entry(hold=True))
    assert records.view.refusals() == ()
    assert [e.text for e in records.edits()] == [entry(hold=True).encode()]


@pytest.mark.parametrize("how", ["as it was", "deleted"])
def test_a_refusal_is_forgotten_when_the_edit_is_gone(records: Records, how: str) -> None:
    save(records.path / PENDING, "not: [yaml")
    (edit,) = records.edits()
    records.view.refuse(edit, line=1, reason="not YAML")
    if how == "deleted":
        (records.path / PENDING).unlink()
    else:
        save(records.path / PENDING, entry())
    assert records.edits() == []
    assert records.view.refusals() == ()
    records.show()
    assert records.read(PENDING) == entry()


def test_a_refused_edit_is_kept_beside_the_record_wherever_it_moves(records: Records) -> None:
    mine = entry(7, priority="low")
    save(records.path / PENDING, mine)
    (edit,) = records.edits()
    records.view.refuse(edit, line=5, reason="version was changed")
    records.show({ACTIVE: entry(2)})
    assert records.files() == [ACTIVE, f"{ACTIVE}.refused"]
    assert records.read(ACTIVE) == entry(2)
    assert records.read(f"{ACTIVE}.refused") == mine
    assert records.report.moved_aside == (f"{ACTIVE}.refused",)
    assert records.view.refusals() == (Refusal(f"{ACTIVE}.refused", 5, "version was changed"),)
    review = ".cmat/queue/review/a.yaml"
    records.show({review: entry(3)})
    assert records.files() == [review, f"{review}.refused"]
    (records.path / f"{review}.refused").unlink()
    assert records.view.refusals() == ()


def test_an_edit_made_while_the_record_moved_is_followed(records: Records) -> None:
    save(records.path / PENDING, entry(hold=True))
    records.show({ACTIVE: entry(2)})
    assert records.read(ACTIVE) == entry(2)
    (edit,) = records.edits()
    assert (edit.path, edit.id) == (PENDING, "a")
    assert records.merge(edit, entry(2)) == Accepted({"hold": True})
    records.view.accept(edit)
    records.show({ACTIVE: entry(3, hold=True)})
    assert records.files() == [ACTIVE]


def test_a_comment_stays_until_the_record_changes(records: Records) -> None:
    mine = "# look at this\n" + entry()
    save(records.path / PENDING, mine)
    (edit,) = records.edits()
    assert records.merge(edit, entry()) == Accepted({})
    records.view.leave(edit)
    assert records.edits() == []
    records.show()
    assert records.read(PENDING) == mine
    records.show({PENDING: entry(2), BLOCKER: QUESTION})
    assert records.read(PENDING) == entry(2)
    records.later(KEEP_SECONDS + 1)
    assert records.edits() == []
    assert records.edits() == []


def test_an_edit_of_a_run_is_handed_out_to_be_refused(records: Records) -> None:
    run = ".cmat/runs/2026-01-02/r-abcd2345.yaml"
    records.show({run: "schema: 1\nid: r-abcd2345\n"})
    save(records.path / run, "schema: 1\nid: r-abcd2345\nexit: 0\n")
    assert [(e.kind, e.id) for e in records.edits()] == [("runs", "r-abcd2345")]


def test_an_answer_typed_with_autosave_counts_when_it_is_quiet(records: Records) -> None:
    answer = "Take the second one, with care."
    taken = []
    for end in range(3, 3 * 11, 3):
        save(records.path / BLOCKER, QUESTION.rstrip() + f"\n  {answer[:end]}\n")
        taken += [e for e in records.edits() if e.age >= QUIET]
        records.show()
    assert taken == []
    save(records.path / BLOCKER, QUESTION.rstrip() + f"\n  {answer}\n")
    records.later(QUIET + 1)
    (edit,) = [e for e in records.edits() if e.age >= QUIET]
    assert records.merge(edit, QUESTION) == Accepted({"answer": answer + "\n"})


def test_a_truncated_file_is_no_edit_and_is_not_replaced_at_once(records: Records) -> None:
    (records.path / PENDING).write_text("", encoding="utf-8")
    assert records.edits() == []
    records.show({PENDING: entry(2), BLOCKER: QUESTION})
    assert records.report.kept == (PENDING,)
    records.later(10)
    records.show()
    assert records.read(PENDING) == entry(2)


# --- what it costs --------------------------------------------------------------------------------


def test_a_thousand_files_with_nothing_changed_cost_no_read_and_no_process(
    repo: TestRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = Records(repo.path)
    records.show({f".cmat/queue/pending/t{n}.yaml": entry(n) for n in range(1000)})
    records.later(10)
    assert records.edits() == []
    log = tmp_path / "trace"
    monkeypatch.setenv(trace.VARIABLE, str(log))
    records.show()
    records.edits()
    assert not log.exists()
    save(repo.path / ".cmat/queue/pending/t7.yaml", entry(7, hold=True))
    assert len(records.edits()) == 1
    read = [line for line in log.read_text(encoding="utf-8").splitlines() if "t7.yaml" in line]
    assert len(read) == len(
        [n for n in log.read_text(encoding="utf-8").splitlines() if "read " in n]
    )
