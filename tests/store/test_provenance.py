"""Real repositories of two people; what was committed here runs, what came from elsewhere waits."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gitcmat.store.git import Git, discover
from gitcmat.store.provenance import made_here
from tests.support.repo import TestRepo

TASK = ".cmat/tasks/a.yaml"
TEXT = "title: Do it\n"


def is_ours(repo: TestRepo, rev: str = "HEAD", path: str = TASK) -> bool:
    found = discover(repo.path)
    blob = repo.git("rev-parse", f"{rev}:{path}")
    return made_here(found, Git(found.common_dir), [blob]) == {blob}


@pytest.fixture
def other(repo: TestRepo, tmp_path: Path) -> TestRepo:
    """Somebody else's clone, with a task on its branch `theirs`, one commit ahead of ours."""
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "other"))
    theirs = TestRepo(tmp_path / "other")
    theirs.git("switch", "-q", "-c", "theirs")
    theirs.commit("A task of theirs", {TASK: TEXT})
    return theirs


def test_a_commit_made_here_is_ours(repo: TestRepo) -> None:
    repo.commit("A task", {TASK: TEXT})

    assert is_ours(repo)


def test_the_first_commit_of_a_repository_is_ours(tmp_path: Path) -> None:
    repo = TestRepo(tmp_path / "fresh")
    repo.commit("Start", {TASK: TEXT})

    assert is_ours(repo)


def test_an_amended_commit_is_ours(repo: TestRepo) -> None:
    repo.commit("A task", {TASK: "title: Too soon\n"})
    repo.write(TASK, TEXT)
    repo.git("commit", "-q", "--all", "--amend", "-m", "A better task")

    assert is_ours(repo)


