"""Which tips are read while a person switches, merges, rebases and looks around."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gitcmat.model.settings import UserSettings
from gitcmat.store.git import Git, discover
from gitcmat.store.sources import Sources, saved_not_committed, sources
from tests.support.repo import TestRepo

MAIN = "refs/heads/main"


def look(
    path: Path, *refs: str, pin: str | None = None, prefix: str = "cmat", ours: tuple[str, ...] = ()
) -> Sources:
    repo = discover(path)
    settings = UserSettings(trust_branch=pin)
    return sources(repo, Git(repo.common_dir), refs, settings, prefix=prefix, ours=ours)


def test_new_tasks_come_from_the_branch_that_is_checked_out(repo: TestRepo) -> None:
    assert look(repo.path) == Sources(new=MAIN, tips={MAIN: repo.tip()})


def test_switching_keeps_the_sources_of_entries(repo: TestRepo) -> None:
    main = repo.tip()
    repo.git("switch", "-q", "-c", "feat/x")
    side = repo.commit("More")

    found = look(repo.path, MAIN)

    assert found == Sources(new="refs/heads/feat/x", tips={MAIN: main, "refs/heads/feat/x": side})


def test_a_source_that_is_gone_is_named(repo: TestRepo) -> None:
    found = look(repo.path, MAIN, "refs/heads/away")

    assert found.gone == {"refs/heads/away"}


def test_a_folder_of_branches_is_not_the_branch(repo: TestRepo) -> None:
    repo.branch("away/below")

    assert look(repo.path, "refs/heads/away").gone == {"refs/heads/away"}


def test_a_linked_work_tree_starts_nothing(repo: TestRepo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"), "-b", "side")

    assert look(tmp_path / "linked").new == MAIN


@pytest.mark.parametrize(
    ("branch", "prefix", "ours"),
    [
        ("cmat/a", "cmat", ()),
        ("cmat/a", "other", ()),
        ("bots/a", "bots", ()),
        ("moved", "cmat", ("refs/heads/moved",)),
    ],
)
def test_a_branch_for_review_is_never_a_source(
    repo: TestRepo, branch: str, prefix: str, ours: tuple[str, ...]
) -> None:
    repo.git("switch", "-q", "-c", branch)

    found = look(repo.path, f"refs/heads/{branch}", prefix=prefix, ours=ours)

    assert found == Sources(
        new=None,
        why_no_new=f"{branch} is a branch for review: tasks are not read from it",
        tips={},
    )


def test_on_an_unborn_branch_there_is_nothing_to_take(tmp_path: Path) -> None:
    repo = TestRepo(tmp_path / "empty")

    assert look(repo.path) == Sources(new=None, why_no_new="main has no commit yet", tips={})


def test_a_bare_repository_reads_the_branch_of_its_head(repo: TestRepo, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))

    assert look(tmp_path / "bare.git").new == MAIN


def test_a_pinned_branch_is_the_only_one(repo: TestRepo) -> None:
    repo.git("switch", "-q", "--detach")

    assert look(repo.path, pin="main") == Sources(new=MAIN, tips={MAIN: repo.tip()})
    assert look(repo.path, pin=MAIN).new == MAIN
    assert look(repo.path, pin="stable").why_no_new == "stable does not exist"


def detach(repo: TestRepo) -> None:
    repo.git("switch", "-q", "--detach")


def conflict(repo: TestRepo) -> None:
    repo.git("switch", "-q", "-c", "side")
    repo.commit("One side", {"x": "1\n"})
    repo.switch("main")
    repo.commit("Other side", {"x": "2\n"})


def fail(repo: TestRepo, *args: str) -> None:
    with pytest.raises(AssertionError):
        repo.git(*args)


def merge(repo: TestRepo) -> None:
    conflict(repo)
    fail(repo, "merge", "side")


def rebase(repo: TestRepo) -> None:
    conflict(repo)
    fail(repo, "rebase", "side")


def rebase_apply(repo: TestRepo) -> None:
    conflict(repo)
    fail(repo, "rebase", "--apply", "side")


def cherry_pick(repo: TestRepo) -> None:
    conflict(repo)
    fail(repo, "cherry-pick", "side")


def revert(repo: TestRepo) -> None:
    repo.commit("One", {"x": "1\n"})
    repo.commit("Two", {"x": "2\n"})
    fail(repo, "revert", "--no-edit", "HEAD~1")


def bisect(repo: TestRepo) -> None:
    repo.git("bisect", "start")


def am(repo: TestRepo) -> None:
    conflict(repo)
    patch = repo.git("format-patch", "-1", "--stdout", "side") + "\n"
    with pytest.raises(AssertionError):
        repo.git("am", stdin=patch)


@pytest.mark.parametrize(
    ("begin", "why"),
    [
        (detach, "HEAD is detached (git switch to a branch)"),
        (merge, "a merge is under way (git commit, or git merge --abort)"),
        (rebase, "a rebase is under way (git rebase --continue or --abort)"),
        (rebase_apply, "a rebase is under way (git rebase --continue or --abort)"),
        (cherry_pick, "a cherry-pick is under way (git cherry-pick --continue or --abort)"),
        (revert, "a revert is under way (git revert --continue or --abort)"),
        (bisect, "a bisect is under way (git bisect reset)"),
        (am, "a git am is under way (git am --continue or --abort)"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_in_the_middle_of_something_no_new_task_is_taken_but_entries_go_on(
    repo: TestRepo, begin: Callable[[TestRepo], None], why: str
) -> None:
    begin(repo)

    found = look(repo.path, MAIN)

    assert found == Sources(new=None, why_no_new=why, tips={MAIN: repo.tip("main")})


# --- saved, not committed -------------------------------------------------------------------------


def unsaved(path: Path) -> list[str]:
    return [f"{found.how} {found.path}" for found in saved_not_committed(discover(path))]


def test_saved_files_that_are_not_committed_are_named(repo: TestRepo) -> None:
    files = {f".cmat/tasks/{name}.yaml": f"title: {name}\n" for name in "abcd"}
    repo.commit("Tasks", {**files, ".cmat/config.yaml": "view: true\n"})
    assert unsaved(repo.path) == []

    repo.write(".cmat/tasks/a.yaml", "title: A!\n")
    repo.write(".cmat/tasks/b.yaml", "title: B!\n")
    repo.git("add", "--all")
    repo.delete(".cmat/tasks/c.yaml")
    repo.write(".cmat/tasks/e.yaml", "title: E\n")
    repo.write(".cmat/tasks/.e.yaml.swp", "x")
    repo.write(".cmat/queue/pending/a.yaml", "ours")
    repo.write("src/x.py", "elsewhere")

    assert unsaved(repo.path) == [
        "changed .cmat/tasks/a.yaml",
        "changed .cmat/tasks/b.yaml",
        "deleted .cmat/tasks/c.yaml",
        "new .cmat/tasks/e.yaml",
    ]


def test_line_ends_that_git_turns_are_no_change(repo: TestRepo) -> None:
    repo.git("config", "core.autocrlf", "true")
    repo.commit("A task", {".cmat/tasks/a.yaml": "title: A\nprompt: x\n"})
    repo.write(".cmat/tasks/a.yaml", "title: A\r\nprompt: x\r\n")

    assert unsaved(repo.path) == []


def test_a_filter_of_the_repository_is_not_run(repo: TestRepo, tmp_path: Path) -> None:
    repo.commit("A task", {".cmat/tasks/a.yaml": "title: A\n"})
    canary = tmp_path / "canary"
    repo.git("config", "filter.evil.clean", f"touch {canary}; cat")
    repo.write(".gitattributes", "* filter=evil\n")
    repo.write(".cmat/tasks/a.yaml", "title: B\n")

    assert unsaved(repo.path) == ["changed .cmat/tasks/a.yaml"]
    assert not canary.exists()


def test_links_are_compared_and_not_followed(repo: TestRepo) -> None:
    repo.commit("A task", {".cmat/tasks/a.yaml": "title: A\n"})
    (repo.path / ".cmat/skills").symlink_to("/etc")
    repo.commit("A link")
    assert unsaved(repo.path) == []

    (repo.path / ".cmat/skills").unlink()
    (repo.path / ".cmat/skills").symlink_to("/usr")
    (repo.path / ".cmat/tasks/a.yaml").unlink()
    (repo.path / ".cmat/tasks/a.yaml").symlink_to("/dev/zero")

    assert unsaved(repo.path) == ["changed .cmat/skills", "changed .cmat/tasks/a.yaml"]


def test_before_the_first_commit_everything_is_new(tmp_path: Path) -> None:
    repo = TestRepo(tmp_path / "empty")
    repo.write(".cmat/tasks/a.yaml", "title: A\n")

    assert unsaved(repo.path) == ["new .cmat/tasks/a.yaml"]


def test_each_work_tree_is_compared_with_its_own_head(repo: TestRepo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"), "-b", "side")
    repo.commit("A task", {".cmat/tasks/a.yaml": "title: A\n"})
    (tmp_path / "linked/.cmat/tasks").mkdir(parents=True)
    (tmp_path / "linked/.cmat/tasks/b.yaml").write_text("title: B\n", encoding="utf-8")

    assert unsaved(tmp_path / "linked") == ["new .cmat/tasks/b.yaml"]


def test_a_bare_repository_has_nothing_saved(repo: TestRepo, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))

    assert unsaved(tmp_path / "bare.git") == []
