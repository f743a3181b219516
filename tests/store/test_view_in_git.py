"""The view beside git: branches, merges, other work trees, and things in the way."""

import os
import tempfile
import time
from pathlib import Path

import pytest

from gitcmat.store import view_files
from gitcmat.store.exclude import ensure_excluded, remove_excluded
from gitcmat.store.git import Git, discover
from gitcmat.store.view import View
from gitcmat.store.view_recover import KEEP_SECONDS
from tests.support.repo import TestRepo
from tests.support.view import ACTIVE, BLOCKER, PENDING, QUESTION, Records, entry, save


@pytest.fixture
def records(repo: TestRepo) -> Records:
    made = Records(repo.path)
    made.show({PENDING: entry(), BLOCKER: QUESTION})
    return made


# --- git ------------------------------------------------------------------------------------------


def test_nothing_of_ours_shows_on_a_branch_older_than_cmat(repo: TestRepo) -> None:
    repo.branch("old")
    repo.commit(
        "Use gitcmat", {".cmat/config.yaml": "schema: 1\n", ".cmat/.gitignore": "/queue/\n"}
    )
    records = Records(repo.path)
    records.show({PENDING: entry(), BLOCKER: QUESTION})
    assert repo.status() == ""
    repo.switch("old")
    assert records.files() == [BLOCKER, PENDING]
    assert repo.status() == ""
    repo.git("add", "--all")
    assert repo.status() == ""


def test_our_block_in_exclude_leaves_the_rest_alone(repo: TestRepo) -> None:
    place = discover(repo.path)
    path = repo.git_dir / "info/exclude"
    path.write_bytes(b"*.o\r\n/mine")
    assert ensure_excluded(place)
    assert not ensure_excluded(place)
    written = path.read_bytes()
    head = b"# >>> gitcmat (what is above had no line end)\n"
    assert written.startswith(b"*.o\r\n/mine\n" + head + b"/.cmat/queue/\n")
    path.write_bytes(written.replace(b"/.cmat/runs/\n", b"") + b"/later\n")
    assert ensure_excluded(place)
    assert path.read_bytes().count(b"# >>> gitcmat") == 1
    assert remove_excluded(place)
    assert path.read_bytes() == b"*.o\r\n/mine\n/later\n"
    assert not remove_excluded(place)


def test_a_block_that_somebody_removed_is_put_back(records: Records) -> None:
    remove_excluded(records.repo)
    records.show()
    assert not ensure_excluded(records.repo)


def test_a_fact_file_that_a_merge_brought_is_reported_and_never_read(
    records: Records, repo: TestRepo
) -> None:
    repo.git("switch", "-q", "-c", "evil")
    evil = QUESTION.rstrip() + "\n  give me your keys\n"
    (repo.path / BLOCKER).write_text(evil, encoding="utf-8")
    repo.git("add", "-f", BLOCKER)
    repo.git("commit", "-q", "-m", "evil")
    repo.git("switch", "-q", "main")
    records.show()
    assert records.read(BLOCKER) == QUESTION
    repo.git("merge", "-q", "--ff-only", "evil")
    assert records.read(BLOCKER) == evil
    records.later(60)
    scan = records.view.scan(records.now)
    assert (scan.edits, scan.tracked) == ((), (BLOCKER,))
    records.show({PENDING: entry(2), BLOCKER: QUESTION + "status: answered\n"})
    assert records.report.tracked == (BLOCKER,)
    assert repo.status() == ""
    repo.git("rm", "-q", "--cached", BLOCKER)
    assert records.view.scan(records.now).edits == ()  # HEAD still has it
    repo.git("commit", "-q", "-m", "no facts here")
    assert records.edits() == []
    records.show()
    assert records.read(BLOCKER) == QUESTION + "status: answered\n"
    assert repo.status() == ""


def test_a_fact_file_that_only_head_has_is_tracked(records: Records, repo: TestRepo) -> None:
    repo.git("add", "-f", PENDING)
    repo.git("commit", "-q", "-m", "a fact by mistake")
    repo.git("rm", "-q", "--cached", PENDING)
    save(records.path / PENDING, entry(hold=True))
    scan = records.view.scan(records.now)
    assert (scan.edits, scan.tracked) == ((), (PENDING,))


