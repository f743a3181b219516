"""Work is found on a branch in whatever form somebody put it there."""

import pytest

from gitcmat.store.found_landing import found_landing, may_have_landed
from gitcmat.store.git import Git, discover
from tests.support.repo import TestRepo


@pytest.fixture
def work(repo: TestRepo) -> str:
    """The tip of a branch with two commits, beside main."""
    repo.commit("Ground", {"a.txt": "1\n2\n3\n"})
    repo.branch("work")
    repo.switch("work")
    repo.commit("one", {"a.txt": "1\n2\nthree\n"})
    tip = repo.commit("two", {"b.txt": "b\n"})
    repo.switch("main")
    return tip


def _found(repo: TestRepo, work: str) -> str | None:
    return found_landing(discover(repo.path), Git(repo.git_dir), repo.tip("main"), work)


def test_it_is_not_there_before_it_lands(repo: TestRepo, work: str) -> None:
    assert _found(repo, work) is None
    repo.commit("other", {"c.txt": "c\n"})
    assert _found(repo, work) is None


def test_half_of_it_is_not_it(repo: TestRepo, work: str) -> None:
    repo.commit("half", {"b.txt": "b\n"})
    assert _found(repo, work) is None


def test_a_merge_is_found_by_its_commits(repo: TestRepo, work: str) -> None:
    repo.commit("other", {"c.txt": "c\n"})
    repo.git("merge", "-q", "--no-edit", work)
    assert _found(repo, work) == work


def test_a_squash_is_found_by_its_tree(repo: TestRepo, work: str) -> None:
    commit = repo.commit("all", {"a.txt": "1\n2\nthree\n", "b.txt": "b\n"})
    repo.commit("later", {"a.txt": "1\n", "b.txt": "other\n"})
    assert _found(repo, work) == commit


def test_a_squash_onto_other_work_is_found_by_its_patch(repo: TestRepo, work: str) -> None:
    repo.commit("other", {"c.txt": "c\n"})
    commit = repo.commit("all", {"a.txt": "1\n2\nthree\n", "b.txt": "b\n"})
    repo.commit("later", {"a.txt": "1\n", "b.txt": "other\n"})
    assert _found(repo, work) == commit


def test_commits_one_by_one_are_found_together(repo: TestRepo, work: str) -> None:
    repo.commit("other", {"c.txt": "c\n"})
    repo.commit("one again", {"a.txt": "1\n2\nthree\n"})
    tip = repo.commit("two again", {"b.txt": "b\n"})
    assert _found(repo, work) == tip


def test_work_that_changes_nothing_is_nowhere(repo: TestRepo) -> None:
    repo.branch("empty")
    repo.switch("empty")
    repo.git("commit", "-q", "--allow-empty", "-m", "nothing")
    tip = repo.tip()
    repo.switch("main")
    repo.commit("other", {"c.txt": "c\n"})
    assert _found(repo, tip) is None


def _may(repo: TestRepo, was: str, *works: str) -> set[str]:
    return may_have_landed(Git(repo.git_dir), was, repo.tip("main"), works)


def test_only_what_shares_a_file_with_what_is_new_may_have_landed(
    repo: TestRepo, work: str
) -> None:
    repo.branch("other")
    repo.switch("other")
    other = repo.commit("other", {"sub/with space.txt": "x\n", "ü.txt": "x\n"})
    nothing = repo.tip("main")
    repo.switch("main")
    was = repo.tip("main")
    assert _may(repo, was, work, other, nothing) == set()
    repo.commit("far away", {"c.txt": "c\n"})
    assert _may(repo, was, work, other, nothing) == set()
    repo.commit("near", {"ü.txt": "y\n"})
    assert _may(repo, was, work, other, nothing) == {other}
    repo.commit("near the other", {"b.txt": "y\n"})
    assert _may(repo, was, work, other, nothing) == {work, other}


def test_what_has_landed_may_have_landed(repo: TestRepo, work: str) -> None:
    was = repo.tip("main")
    repo.git("merge", "-q", "--no-edit", "--no-ff", work)
    assert _may(repo, was, work) == {work}
    repo.git("revert", "-m", "1", "--no-edit", "HEAD")
    assert _may(repo, was, work) == {work}


def test_what_is_not_known_here_may_have_landed(repo: TestRepo, work: str) -> None:
    gone = "1" * 40
    assert _may(repo, repo.tip("main"), work, gone) == {gone}
    assert _may(repo, gone, work) == {work}
