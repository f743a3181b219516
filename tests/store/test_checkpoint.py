"""Saving a work tree: what is in it, what is not, and that nothing else changes."""

import os
import subprocess
from pathlib import Path

import pytest

from gitcmat.app import open_app
from gitcmat.engine import checkpoints
from gitcmat.errors import Conflict, NotFound
from gitcmat.store import checkpoint as mechanics
from gitcmat.store.checkpoint_tree import Place, taken
from gitcmat.store.git import Git
from tests.support.repo import TestRepo
from tests.support.saved import save, yes

_ROUNDS = 40


@pytest.fixture
def dirty(repo: TestRepo) -> TestRepo:
    """With a half-staged file, a deletion, a new mode, a link, new files and ignored ones."""
    base = {"half.txt": "1\n", "gone.txt": "1\n", "tool.sh": "1\n", ".gitignore": "*.log\n"}
    repo.commit("base", base)
    repo.write("half.txt", "2\n")
    repo.git("add", "half.txt")
    repo.write("half.txt", "3\n")
    repo.delete("gone.txt")
    repo.path.joinpath("tool.sh").chmod(0o755)
    repo.path.joinpath("link").symlink_to("half.txt")
    repo.write("new/a b\n.txt", "new\n")
    repo.write("debug.log", "ignored\n")
    repo.freeze()
    return repo


def test_the_work_tree_and_the_index_are_two_trees_and_nothing_is_touched(dirty: TestRepo) -> None:
    before = dirty.path.joinpath(".git/index").read_bytes()
    found = save(dirty)
    tree = dirty.git("ls-tree", "-r", "-z", found.ref)
    modes = {row.split("\t")[1]: row.split(" ")[0] for row in tree.split("\0") if row}
    assert modes == {
        ".gitignore": "100644",
        "README.md": "100644",
        "half.txt": "100644",
        "link": "120000",
        "new/a b\n.txt": "100644",
        "tool.sh": "100755",
    }
    assert dirty.show(found.ref, "half.txt") == "3\n"
    assert dirty.show(f"{found.ref}^2", "half.txt") == "2\n"
    assert "gone.txt" in dirty.names(f"{found.ref}^2")
    assert dirty.tip(f"{found.ref}^1") == dirty.tip(f"{found.ref}^2^1") == dirty.tip()
    assert dirty.path.joinpath(".git/index").read_bytes() == before
    assert (found.files, found.new_files, found.new_bytes) == (5, 2, 4 + len("half.txt"))
    dirty.check()


def test_git_diff_between_two_is_the_diff_of_the_files(dirty: TestRepo) -> None:
    one = save(dirty)
    dirty.write("half.txt", "4\n")
    two = save(dirty)
    assert dirty.git("diff", "--name-status", one.ref, two.ref) == "M\thalf.txt"


def test_the_commit_says_what_it_is(repo: TestRepo) -> None:
    found = save(repo, "before the move")
    read = mechanics.read(Git(repo.git_dir), found.commit)
    assert (read.oid, read.name, read.head) == (found.commit, "before the move", found.head)
    assert read.trailers == {
        "Cmat-Checkpoint": found.id,
        "Cmat-Why": "manual",
        "Cmat-Branch": "refs/heads/main",
        "Cmat-Files": "0 0 0",
    }
    second = save(repo, "second")
    trailers = mechanics.read(Git(repo.git_dir), second.commit).trailers
    assert trailers["Cmat-State"] == second.state == repo.git("rev-parse", f"{second.state}")


def test_a_checkpoint_is_made_once(repo: TestRepo) -> None:
    found = save(repo)
    deps = open_app(repo.path).deps
    label = mechanics.Label(id=found.id, name="again", by=deps.me, at=deps.clock.now(), trailers={})
    with (
        taken(deps.repo, Place.of(deps.repo), lambda _new: None) as now,
        pytest.raises(Conflict, match=f"{found.ref} was moved by somebody else"),
    ):
        mechanics.save(deps.repo, deps.git, now, label)
    assert repo.tip(found.ref) == found.commit


