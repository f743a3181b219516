"""Our refs do not lie about by the hundred."""

import pytest

from gitcmat.store import ref_damage, refs
from gitcmat.store.git import Git, discover
from gitcmat.store.packedrefs import pack_many_refs
from gitcmat.store.state import MANY
from tests.support.repo import TestRepo
from tests.support.store import entry, open_store, put


@pytest.fixture
def git(repo: TestRepo) -> Git:
    return Git(repo.git_dir)


def loose(repo: TestRepo) -> int:
    """How many refs of runs and checkpoints are files of their own."""
    prefixes = (refs.RUNS, refs.CHECKPOINTS)
    return sum(1 for _ in ref_damage.loose(discover(repo.path), prefixes))


def make_runs(repo: TestRepo, git: Git, count: int) -> None:
    for number in range(count):
        git.update_ref(f"{refs.RUNS}r-{number:08}", repo.tip(), None)


def test_many_are_packed_in_idle_time_and_keep_their_values(repo: TestRepo, git: Git) -> None:
    store = open_store(repo.path)
    put(store, entry("t-1"))
    make_runs(repo, git, 101)
    before = repo.refs()
    store.tidy()
    assert loose(repo) == 0
    assert repo.refs() == before
    put(store, entry("t-2"))
    assert sorted(store.read().states()) == ["t-1", "t-2"]


def test_few_are_left_as_they_are(repo: TestRepo, git: Git) -> None:
    make_runs(repo, git, MANY)
    assert not pack_many_refs(discover(repo.path), git, more_than=MANY)
    assert loose(repo) == MANY


def test_where_another_git_packs_nothing_is_done(repo: TestRepo, git: Git) -> None:
    make_runs(repo, git, MANY + 1)
    (repo.git_dir / "packed-refs.lock").write_bytes(b"")
    assert pack_many_refs(discover(repo.path), git, more_than=MANY)
    assert loose(repo) == MANY + 1


def test_a_few_are_no_reason_to_pack_those_of_the_person(repo: TestRepo, git: Git) -> None:
    make_runs(repo, git, MANY + 1)
    pack_many_refs(discover(repo.path), git, more_than=MANY)
    assert (repo.git_dir / "refs/heads/main").is_file()
