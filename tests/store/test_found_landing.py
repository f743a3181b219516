"""Work is found on a branch in whatever form somebody put it there."""

import pytest

from gitcmat.store.found_landing import found_landing
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
