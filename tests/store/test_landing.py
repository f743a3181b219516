"""Landing on a branch: what of a person's stays, what is refused, what moves."""

import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gitcmat.errors import Conflict
from gitcmat.store import index_lock, landing, packs
from tests.support.lander import MAIN, landed, prepared, repaired
from tests.support.repo import TestRepo

_BASE = {
    "a.txt": "a\n",
    "b.txt": "b\n",
    "keep.txt": "keep\n",
    "old/gone.txt": "gone\n",
    ".gitignore": "*.log\n",
}


@pytest.fixture
def project(repo: TestRepo) -> TestRepo:
    """On main; the branch `work` changes a.txt, adds new/x.txt, out.log and run.sh, removes
    old/gone.txt.
    """
    repo.commit("base", _BASE)
    repo.git("switch", "-q", "-c", "work")
    repo.write("a.txt", "a\nmore\n")
    repo.write("new/x.txt", "x\n")
    repo.write("out.log", "tracked\n")
    repo.write("run.sh", "#!/bin/sh\n", mode=0o755)
    (repo.path / "link").symlink_to("a.txt")
    repo.git("rm", "-q", "old/gone.txt")
    repo.git("add", "--force", "--all", ".")
    repo.git("commit", "-q", "-m", "work")
    repo.switch("main")
    return repo


def _land(project: TestRepo) -> str:
    new = prepared(project.path, project.tip("work"))
    with project.guarded("refs:refs/heads/main", "index", "files"):
        assert landed(project.path, new) == project.path
    assert project.git("symbolic-ref", "HEAD") == MAIN
    assert project.tip(MAIN) == new
    return new


def _refused(project: TestRepo, message: str, *, hint: str | None = None) -> None:
    before = project.status()
    new = prepared(project.path, project.tip("work"))
    with project.guarded(), pytest.raises(Conflict) as caught:
        landed(project.path, new)
    assert caught.value.message == message
    assert hint is None or caught.value.hint == hint
    assert project.status() == before
    assert not (project.git_dir / "cmat/landing.json").exists()
    assert list((project.git_dir / "cmat/landing").iterdir()) == []


def _in_the_way(project: TestRepo, *names: str) -> str:
    listed = ", ".join(names)
    return f"Nothing was landed: these files of yours in {project.path} are in the way: {listed}"


def test_a_clean_work_tree_moves_with_its_branch(project: TestRepo) -> None:
    _land(project)
    assert project.status() == ""
    assert project.read("a.txt") == "a\nmore\n"
    assert not (project.path / "old").exists()
    assert (project.path / "run.sh").stat().st_mode & stat.S_IXUSR
    assert (project.path / "link").readlink() == Path("a.txt")
    assert project.git("log", "-1", "--format=%gs", "-g", "HEAD") == "land it"
    assert project.git("fsck", "--no-dangling") == ""


def test_what_is_staged_elsewhere_stays_staged(project: TestRepo) -> None:
    project.write("b.txt", "b\nmine\n")
    project.write("mine.txt", "mine\n")
    project.git("add", "b.txt", "mine.txt")
    project.write("b.txt", "b\nmine\nhalf\n")
    _land(project)
    assert project.status() == "MM b.txt\nA  mine.txt"
    assert project.read("b.txt") == "b\nmine\nhalf\n"


def test_what_is_not_staged_elsewhere_stays_so(project: TestRepo) -> None:
    project.write("b.txt", "mine\n")
    project.delete("keep.txt")
    project.write("mine/untracked.txt", "mine\n")
    _land(project)
    assert project.status() == " M b.txt\n D keep.txt\n?? mine/untracked.txt"


def test_an_unstaged_change_in_the_way_is_refused(project: TestRepo) -> None:
    project.write("a.txt", "mine\n")
    _refused(
        project,
        _in_the_way(project, "a.txt"),
        hint="commit, stash or move them, then try again",
    )


def test_a_staged_change_in_the_way_is_refused(project: TestRepo) -> None:
    project.write("a.txt", "mine\n")
    project.git("add", "a.txt")
    _refused(project, _in_the_way(project, "a.txt"))