def test_facts_are_never_in_it_even_where_nothing_ignores_them(repo: TestRepo) -> None:
    repo.write(".cmat/queue/review/x.yaml", "x\n")
    repo.write(".cmat/tasks/x.yaml", "title: x\n")
    repo.path.joinpath(".git/info/exclude").unlink()
    found = save(repo)
    assert repo.names(found.ref) == [".cmat/tasks/x.yaml", "README.md"]


def test_files_that_git_was_told_not_to_look_at_are_saved_as_they_are(repo: TestRepo) -> None:
    repo.commit("base", {"assumed.txt": "1\n", "skipped.txt": "1\n"})
    repo.git("update-index", "--assume-unchanged", "assumed.txt")
    repo.git("update-index", "--skip-worktree", "skipped.txt")
    repo.write("assumed.txt", "2\n")
    repo.write("skipped.txt", "2\n")
    repo.freeze()
    found = save(repo)
    assert repo.show(found.ref, "assumed.txt") == repo.show(found.ref, "skipped.txt") == "2\n"
    assert repo.show(f"{found.ref}^2", "assumed.txt") == "1\n"
    assert repo.git("ls-files", "-v") == "H README.md\nh assumed.txt\nS skipped.txt"


def test_a_repository_inside_is_named_and_left_out(repo: TestRepo) -> None:
    inner = TestRepo(repo.path / "inner")
    inner.commit("inner", {"a.txt": "1\n"})
    found = save(repo)
    assert found.left_out == ("inner/",)
    assert repo.names(found.ref) == ["README.md"]


def test_of_a_submodule_its_commit_is_saved_and_no_git_runs_in_it(repo: TestRepo) -> None:
    other = TestRepo(repo.path.parent / "other")
    other.commit("one", {"a.txt": "1\n"})
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.path), "sub")
    repo.commit("add sub")
    sub = repo.path / "sub"
    commit = ["git", "commit", "-q", "--allow-empty", "-m", "two"]
    subprocess.run(commit, cwd=sub, check=True)
    marker = repo.path.parent / "ran"
    subprocess.run(
        ["git", "config", "core.fsmonitor", f"touch {marker}; false"], cwd=sub, check=True
    )
    repo.freeze()
    found = save(repo)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=sub, capture_output=True, check=True)
    assert head.stdout.decode().strip() in repo.git("ls-tree", found.ref, "sub")
    assert not marker.exists()


def test_it_works_in_a_linked_work_tree(repo: TestRepo) -> None:
    linked = repo.path.parent / "linked"
    repo.git("worktree", "add", "-q", "-b", "side", str(linked))
    linked.joinpath("new.txt").write_text("new\n", encoding="utf-8")
    found = save(linked)
    assert (found.branch, found.work_tree) == ("refs/heads/side", "linked")
    assert repo.names(found.ref) == ["README.md", "new.txt"]


def test_it_works_with_ids_of_sha256(tmp_path: Path) -> None:
    repo = TestRepo(tmp_path / "sha256", object_format="sha256")
    repo.commit("base", {"a.txt": "1\n"})
    repo.write("a.txt", "2\n")
    repo.freeze()
    found = save(repo)
    assert len(found.commit) == 64
    assert repo.show(found.ref, "a.txt") == "2\n"


def test_a_detached_head_is_no_obstacle(repo: TestRepo) -> None:
    repo.git("switch", "-q", "--detach")
    found = save(repo)
    assert (found.branch, found.head) == ("", repo.tip())


def test_without_a_commit_there_is_nothing_to_stand_on(tmp_path: Path) -> None:
    repo = TestRepo(tmp_path / "unborn")
    repo.write("a.txt", "1\n")
    repo.freeze()
    with pytest.raises(Conflict) as refused:
        save(repo)
    assert (refused.value.message, refused.value.hint) == (
        "Nothing was saved: there is no commit yet that a checkpoint could stand on.",
        "git commit first",
    )


