"""Refs read without a process say what git says, or leave it to git."""

from pathlib import Path

import pytest

from gitcmat.store.git import Git
from gitcmat.store.loose_refs import head_branch, loose_ref
from tests.support.repo import TestRepo


def test_a_ref_in_a_file_of_its_own_is_read(repo: TestRepo) -> None:
    assert loose_ref(repo.git_dir, "refs/heads/main") == repo.tip("main")
    assert head_branch(repo.git_dir) == "refs/heads/main"


@pytest.mark.parametrize("ref", ["refs/heads/gone", "refs/heads", "refs/heads/../../HEAD", "main"])
def test_nothing_is_said_about_what_has_no_file(repo: TestRepo, ref: str) -> None:
    assert loose_ref(repo.git_dir, ref) is None


def test_git_says_what_no_file_says(repo: TestRepo) -> None:
    tip = repo.tip("main")
    git = Git(repo.git_dir)
    repo.git("symbolic-ref", "refs/heads/other", "refs/heads/main")
    assert loose_ref(repo.git_dir, "refs/heads/other") is None
    assert git.ref("refs/heads/other") == tip
    repo.git("pack-refs", "--all")
    assert loose_ref(repo.git_dir, "refs/heads/main") is None
    assert git.ref("refs/heads/main") == tip


@pytest.mark.parametrize(
    "text", [b"", b"0123\n", 40 * b"a", 40 * b"A" + b"\n", 41 * b"a" + b"\n", 40 * b"\0"]
)
def test_a_damaged_file_is_left_to_git(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "refs/heads/x"
    file.parent.mkdir(parents=True)
    file.write_bytes(text)
    assert loose_ref(tmp_path, "refs/heads/x") is None


@pytest.mark.parametrize(
    "text", [b"", 40 * b"a" + b"\n", b"ref: refs/heads/.invalid\n", b"ref: refs/tags/v1\n"]
)
def test_a_head_that_names_no_branch_is_left_to_git(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "HEAD").write_bytes(text)
    assert head_branch(tmp_path) is None