def test_what_is_staged_as_it_lands_is_simply_landed(project: TestRepo) -> None:
    project.write("a.txt", "a\nmore\n")
    project.git("add", "a.txt")
    project.write("a.txt", "a\nmore\nand mine\n")
    _land(project)
    assert project.status() == " M a.txt"
    assert project.read("a.txt") == "a\nmore\nand mine\n"


def test_a_touched_file_with_the_same_content_is_not_in_the_way(project: TestRepo) -> None:
    with project.as_person():
        os.utime(project.path / "a.txt", (1, 1))
    _land(project)
    assert project.status() == ""


def test_untracked_files_in_the_way_are_refused(project: TestRepo) -> None:
    project.write("new/x.txt", "mine\n")
    project.write("run.sh", "mine\n")
    _refused(project, _in_the_way(project, "new/x.txt", "run.sh"))


def test_an_ignored_file_in_the_way_is_refused(project: TestRepo) -> None:
    project.write("out.log", "mine\n")
    _refused(project, _in_the_way(project, "out.log"))


def test_an_ignored_file_where_a_folder_must_be_is_refused(project: TestRepo) -> None:
    project.write(".git/info/exclude", "/new\n")
    project.write("new", "mine\n")
    _refused(project, _in_the_way(project, "new"))


def test_a_folder_with_ignored_files_where_a_file_must_be_is_refused(project: TestRepo) -> None:
    project.write("run.sh/debug.log", "mine\n")
    _refused(project, _in_the_way(project, "run.sh/debug.log"))


def test_a_hidden_change_of_an_assumed_unchanged_file_is_refused(project: TestRepo) -> None:
    project.git("update-index", "--assume-unchanged", "a.txt")
    project.write("a.txt", "mine\n")
    _refused(project, _in_the_way(project, "a.txt"))


def test_a_deleted_file_that_the_landing_changes_is_in_the_way(project: TestRepo) -> None:
    project.delete("a.txt")
    _refused(project, _in_the_way(project, "a.txt"))


def test_a_file_that_both_deleted_is_deleted(project: TestRepo) -> None:
    project.delete("old/gone.txt")
    _land(project)
    assert project.status() == ""


def test_a_held_index_is_refused_and_the_lock_is_kept(
    project: TestRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_lock.IndexLock.acquire, "__defaults__", (0.2,))
    lock = project.write(".git/index.lock", "")
    _refused(
        project,
        f"Another git process has held {lock} for 0.2 seconds.",
        hint="let it finish; if no git is running any more, remove that file",
    )
    assert lock.exists()


def test_a_merge_under_way_is_refused(project: TestRepo) -> None:
    project.git("branch", "-q", "side")
    project.commit("mine", {"b.txt": "main\n"})
    project.git("switch", "-q", "side")
    project.commit("theirs", {"b.txt": "side\n"})
    project.switch("main")
    with project.as_person():
        subprocess.run(["git", "merge", "side"], cwd=project.path, capture_output=True, check=False)
    _refused(
        project,
        f"Nothing was landed: a merge is under way in {project.path}.",
        hint="git commit, or git merge --abort",
    )


def test_a_rebase_of_the_target_under_way_is_refused(project: TestRepo) -> None:
    project.commit("mine", {"b.txt": "main\n"})
    _broken_off(project, "rebase", "-f", "--exec", "false", "HEAD~1")
    assert project.git("rev-parse", "--abbrev-ref", "HEAD") == "HEAD"
    _refused(
        project,
        f"Nothing was landed: a rebase is under way in {project.path}.",
        hint="git rebase --continue or --abort",
    )


def _broken_off(project: TestRepo, *args: str) -> None:
    with project.as_person():
        done = subprocess.run(["git", *args], cwd=project.path, capture_output=True, check=False)
    assert done.returncode != 0


def test_a_bisect_from_the_target_is_refused(project: TestRepo) -> None:
    project.commit("one")
    project.commit("two")
    project.git("bisect", "start", "HEAD", "HEAD~3")
    _refused(
        project,
        f"Nothing was landed: a bisect is under way in {project.path}.",
        hint="git bisect reset",
    )