def test_a_commit_in_a_linked_work_tree_is_ours_also_after_the_tree_is_gone(
    repo: TestRepo, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    repo.git("worktree", "add", "-q", str(linked), "-b", "side")
    (linked / ".cmat/tasks").mkdir(parents=True)
    (linked / TASK).write_text(TEXT, encoding="utf-8")
    repo.git("-C", str(linked), "add", "--all")
    repo.git("-C", str(linked), "commit", "-q", "-m", "A task")
    assert is_ours(repo, "side")

    repo.git("worktree", "remove", str(linked))

    assert is_ours(repo, "side")


def test_a_commit_on_a_detached_head_of_a_linked_work_tree_is_ours(
    repo: TestRepo, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    repo.git("worktree", "add", "-q", "--detach", str(linked))
    (linked / ".cmat/tasks").mkdir(parents=True)
    (linked / TASK).write_text(TEXT, encoding="utf-8")
    repo.git("-C", str(linked), "add", "--all")
    repo.git("-C", str(linked), "commit", "-q", "-m", "A task")
    made = repo.git("-C", str(linked), "rev-parse", "HEAD")
    repo.branch("kept", made)

    assert is_ours(repo, "kept")


def test_our_own_topic_stays_ours_when_it_is_merged(repo: TestRepo) -> None:
    repo.git("switch", "-q", "-c", "topic")
    repo.commit("A task", {TASK: TEXT})
    repo.switch("main")
    repo.commit("Meanwhile", {"x": "x"})
    repo.git("merge", "-q", "--no-ff", "-m", "Merge topic", "topic")

    assert is_ours(repo)


def test_a_stash_of_the_task_does_not_make_it_foreign(repo: TestRepo) -> None:
    repo.commit("A task", {TASK: "title: Old\n"})
    repo.write(TASK, TEXT)
    repo.git("stash", "-q")
    repo.git("stash", "apply", "-q")
    repo.commit("The task as it was stashed")

    assert is_ours(repo)


def merged(repo: TestRepo, other: TestRepo) -> None:
    repo.git("fetch", "-q", str(other.path), "theirs")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge theirs", "FETCH_HEAD")


def pulled(repo: TestRepo, other: TestRepo) -> None:
    repo.git("pull", "-q", "--ff-only", str(other.path), "theirs")


def pulled_with_rebase(repo: TestRepo, other: TestRepo) -> None:
    repo.commit("Meanwhile", {"x": "x"})
    repo.git("pull", "-q", "--rebase", str(other.path), "theirs")


def fetched_and_reset(repo: TestRepo, other: TestRepo) -> None:
    repo.git("fetch", "-q", str(other.path), "theirs")
    repo.git("reset", "-q", "--hard", "FETCH_HEAD")


def fetched_into_a_branch(repo: TestRepo, other: TestRepo) -> None:
    repo.git("fetch", "-q", str(other.path), "theirs:theirs")
    repo.git("switch", "-q", "theirs")


def cherry_picked(repo: TestRepo, other: TestRepo) -> None:
    repo.git("fetch", "-q", str(other.path), "theirs")
    repo.git("cherry-pick", "FETCH_HEAD")


def rebased(repo: TestRepo, other: TestRepo) -> None:
    fetched_into_a_branch(repo, other)
    repo.switch("main")
    repo.commit("Meanwhile", {"x": "x"})
    repo.git("rebase", "-q", "main", "theirs")


def mailed(repo: TestRepo, other: TestRepo) -> None:
    repo.git("am", "-q", stdin=other.git("format-patch", "-1", "--stdout") + "\n")


def imported(repo: TestRepo, other: TestRepo) -> None:
    repo.git("fast-import", "--quiet", stdin=other.git("fast-export", "theirs") + "\n")
    repo.git("switch", "-q", "theirs")


WAYS = [
    merged,
    pulled,
    pulled_with_rebase,
    fetched_and_reset,
    fetched_into_a_branch,
    cherry_picked,
    rebased,
    mailed,
    imported,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_came_from_elsewhere_is_not_ours(
    repo: TestRepo, other: TestRepo, way: Callable[[TestRepo, TestRepo], None]
) -> None:
    way(repo, other)

    assert repo.read(TASK) == TEXT
    assert not is_ours(repo)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_renaming_what_came_from_elsewhere_does_not_make_it_ours(
    repo: TestRepo, other: TestRepo, way: Callable[[TestRepo, TestRepo], None]
) -> None:
    way(repo, other)
    repo.git("mv", TASK, ".cmat/tasks/b.yaml")
    repo.commit("Under another name")

    assert not is_ours(repo, path=".cmat/tasks/b.yaml")


def test_a_clone_makes_nothing_ours(other: TestRepo, tmp_path: Path) -> None:
    other.git("clone", "-q", str(other.path), str(tmp_path / "clone"))

    assert not is_ours(TestRepo(tmp_path / "clone"))


def test_a_shallow_clone_makes_nothing_ours(other: TestRepo, tmp_path: Path) -> None:
    other.commit("On top of it")
    url = f"file://{other.path}"
    other.git("clone", "-q", "--depth=1", url, str(tmp_path / "clone"))

    assert not is_ours(TestRepo(tmp_path / "clone"))


@pytest.mark.parametrize(
    "apply",
    [
        ("merge", "-q", "--squash", "theirs"),
        ("cherry-pick", "-n", "theirs"),
        ("checkout", "-q", "theirs", "--", TASK),
    ],
    ids=["merge --squash", "cherry-pick -n", "checkout -- path"],
)
def test_what_is_committed_by_hand_from_a_foreign_branch_is_foreign_while_that_is_here(
    repo: TestRepo, other: TestRepo, apply: tuple[str, ...]
) -> None:
    repo.git("fetch", "-q", str(other.path), "theirs:theirs")
    repo.git(*apply)
    repo.commit("As if it were mine")

    assert not is_ours(repo)


def test_a_squash_of_what_was_just_fetched_without_a_branch_is_foreign(
    repo: TestRepo, other: TestRepo
) -> None:
    repo.git("pull", "-q", "--squash", str(other.path), "theirs")
    repo.commit("As if it were mine")

    assert not is_ours(repo)


def test_an_amend_of_a_foreign_commit_is_foreign(repo: TestRepo, other: TestRepo) -> None:
    repo.git("fetch", "-q", str(other.path), "theirs")
    repo.git("cherry-pick", "FETCH_HEAD")
    (repo.git_dir / "FETCH_HEAD").unlink()
    repo.git("commit", "-q", "--amend", "-m", "As if it were mine")

    assert not is_ours(repo)


def test_known_limit_a_patch_that_a_person_applies_and_commits_is_taken_for_theirs(
    repo: TestRepo, other: TestRepo
) -> None:
    repo.git("apply", "--index", stdin=other.git("format-patch", "-1", "--stdout") + "\n")
    repo.git("commit", "-q", "-m", "By hand")

    assert is_ours(repo)


def test_content_that_a_foreign_commit_brings_too_is_not_ours(
    repo: TestRepo, other: TestRepo
) -> None:
    repo.commit("The same by chance", {TASK: TEXT})
    assert is_ours(repo)

    repo.git("fetch", "-q", str(other.path), "theirs:refs/remotes/other/theirs")

    assert not is_ours(repo)


def test_commits_below_our_own_refs_do_not_count(repo: TestRepo, other: TestRepo) -> None:
    repo.commit("A task", {TASK: TEXT})
    repo.git("fetch", "-q", str(other.path), "theirs:refs/cmat/runs/r-aaaaaaaa")
    (repo.git_dir / "FETCH_HEAD").unlink()

    assert is_ours(repo)


def test_replace_refs_hide_nothing(repo: TestRepo, other: TestRepo) -> None:
    innocent = repo.tip()
    repo.commit("The same by chance", {TASK: TEXT})
    repo.git("fetch", "-q", str(other.path), "theirs:refs/remotes/other/theirs")
    repo.git("replace", repo.tip("refs/remotes/other/theirs"), innocent)

    assert not is_ours(repo)


def test_what_only_a_foreign_merge_commit_brings_is_foreign(
    repo: TestRepo, other: TestRepo
) -> None:
    other.git("switch", "-q", "-c", "side", "main")
    other.commit("Another task", {TASK: "title: One side\n"})
    with pytest.raises(AssertionError):
        other.git("merge", "theirs")
    other.write(TASK, "title: In neither\n")
    other.commit("Merge theirs")

    repo.commit("The same by chance", {TASK: "title: In neither\n"})
    assert is_ours(repo)
    repo.git("fetch", "-q", str(other.path), "side:refs/remotes/other/side")

    assert not is_ours(repo)


def test_without_reflogs_nothing_is_ours(repo: TestRepo) -> None:
    repo.commit("A task", {TASK: TEXT})
    repo.git("reflog", "expire", "--expire=now", "--all")

    assert not is_ours(repo)


def test_in_a_bare_repository_nothing_is_ours(other: TestRepo, tmp_path: Path) -> None:
    other.git("clone", "-q", "--bare", str(other.path), str(tmp_path / "bare.git"))
    found = discover(tmp_path / "bare.git")
    blob = other.git("rev-parse", f"theirs:{TASK}")

    assert made_here(found, Git(found.common_dir), [blob]) == frozenset()


def test_many_files_are_told_apart_at_once(repo: TestRepo, other: TestRepo) -> None:
    repo.commit("Ours", {f".cmat/tasks/o{n}.yaml": f"title: O{n}\n" for n in range(20)})
    merged(repo, other)
    found = discover(repo.path)
    names = [n for n in repo.names("HEAD") if n.startswith(".cmat/tasks/")]
    blobs = {repo.git("rev-parse", f"HEAD:{name}"): name for name in names}

    ours = made_here(found, Git(found.common_dir), set(blobs))

    assert {blobs[blob] for blob in blobs.keys() - ours} == {TASK}
