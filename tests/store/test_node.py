"""Who this machine is to a repository: the same after a move, another one in a copy."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gitcmat.model.names import is_id
from gitcmat.model.state import State
from gitcmat.store.git import Git, discover
from gitcmat.store.node import known_node, node_id
from tests.support.repo import TestRepo
from tests.support.store import entry, move, open_store, put


def node(path: Path) -> str:
    repo = discover(path)
    return node_id(repo, Git(repo.common_dir))


def test_a_node_is_made_once_and_kept(repo: TestRepo) -> None:
    first = node(repo.path)
    assert is_id(first)
    assert first.startswith("n-")
    assert node(repo.path) == first
    assert known_node(discover(repo.path)) == first


def test_to_ask_who_it_is_makes_nothing(repo: TestRepo) -> None:
    assert known_node(discover(repo.path)) is None
    assert not (repo.git_dir / "cmat").exists()


def test_many_at_once_are_one_node(repo: TestRepo) -> None:
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(lambda _: node(repo.path), range(16)))) == 1


def test_linked_work_trees_are_the_same_node(repo: TestRepo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    assert node(tmp_path / "linked") == node(repo.path)


def test_a_moved_repository_keeps_its_node_and_its_facts(repo: TestRepo, tmp_path: Path) -> None:
    first = node(repo.path)
    put(open_store(repo.path), entry("a"))
    repo.path.rename(tmp_path / "moved")
    TestRepo.made.clear()
    assert node(tmp_path / "moved") == first
    assert set(open_store(tmp_path / "moved").read().states()) == {"a"}


def test_a_copied_repository_is_a_node_of_its_own_that_goes_on_from_the_facts(
    repo: TestRepo, tmp_path: Path
) -> None:
    first = node(repo.path)
    put(open_store(repo.path), entry("a"))
    shutil.copytree(repo.path, tmp_path / "copy")
    copy = open_store(tmp_path / "copy")
    assert set(copy.read().states()) == {"a"}, "a question alone sees them too"
    put(copy, entry("b"))
    assert copy.node != first
    assert set(open_store(tmp_path / "copy").read().states()) == {"a", "b"}
    move(open_store(repo.path), "a", State.ACTIVE)
    assert set(open_store(repo.path).read().states()) == {"a"}
    assert node(repo.path) == first


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        '{"node": "n-abcd2345"}',
        '{"node": 5, "bound": "1:1"}',
        '{"node": "../../heads/main", "bound": "%s"}',
    ],
)
def test_a_damaged_file_makes_a_new_node_and_touches_nothing_else(
    repo: TestRepo, text: str
) -> None:
    node(repo.path)
    file = repo.git_dir / "cmat" / "node.json"
    bound = json.loads(file.read_text(encoding="utf-8"))["bound"]
    file.write_text(text % bound if "%s" in text else text, encoding="utf-8")
    repo.freeze()
    again = node(repo.path)
    assert is_id(again)
    assert node(repo.path) == again


def test_a_clone_is_a_node_of_its_own_without_facts(
    repo: TestRepo, make_repo: Callable[[str], TestRepo]
) -> None:
    put(open_store(repo.path), entry("a"))
    other = make_repo("clone")
    other.git("fetch", "-q", str(repo.path), "main")
    assert node(other.path) != node(repo.path)
    assert open_store(other.path).read().entries() == []
