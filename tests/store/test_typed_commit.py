"""A commit that a command makes on the person's branch holds the named paths and nothing else."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gitcmat.errors import CheckFailed, Conflict, NotFound
from gitcmat.store import typed_commit
from gitcmat.store.git import discover
from gitcmat.store.typed_commit import commit_paths
from tests.support.repo import TestRepo

WRITER = """
import sys
from pathlib import Path
from gitcmat.store.git import discover
from gitcmat.store.typed_commit import commit_paths
root, who = Path(sys.argv[1]), sys.argv[2]
repo = discover(root)
for number in range(25):
    path = f".cmat/tasks/{who}-{number}.yaml"
    (root / path).write_text("title: x\\n")
    commit_paths(repo, [path], f"Add {who}-{number}")
"""


def commit(repo: TestRepo, *paths: str, message: str = "Add a task") -> str:
    return commit_paths(discover(repo.path), paths, message)


def changed(repo: TestRepo, rev: str = "HEAD") -> list[str]:
    return repo.git("show", "--format=", "--name-status", rev).splitlines()


def hook(repo: TestRepo, name: str, text: str) -> None:
    path = repo.path / ".git/hooks" / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_new_file_is_committed_alone(repo: TestRepo) -> None:
    repo.write("mine.txt", "staged\n")
    repo.git("add", "mine.txt")
    repo.write("other.txt", "not staged\n")
    repo.write(".cmat/tasks/a.yaml", "title: a\n")
    oid = commit(repo, ".cmat/tasks/a.yaml")
    assert oid == repo.tip()
    assert repo.git("log", "-1", "--format=%an %s") == "Pat Person Add a task"
    assert changed(repo) == ["A\t.cmat/tasks/a.yaml"]
    assert repo.status() == "A  mine.txt\n?? other.txt"


def test_a_half_staged_file_stays_half_staged(repo: TestRepo) -> None:
    repo.write("README.md", "staged\n")
    repo.git("add", "README.md")
    repo.write("README.md", "staged\nsaved\n")
    repo.write("task.yaml", "x\n")
    commit(repo, "task.yaml")
    assert changed(repo) == ["A\ttask.yaml"]
    assert repo.git("show", ":README.md") == "staged"
    assert repo.read("README.md") == "staged\nsaved\n"


def test_a_deleted_file_is_committed_as_gone(repo: TestRepo) -> None:
    repo.commit("Add", {"a.yaml": "x\n", "b.yaml": "x\n"})
    repo.delete("a.yaml")
    repo.write("b.yaml", "changed\n")
    commit(repo, "a.yaml", "b.yaml")
    assert changed(repo) == ["D\ta.yaml", "M\tb.yaml"]
    assert repo.status() == ""


def test_it_can_be_the_very_first_commit(tmp_path: Path) -> None:
    empty = TestRepo(tmp_path / "empty")
    empty.write("a.yaml", "x\n")
    empty.write("staged.txt", "x\n")
    empty.git("add", "staged.txt")
    assert commit(empty, "a.yaml") == empty.tip("refs/heads/main")
    assert empty.names("HEAD") == ["a.yaml"]
    assert empty.status() == "A  staged.txt"


def test_what_is_committed_already_needs_no_commit(repo: TestRepo) -> None:
    first = repo.commit("Add", {"a.yaml": "x\n"})
    repo.commit("More", {"b.yaml": "x\n"})
    assert commit(repo, "a.yaml") == first
    assert repo.git("rev-list", "--count", "HEAD") == "3"


def test_a_path_is_never_a_pattern(repo: TestRepo) -> None:
    repo.write("*.yaml", "x\n")
    repo.write("other.yaml", "x\n")
    commit(repo, "*.yaml")
    assert repo.status() == "?? other.yaml"


def test_from_a_linked_work_tree_it_goes_to_the_branch_that_is_checked_out_there(
    repo: TestRepo, tmp_path: Path
) -> None:
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    (tmp_path / "linked/a.yaml").write_text("x\n")
    before = repo.tip()
    oid = commit_paths(discover(tmp_path / "linked"), ["a.yaml"], "Add")
    assert (repo.tip("side"), repo.tip("main")) == (oid, before)


def test_the_hooks_of_the_person_run_and_may_say_no(repo: TestRepo) -> None:
    hook(repo, "commit-msg", "echo 'no ticket in the message' >&2; exit 1")
    repo.write("a.yaml", "x\n")
    before = repo.tip()
    with pytest.raises(CheckFailed) as caught:
        commit(repo, "a.yaml")
    assert caught.value.message == (
        "a.yaml was saved but not committed, because git refused:\nno ticket in the message"
    )
    again = caught.value.hint.removeprefix("put that right, then: ")
    assert again == "git add -A -- :/a.yaml && git commit -m 'Add a task' -- :/a.yaml"
    assert repo.tip() == before
    assert repo.read("a.yaml") == "x\n"
    with repo.as_person():
        (repo.git_dir / "hooks" / "commit-msg").unlink()
        subprocess.run(["sh", "-c", again], cwd=repo.path, check=True, capture_output=True)
    assert repo.git("log", "-1", "--format=%s", "--name-only") == "Add a task\n\na.yaml"


def test_a_hook_may_change_what_is_committed(repo: TestRepo) -> None:
    hook(repo, "prepare-commit-msg", 'echo "Ticket: 7" >> "$1"')
    repo.write("a.yaml", "x\n")
    commit(repo, "a.yaml")
    assert "Ticket: 7" in repo.git("log", "-1", "--format=%B")


def a_merge(repo: TestRepo) -> None:
    repo.branch("side")
    repo.commit("Here", {"README.md": "here\n"})
    repo.switch("side")
    repo.commit("There", {"README.md": "there\n"})
    with pytest.raises(AssertionError):
        repo.git("merge", "-q", "main")


def a_rebase(repo: TestRepo) -> None:
    repo.branch("side")
    repo.commit("Here", {"README.md": "here\n"})
    repo.switch("side")
    repo.commit("There", {"README.md": "there\n"})
    with pytest.raises(AssertionError):
        repo.git("rebase", "-q", "main")


def a_bisect(repo: TestRepo) -> None:
    repo.commit("More")
    repo.git("bisect", "start")


@pytest.mark.parametrize(
    ("begin", "message", "hint"),
    [
        (a_merge, "a merge is under way", "git commit, or git merge --abort"),
        (a_rebase, "a rebase is under way", "git rebase --continue or --abort"),
        (a_bisect, "a bisect is under way", "git bisect reset"),
    ],
)
def test_while_git_is_in_the_middle_of_something_the_file_is_left_as_it_is(
    repo: TestRepo, begin: Callable[[TestRepo], None], message: str, hint: str
) -> None:
    begin(repo)
    repo.write("a.yaml", "x\n")
    before = repo.status(), repo.tip()
    with pytest.raises(Conflict) as caught:
        commit(repo, "a.yaml")
    assert caught.value.message == f"Nothing was committed: {message}."
    assert caught.value.hint == hint
    assert (repo.status(), repo.tip()) == before


def test_a_detached_head_gets_no_commit(repo: TestRepo) -> None:
    repo.git("checkout", "-q", "--detach")
    repo.write("a.yaml", "x\n")
    with pytest.raises(Conflict) as caught:
        commit(repo, "a.yaml")
    assert caught.value.message == (
        "Nothing was committed: HEAD is detached, so a commit would be on no branch."
    )
    assert repo.status() == "?? a.yaml"


def test_a_bare_repository_has_nowhere_to_commit(tmp_path: Path) -> None:
    bare = TestRepo(tmp_path / "bare.git", bare=True)
    with pytest.raises(NotFound) as caught:
        commit(bare, "a.yaml")
    assert caught.value.message == f"{bare.path} has no work tree to commit in."


def test_it_waits_for_the_index_of_another_git(repo: TestRepo) -> None:
    lock = repo.path / ".git/index.lock"
    lock.touch()
    repo.write("a.yaml", "x\n")
    threading.Timer(0.3, lock.unlink).start()
    begun = time.monotonic()
    commit(repo, "a.yaml")
    assert time.monotonic() - begun >= 0.25
    assert changed(repo) == ["A\ta.yaml"]


def test_an_index_lock_that_stays_is_never_removed(
    repo: TestRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typed_commit, "INDEX_SECONDS", 0.2)
    lock = repo.path / ".git/index.lock"
    lock.touch()
    repo.write("a.yaml", "x\n")
    with pytest.raises(Conflict) as caught:
        commit(repo, "a.yaml")
    assert caught.value.message == (
        f"Nothing was committed: another git process has held {lock} for 0.2 seconds."
    )
    assert caught.value.hint == ("let it finish; if no git is running any more, remove that file")
    assert lock.exists()


@pytest.mark.slow
def test_eight_shells_with_25_commits_each_all_succeed(repo: TestRepo) -> None:
    (repo.path / ".cmat/tasks").mkdir(parents=True)
    argv = [sys.executable, "-c", WRITER, str(repo.path)]
    started = [
        subprocess.Popen([*argv, f"s{n}"], stderr=subprocess.PIPE, text=True) for n in range(8)
    ]
    said = [process.communicate()[1] for process in started]
    assert said == [""] * 8
    assert repo.git("rev-list", "--count", "HEAD") == "201"
    assert len(repo.names("HEAD")) == 201
    assert repo.status() == ""
    assert repo.git("fsck", "--no-progress") == ""