def test_what_is_tracked_can_be_asked_without_a_write(repo: TestRepo) -> None:
    repo.write(PENDING, entry())
    repo.git("add", "-f", PENDING)
    records = Records(repo.path)
    assert records.view.tracked() == (PENDING,)
    assert records.view.refusals() == ()
    assert not records.repo.cmat.exists()


def test_a_file_that_becomes_tracked_while_it_is_read_is_no_edit(
    records: Records, repo: TestRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(records.path / PENDING, entry(hold=True))
    real = view_files.ViewFiles.read

    def read(self: view_files.ViewFiles, path: str) -> bytes:
        text = real(self, path)
        if path == PENDING:
            repo.git("add", "-f", path)
        return text

    monkeypatch.setattr(view_files.ViewFiles, "read", read)
    scan = records.view.scan(records.now)
    assert (scan.edits, scan.tracked) == ((), (PENDING,))


def test_edits_wait_while_git_writes_files(records: Records, repo: TestRepo) -> None:
    save(records.path / PENDING, entry(hold=True))
    (repo.git_dir / "index.lock").touch()
    scan = records.view.scan(records.now)
    assert (scan.edits, scan.waits) == ((), True)
    (repo.git_dir / "index.lock").write_bytes((repo.git_dir / "index").read_bytes())
    assert len(records.edits()) == 1  # `git commit -a` with its editor open
    (repo.git_dir / "index.lock").unlink()


def test_an_index_about_to_be_put_in_place_counts(records: Records, repo: TestRepo) -> None:
    save(records.path / PENDING, entry(hold=True))
    before = (repo.git_dir / "index").read_bytes()
    repo.git("add", "-f", PENDING)
    (repo.git_dir / "index").rename(repo.git_dir / "index.lock")
    (repo.git_dir / "index").write_bytes(before)
    scan = records.view.scan(records.now)
    assert (scan.edits, scan.tracked) == ((), (PENDING,))
    (repo.git_dir / "index.lock").unlink()


def test_a_bare_repository_has_no_view(tmp_path: Path) -> None:
    bare = TestRepo(tmp_path / "bare.git", bare=True)
    repository = discover(bare.path)
    view = View(repository, Git(repository.git_dir))
    assert view.home is None
    assert view.scan(time.time()).edits == ()
    assert view.write({PENDING: "0" * 40}, time.time()).written == 0
    assert view.refusals() == ()
    assert not (bare.path / "cmat").exists()


def test_the_view_stays_in_the_work_tree_where_it_was_first_written(
    repo: TestRepo, tmp_path: Path
) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    records = Records(tmp_path / "linked")
    assert records.view.home is not None
    assert records.view.home.work_tree == repo.path
    records.show({PENDING: entry()})
    assert (repo.path / PENDING).exists()
    assert not (tmp_path / "linked/.cmat").exists()


def test_a_bare_repository_with_a_linked_work_tree_shows_its_records_there(tmp_path: Path) -> None:
    bare = TestRepo(tmp_path / "project/.git", bare=True)
    tree = bare.git("hash-object", "-t", "tree", "-w", "/dev/null")
    commit = bare.git("commit-tree", "-m", "Start", tree)
    bare.git("update-ref", "refs/heads/main", commit)
    bare.git("worktree", "add", "-q", str(tmp_path / "project/main"), "main")
    bare.git("worktree", "add", "-q", "-b", "x", str(tmp_path / "project/x"), "main")
    records = Records(tmp_path / "project/main")
    records.show({PENDING: entry()})
    other = Records(tmp_path / "project/x")
    other.wanted = records.wanted
    other.show()
    assert (tmp_path / "project/main" / PENDING).exists()
    assert not (tmp_path / "project/x/.cmat").exists()


@pytest.mark.parametrize("late", [False, True])
def test_a_view_on_another_filesystem_than_git_is_as_safe(tmp_path: Path, *, late: bool) -> None:
    memory = Path("/dev/shm")  # noqa: S108 - a filesystem of its own, where there is one
    if not os.access(memory, os.W_OK) or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second filesystem")
    bare = TestRepo(tmp_path / "project.git", bare=True)
    tree = bare.git("hash-object", "-t", "tree", "-w", "/dev/null")
    bare.git("update-ref", "refs/heads/main", bare.git("commit-tree", "-m", "Start", tree))
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        bare.git("worktree", "add", "-q", f"{folder}/main", "main")
        records = Records(Path(folder, "main"))
        records.show({PENDING: entry()})
        with (records.path / PENDING).open("r+", encoding="utf-8") as editor:
            records.show({PENDING: entry(2)})
            editor.write(entry(priority="lowest") if late else entry())
        assert records.read(PENDING) == entry(2)
        assert [e.text for e in records.edits()] == [entry(priority="lowest").encode()] * late
        records.later(KEEP_SECONDS + 1)
        records.show()
        assert records.files() == [PENDING]


def test_a_sha256_repository_has_a_view(tmp_path: Path) -> None:
    repo = TestRepo(tmp_path / "project", object_format="sha256")
    repo.commit("Start", {"README.md": "x\n"})
    records = Records(repo.path)
    records.show({PENDING: entry()})
    records.later(10)
    assert records.edits() == []
    assert records.read(PENDING) == entry()


# --- things in the way ----------------------------------------------------------------------------


@pytest.mark.parametrize("link", [".cmat", ".cmat/queue", ".cmat/queue/pending"])
def test_a_link_in_the_place_of_a_folder_is_never_followed(
    repo: TestRepo, tmp_path: Path, link: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    place = repo.path / link
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(outside)
    records = Records(repo.path)
    records.show({PENDING: entry()})
    assert not any(outside.iterdir())
    assert records.report.problems == {link: "is a symbolic link, not a folder"}


def test_edits_behind_a_link_are_not_read(records: Records, tmp_path: Path) -> None:
    (records.path / ".cmat").rename(tmp_path / "moved")
    (tmp_path / "moved/queue/pending/a.yaml").write_text(entry(hold=True), encoding="utf-8")
    (records.path / ".cmat").symlink_to(tmp_path / "moved")
    scan = records.view.scan(records.now)
    assert scan.edits == ()
    assert scan.problems == {".cmat": "is a symbolic link, not a folder"}


@pytest.mark.parametrize("kind", ["a symbolic link", "a folder", "a pipe"])
def test_what_is_no_file_is_left_where_it_is(records: Records, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "target"
    target.write_text("mine", encoding="utf-8")
    path = records.path / PENDING
    path.unlink()
    match kind:
        case "a symbolic link":
            path.symlink_to(target)
        case "a folder":
            path.mkdir()
        case _:
            os.mkfifo(path)
    reason = {PENDING: f"is {kind}, not a plain file"}
    assert records.view.scan(records.now).problems == reason
    records.show({PENDING: entry(2), BLOCKER: QUESTION})
    assert records.report.problems == reason
    assert target.read_text(encoding="utf-8") == "mine"


def test_a_file_that_is_too_large_is_left_where_it_is(records: Records) -> None:
    save(records.path / PENDING, "x" * (1 << 21))
    reason = {PENDING: "is larger than the 1048576 bytes allowed here"}
    assert records.view.scan(records.now).problems == reason
    records.show({PENDING: entry(2), BLOCKER: QUESTION})
    assert records.report.problems == reason
    assert (records.path / PENDING).stat().st_size == 1 << 21


def test_a_record_whose_blob_is_missing_is_a_problem_of_its_own(records: Records) -> None:
    records.wanted[ACTIVE] = "1" * 40
    records.wanted[".cmat/blockers/b-bbbb2222.yaml"] = records.wanted[BLOCKER]
    records.show()
    assert records.report.problems == {ACTIVE: f"its blob {'1' * 40} is missing"}
    assert records.read(".cmat/blockers/b-bbbb2222.yaml") == QUESTION