def test_a_bare_repository_has_no_work_tree(tmp_path: Path) -> None:
    repo = TestRepo(tmp_path / "bare.git", bare=True)
    with pytest.raises(NotFound) as refused:
        save(repo)
    assert refused.value.message == (
        f"{repo.path} is a bare repository: it has no work tree to save."
    )


def test_unmerged_files_are_named(repo: TestRepo) -> None:
    repo.commit("base", {"a.txt": "1\n"})
    repo.branch("other")
    repo.commit("ours", {"a.txt": "2\n"})
    repo.switch("other")
    repo.commit("theirs", {"a.txt": "3\n"})
    with repo.as_person(), pytest.raises(AssertionError, match="CONFLICT"):
        repo._git("merge", "main")
    with pytest.raises(Conflict) as refused:
        save(repo)
    assert (refused.value.message, refused.value.hint) == (
        "Nothing was saved: these files are unmerged: a.txt",
        "git add them once they are merged, or give the merge up",
    )


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_is_named(repo: TestRepo) -> None:
    repo.write("secret.txt", "1\n", mode=0)
    with pytest.raises(Conflict, match=r"cannot read a file:\n.*secret\.txt"):
        save(repo)


def test_a_ref_without_a_record_gets_one_and_a_deleted_one_goes(repo: TestRepo) -> None:
    deps = open_app(repo.path).deps
    found = save(repo, "first")
    gone = save(repo, "second")
    checkpoints.delete(deps, [gone])
    repo.git("update-ref", gone.ref, gone.commit)
    repo.git("update-ref", "refs/cmat/checkpoints/c-other234", found.head)
    copy = found.ref.replace(found.id, "c-copy2345")
    repo.git("update-ref", copy, found.commit)
    listed = checkpoints.listed(open_app(repo.path).deps)
    assert {c.id for c in listed.found} == {found.id, "c-copy2345"}
    checkpoints.mend(deps)
    record = deps.store.read().checkpoint("c-copy2345")
    assert record is not None
    assert (record.name, record.commit, record.head) == ("first", found.commit, found.head)
    assert gone.ref not in repo.refs("refs/cmat/checkpoints/")


def test_a_repository_without_gitcmat_is_asked_for_nothing_by_list(repo: TestRepo) -> None:
    assert checkpoints.listed(open_app(repo.path).deps).found == ()
    assert not repo.git_dir.joinpath("cmat").exists()


@pytest.mark.slow
def test_beside_a_gc_that_removes_everything_nothing_is_lost(repo: TestRepo) -> None:
    repo.commit("base", {f"src/{n}.txt": f"{n}\n" for n in range(50)})
    stop = repo.path.parent / "stop"
    turn = "git gc -q --prune=now; git reflog expire --expire=now --all"
    loop = f"while [ ! -e {stop} ]; do {turn}; done"
    collecting = subprocess.Popen(["sh", "-c", loop], cwd=repo.path, stderr=subprocess.DEVNULL)
    deps = open_app(repo.path).deps
    made = []
    try:
        for number in range(_ROUNDS):
            text = f"round {number}\n"
            repo.path.joinpath("src/1.txt").write_text(text, encoding="utf-8")
            repo.path.joinpath("new.txt").write_text(f"new {text}", encoding="utf-8")
            if number % 2:  # its blob then lies loose in the store, for the gc to take
                subprocess.run(["git", "add", "new.txt"], cwd=repo.path, check=False)
                subprocess.run(["git", "reset", "-q"], cwd=repo.path, check=False)
            about = checkpoints.About()
            made.append(checkpoints.create(deps, f"number {number}", about, yes))
    finally:
        stop.touch()
        collecting.wait(60)
    subprocess.run(["git", "gc", "-q", "--prune=now"], cwd=repo.path, check=True)
    for number, found in enumerate(made):
        assert repo.show(found.ref, "new.txt") == f"new round {number}\n"
    assert "missing" not in repo.git("fsck", "--connectivity-only")