def test_a_rebase_of_another_branch_does_not_hinder(project: TestRepo) -> None:
    project.git("switch", "-q", "-c", "side")
    project.commit("mine", {"b.txt": "side\n"})
    _broken_off(project, "rebase", "-f", "--exec", "false", "HEAD~1")
    new = prepared(project.path, project.tip("work"))
    with project.guarded("refs:refs/heads/main"):
        assert landed(project.path, new) is None
    assert project.tip(MAIN) == new


def test_a_detached_head_stays_where_it_is(project: TestRepo) -> None:
    project.git("switch", "-q", "--detach")
    new = prepared(project.path, project.tip("work"))
    with project.guarded("refs:refs/heads/main"):
        assert landed(project.path, new) is None
    assert project.tip(MAIN) == new


def test_a_target_that_is_checked_out_nowhere_moves_alone(project: TestRepo) -> None:
    project.git("switch", "-q", "-c", "elsewhere")
    project.write("a.txt", "mine\n")
    new = prepared(project.path, project.tip("work"))
    with project.guarded("refs:refs/heads/main"):
        assert landed(project.path, new) is None
    assert project.tip(MAIN) == new


def test_a_target_in_a_linked_work_tree_moves_there(project: TestRepo, tmp_path: Path) -> None:
    project.git("switch", "-q", "-c", "elsewhere")
    linked = tmp_path / "linked"
    project.git("worktree", "add", "-q", str(linked), "main")
    new = prepared(project.path, project.tip("work"))
    with project.guarded("refs:refs/heads/main"):
        assert landed(project.path, new) == linked
    assert (linked / "a.txt").read_text(encoding="utf-8") == "a\nmore\n"
    assert project.git("-C", str(linked), "status", "--porcelain") == ""


def test_a_work_tree_whose_folder_is_gone_is_refused(project: TestRepo, tmp_path: Path) -> None:
    project.git("switch", "-q", "-c", "elsewhere")
    linked = tmp_path / "linked"
    project.git("worktree", "add", "-q", str(linked), "main")
    linked.rename(tmp_path / "away")
    _refused(
        project,
        f"Nothing was landed: main is checked out in {linked}, which is gone.",
        hint="git worktree prune",
    )


def test_from_a_sub_folder_the_whole_work_tree_moves(project: TestRepo) -> None:
    project.write("deep/inside/file.txt", "mine\n")
    new = prepared(project.path / "deep/inside", project.tip("work"))
    with project.guarded("refs:refs/heads/main", "index", "files"):
        landed(project.path / "deep/inside", new)
    assert project.status() == "?? deep/inside/file.txt"


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_bare_repository_moves_its_branch(tmp_path: Path, object_format: str) -> None:
    source = TestRepo(tmp_path / "source", object_format=object_format)
    source.commit("base", _BASE)
    source.git("switch", "-q", "-c", "work")
    source.commit("work", {"a.txt": "a\nmore\n"})
    bare = TestRepo(tmp_path / "bare.git", bare=True, object_format=object_format)
    bare.git("fetch", "-q", str(source.path), "refs/heads/*:refs/heads/*")
    new = prepared(bare.path, bare.tip("work"))
    with bare.guarded("refs:refs/heads/main"):
        assert landed(bare.path, new) is None
    assert bare.show("main", "a.txt") == "a\nmore\n"


def test_a_sha256_work_tree_moves_too(tmp_path: Path) -> None:
    project = TestRepo(tmp_path / "project", object_format="sha256")
    project.commit("base", _BASE)
    project.git("switch", "-q", "-c", "work")
    project.commit("work", {"a.txt": "a\nmore\n", "new.txt": "new\n"})
    project.switch("main")
    _land(project)
    assert project.status() == ""


