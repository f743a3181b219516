"""The one runner keeps to its repository, whatever the environment and the configuration say."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gitcmat.errors import Conflict, NotFound
from gitcmat.store.git import Git, GitError, discover, history
from gitcmat.store.git_rules import environment
from tests.support.repo import TestRepo

REF = "refs/cmat/state/n1"


@pytest.fixture
def git(repo: TestRepo) -> Git:
    return Git(repo.git_dir)


# --- where the repository is ------------------------------------------------------------------


def test_a_repository_is_found_from_any_folder_in_it(repo: TestRepo) -> None:
    (repo.path / "src/deep").mkdir(parents=True)
    for start in (repo.path, repo.path / "src/deep", repo.git_dir, repo.git_dir / "objects"):
        found = discover(start)
        assert found.git_dir == found.common_dir == repo.git_dir
        assert found.work_tree == found.root == found.main_work_tree == repo.path
        assert found.cmat == repo.git_dir / "cmat"
        assert found.object_format == "sha1"


def test_a_linked_work_tree_shares_the_common_folder(repo: TestRepo, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    repo.git("worktree", "add", "-q", str(linked))
    own = repo.git_dir / "worktrees/linked"
    for start in (linked, own):
        found = discover(start)
        assert (found.git_dir, found.common_dir) == (own, repo.git_dir)
        assert (found.work_tree, found.main_work_tree) == (linked, repo.path)


def test_a_bare_repository_has_no_work_tree(tmp_path: Path) -> None:
    bare = TestRepo(tmp_path / "bare.git", bare=True, object_format="sha256")
    found = discover(bare.path)
    assert (found.common_dir, found.work_tree, found.root) == (bare.path, None, bare.path)
    assert found.main_work_tree is None
    assert found.object_format == Git(bare.path).object_format == "sha256"
    assert Git(bare.path).null == "0" * 64


def test_a_folder_may_have_any_letters_in_its_name(tmp_path: Path) -> None:
    odd = TestRepo(tmp_path / "with spaces and ümlaut")
    assert discover(odd.path).work_tree == odd.path


def test_outside_of_a_repository_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        discover(tmp_path)
    assert caught.value.message == f"{tmp_path} is not in a git repository."
    assert caught.value.hint == "git init"


# --- what may steer git -------------------------------------------------------------------------


def test_names_of_a_hook_that_called_us_do_not_lead_elsewhere(
    repo: TestRepo, make_repo: Callable[[str], TestRepo], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_repo("other")
    other.commit("only here")
    for name, value in {
        "GIT_DIR": str(other.git_dir),
        "GIT_WORK_TREE": str(other.path),
        "GIT_INDEX_FILE": str(other.git_dir / "index"),
        "GIT_OBJECT_DIRECTORY": str(other.git_dir / "objects"),
        "GIT_CONFIG_PARAMETERS": "'core.bare=true'",
    }.items():
        monkeypatch.setenv(name, value)
    assert discover(repo.path).git_dir == repo.git_dir
    assert Git(repo.git_dir).rev("HEAD") == (repo.git_dir / "refs/heads/main").read_text().strip()
    assert {n for n in environment() if n.startswith("GIT_")}.isdisjoint(
        {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"}
    )


def test_the_person_s_identity_reaches_git(git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ann")
    assert git.text("config", "--get", "core.fsync") == "committed"
    assert Git(git.git_dir).text("var", "GIT_AUTHOR_IDENT").startswith("Ann <")


def planted_hook(repo: TestRepo, name: str) -> Path:
    trace = repo.path.parent / f"{name}-ran"
    repo.git("config", "core.hooksPath", str(repo.path.parent / "hooks"))
    hook = repo.path.parent / "hooks" / name
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\necho x >> '{trace}'\n")
    hook.chmod(0o755)
    return trace


def test_hooks_run_only_for_what_a_person_typed(repo: TestRepo, git: Git) -> None:
    trace = planted_hook(repo, "reference-transaction")
    git.update_ref(REF, repo.tip(), None)
    assert not trace.exists()
    typed = Git(repo.git_dir, silent=False)
    typed.update_ref("refs/cmat/state/n2", repo.tip(), None)
    assert trace.exists()


def test_a_planted_monitor_of_files_does_not_run(repo: TestRepo) -> None:
    trace = repo.path.parent / "monitor-ran"
    monitor = repo.path.parent / "monitor"
    monitor.write_text(f"#!/bin/sh\necho x >> '{trace}'\n")
    monitor.chmod(0o755)
    repo.git("config", "core.fsmonitor", str(monitor))
    Git(repo.git_dir, work_tree=repo.path).text("status", "--porcelain")
    assert not trace.exists()
    repo.allow("index")


def test_a_value_that_looks_like_an_option_is_a_name(git: Git) -> None:
    for name in ("--all", "--git-dir", "-h", "--upload-pack=touch x"):
        assert git.rev(name) is None
        assert git.ref(name) is None
        assert list(git.tree(name)) == []


def test_further_settings_reach_git(repo: TestRepo) -> None:
    git = Git(repo.git_dir, settings=[("user.name", "Someone")])
    assert git.text("config", "--get", "user.name") == "Someone"


def test_what_git_said_is_in_the_error(git: Git) -> None:
    with pytest.raises(GitError) as caught:
        git.text("cat-file", "-p", "1" * 40)
    assert caught.value.message.endswith(f"fatal: Not a valid object name {'1' * 40}")
    assert caught.value.done.code == 128


def test_git_that_is_not_on_path_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from gitcmat.store.git_rules import program

    program.cache_clear()
    monkeypatch.setenv("PATH", "relative:.")
    with pytest.raises(NotFound, match="git is not installed"):
        program()
    monkeypatch.undo()
    program.cache_clear()


# --- refs ---------------------------------------------------------------------------------------


def test_a_ref_moves_only_from_where_it_was_seen(repo: TestRepo, git: Git) -> None:
    first = repo.tip()
    second = repo.commit("second")
    git.update_ref(REF, first, None)
    git.update_ref(REF, second, first)
    with pytest.raises(Conflict) as caught:
        git.update_ref(REF, first, first)
    assert caught.value.message == (
        f"{REF} was moved by somebody else: it is at {second}, not at {first}."
    )
    with pytest.raises(Conflict) as caught:
        git.update_ref("refs/cmat/state/n2", first, second)
    assert caught.value.message == (
        f"refs/cmat/state/n2 was moved by somebody else: it is at nothing, not at {second}."
    )
    assert git.ref(REF) == second


def test_a_locked_ref_is_a_conflict_that_says_so(repo: TestRepo) -> None:
    git = Git(repo.git_dir, settings=[("core.filesRefLockTimeout", "0")])
    git.update_ref(REF, repo.tip(), None)
    lock = repo.git_dir / f"{REF}.lock"
    lock.touch()
    with pytest.raises(Conflict) as caught:
        git.update_ref(REF, repo.commit("second"), git.ref(REF))
    assert caught.value.message.startswith(f"{REF} cannot be moved: a git process holds /")
    assert str(lock) in caught.value.message


def test_a_branch_in_the_way_of_another_is_a_conflict(repo: TestRepo, git: Git) -> None:
    repo.branch("cmat")
    with pytest.raises(Conflict, match="'refs/heads/cmat' exists"):
        git.update_ref("refs/heads/cmat/task", repo.tip(), None)


def test_a_ref_to_nothing_is_refused(git: Git) -> None:
    with pytest.raises(GitError, match="nonexistent object"):
        git.update_ref(REF, "1" * 40, None)


def test_a_ref_cannot_carry_a_second_command(repo: TestRepo, git: Git) -> None:
    with pytest.raises(ValueError, match="cannot be a ref"):
        git.update_ref(f"{REF}\0{repo.tip()}\0\0delete refs/heads/main", repo.tip(), None)


def test_a_ref_is_read_wherever_it_is_kept(
    repo: TestRepo, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "processes.txt"
    first, second = repo.tip(), repo.commit("second")
    git.update_ref(REF, first, None)
    monkeypatch.setenv("GITCMAT_TRACE", str(trace))
    assert git.ref(REF) == first
    assert not trace.exists()  # a loose one costs no process
    repo.git("pack-refs", "--all")
    assert git.ref(REF) == first
    git.update_ref(REF, second, first)  # loose again, before what is packed
    assert git.ref(REF) == second
    repo.git("symbolic-ref", "refs/cmat/alias", REF)
    assert git.ref("refs/cmat/alias") == second
    assert git.ref("refs/cmat/none") is None
    assert git.ref("refs/heads/../../HEAD") is None


@pytest.mark.parametrize("damage", ["", "no id\n", "\u00e4"])
def test_a_damaged_ref_has_no_value(repo: TestRepo, git: Git, damage: str) -> None:
    git.update_ref(REF, repo.tip(), None)
    (repo.git_dir / REF).write_text(damage, encoding="utf-8")
    assert git.ref(REF) is None


def test_a_ref_is_deleted_only_where_it_was_seen(repo: TestRepo, git: Git) -> None:
    first = repo.tip()
    git.update_ref(REF, first, None)
    assert not git.delete_ref(REF, repo.commit("second"))
    assert git.delete_ref(REF, first)
    assert git.ref(REF) is None


def test_head_names_its_branch_even_before_the_first_commit(tmp_path: Path) -> None:
    unborn = TestRepo(tmp_path / "unborn")
    git = Git(unborn.git_dir)
    assert git.head() == "refs/heads/main"
    assert git.rev("HEAD") is None
    unborn.commit("first")
    unborn.git("checkout", "-q", "--detach")
    assert git.head() is None


# --- objects ------------------------------------------------------------------------------------


def test_blobs_come_by_name_and_missing_ones_are_left_out(repo: TestRepo, git: Git) -> None:
    repo.commit("files", {"a b.txt": "one\n\nblob 3\n", "empty": "", "blob 12": "twelve"})
    names = ["HEAD:a b.txt", "HEAD:nothing here", "HEAD:empty", "1" * 40, "HEAD:blob 12"]
    assert git.blobs(names) == {
        "HEAD:a b.txt": b"one\n\nblob 3\n",
        "HEAD:empty": b"",
        "HEAD:blob 12": b"twelve",
    }
    assert git.blobs([]) == {}
    assert git.blob("HEAD:absent 12") is None


def test_a_name_with_a_line_end_cannot_ask_for_a_second_object(git: Git) -> None:
    with pytest.raises(ValueError, match="cannot hold a line end"):
        git.blob("HEAD:a\nHEAD:README.md")


def test_missing_objects_are_counted(repo: TestRepo, git: Git) -> None:
    git.require([repo.tip()])
    with pytest.raises(NotFound) as caught:
        git.require([repo.tip(), "1" * 40, "2" * 40])
    assert caught.value.message == f"{repo.git_dir} lacks 2 of 3 objects, first {'1' * 40}."


def test_a_tree_is_listed_with_modes_and_odd_names(repo: TestRepo, git: Git) -> None:
    repo.commit("files", {"src/ä\tb": "x", "run": "y"})
    listed = {entry.path: (entry.mode, entry.kind) for entry in git.tree("HEAD")}
    assert listed == dict.fromkeys(["README.md", "src/ä\tb", "run"], ("100644", "blob"))
    assert [entry.path for entry in git.tree("HEAD", recurse=False)] == ["README.md", "run", "src"]
    assert [entry.path for entry in git.tree("HEAD", "src/")] == ["src/ä\tb"]


def test_an_absent_tree_lists_nothing_but_a_damaged_one_is_an_error(
    repo: TestRepo, git: Git
) -> None:
    assert list(git.tree("refs/cmat/state/absent")) == []
    assert list(git.tree("HEAD", "absent/")) == []
    repo.commit("folder", {"src/a.py": "x"})
    damaged = repo.tip("HEAD")
    tree = repo.git("rev-parse", "HEAD:src")
    (repo.git_dir / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(GitError):
        list(git.tree(damaged))


def test_history_reads_commits_and_leaves_no_process(repo: TestRepo) -> None:
    repo.commit("second")
    with history(repo.git_dir) as opened:
        assert [str(commit.summary) for commit in opened.iter_commits()] == ["second", "Start"]


def test_a_missing_object_is_not_fetched_behind_the_back(repo: TestRepo, tmp_path: Path) -> None:
    trace = tmp_path / "fetched"
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": str(repo.path),
        "remote.origin.uploadpack": f"touch '{trace}';",
    }.items():
        repo.git("config", key, value)
    assert Git(repo.git_dir).blob("1" * 40) is None
    assert not trace.exists()
    Git(repo.git_dir, env={"GIT_NO_LAZY_FETCH": "0"}).run("cat-file", "-e", "1" * 40, ok=())
    assert trace.exists(), "the trap would have worked"