def test_a_target_that_moved_meanwhile_is_refused_and_files_are_put_back(project: TestRepo) -> None:
    new = prepared(project.path, project.tip("work"))
    elsewhere = project.git("commit-tree", "-p", "HEAD", "-m", "quick", "HEAD^{tree}")

    def overtake(step: str) -> None:
        if step == "written":
            assert project.path.joinpath("new/x.txt").exists()
            subprocess.run(["git", "update-ref", MAIN, elsewhere], cwd=project.path, check=True)

    with project.guarded("refs:refs/heads/main"), pytest.raises(Conflict) as caught:
        landed(project.path, new, on_step=overtake)
    assert caught.value.message.startswith(f"{MAIN} was moved by somebody else: ")
    assert project.tip(MAIN) == elsewhere
    assert project.status() == ""


def test_a_head_that_leaves_during_the_landing_takes_no_files_along(project: TestRepo) -> None:
    project.branch("other")
    new = prepared(project.path, project.tip("work"))

    def leave(step: str) -> None:
        if step == "moved":  # as a checkout does that gave index.lock back before we took it
            subprocess.run(
                ["git", "symbolic-ref", "HEAD", "refs/heads/other"], cwd=project.path, check=True
            )

    with project.guarded("refs:refs/heads/main", "HEAD", "reflogs:HEAD"):
        landed(project.path, new, on_step=leave)
    assert project.tip(MAIN) == new
    assert project.tip("other") != new
    assert project.status() == ""
    assert not (project.path / "new").exists()


def test_a_file_becomes_a_folder_and_a_folder_a_file(repo: TestRepo) -> None:
    repo.commit("base", {"thing": "file\n", "pack/one": "1\n", "pack/two": "2\n"})
    repo.git("switch", "-q", "-c", "work")
    repo.git("rm", "-q", "-r", "thing", "pack")
    repo.commit("work", {"thing/inside": "file\n", "pack": "12\n"})
    repo.switch("main")
    _land(repo)
    assert repo.status() == ""
    assert repo.read("thing/inside") == "file\n"
    assert repo.read("pack") == "12\n"


def test_odd_names_land(repo: TestRepo) -> None:
    repo.commit("base", {"a": "a\n"})
    repo.git("switch", "-q", "-c", "work")
    repo.commit("work", {"with space": "1\n", 'quo"te': "2\n", "li\nne": "3\n", "é": "4\n"})
    with repo.as_person():
        Path(os.fsdecode(os.fsencode(repo.path) + b"/\xff")).write_bytes(b"5\n")
    repo.commit("more")
    repo.switch("main")
    _land(repo)
    assert repo.status() == ""


def test_line_ends_and_filters_are_those_of_a_checkout(repo: TestRepo) -> None:
    repo.git("config", "filter.shout.smudge", "tr a-z A-Z")
    repo.git("config", "filter.shout.clean", "tr A-Z a-z")
    attributes = "*.bat text eol=crlf\n*.loud filter=shout\n"
    repo.commit("base", {".gitattributes": attributes, "x.loud": "one\n", "y.bat": "one\n"})
    repo.git("switch", "-q", "-c", "work")
    repo.commit("work", {"x.loud": "two\n", "y.bat": "two\n"})
    repo.switch("main")
    _land(repo)
    assert (repo.path / "x.loud").read_bytes() == b"TWO\n"
    assert (repo.path / "y.bat").read_bytes() == b"two\r\n"
    assert repo.status() == ""


@pytest.mark.parametrize("way", ["ours is newer", "ours is older"])
def test_a_checkout_of_the_target_just_before_it_moves_is_brought_along(
    project: TestRepo, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    project.git("switch", "-q", "-c", "other")
    new = prepared(project.path, project.tip("work"))
    real = packs.move_ref
    calls: list[str] = []

    def switched(*args: Any) -> None:
        if way == "ours is newer" and not calls:
            project.switch("main")
        real(*args)
        if way == "ours is older" and not calls:
            project.switch("main")
        calls.append("moved")

    monkeypatch.setattr(landing, "move_ref", switched)
    landed(project.path, new)
    project.allow("refs:refs/heads/main")
    assert project.tip(MAIN) == new
    assert project.status() == ""
    assert calls == ["moved"]


def test_there_is_nothing_to_repair_after_a_landing(project: TestRepo) -> None:
    _land(project)
    assert repaired(project.path) is None
