"""No text from outside becomes part of a ref before it has been checked."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitcmat.errors import InvalidData
from gitcmat.store import refs
from gitcmat.store.git import Git
from tests.support.repo import TestRepo

HOSTILE = ["", "-x", "a/b", "../x", "a..b", "a.lock", "A", "a b", "a\0", "a\n", "x" * 64, "con"]


def test_each_kind_of_ref_has_its_place() -> None:
    assert refs.state_ref("n4kq7") == "refs/cmat/state/n4kq7"
    assert refs.run_ref("r-k3v7q2ma") == "refs/cmat/runs/r-k3v7q2ma"
    assert refs.checkpoint_ref("before-lunch") == "refs/cmat/checkpoints/before-lunch"
    assert refs.branch_ref("cmat", "parse-dates") == "refs/heads/cmat/parse-dates"
    assert refs.branch_ref("cmat/", "parse-dates") == "refs/heads/cmat/parse-dates"
    assert refs.branch_ref("Team/agents_2", "x") == "refs/heads/Team/agents_2/x"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_part_that_is_not_an_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidData) as caught:
        refs.run_ref(text)
    assert caught.value.message == f"{text!r} cannot be part of a ref."
    with pytest.raises(InvalidData):
        refs.branch_ref("cmat", text)


@pytest.mark.parametrize(
    "prefix", ["", "/", "/cmat", "cmat//x", "-x", ".cmat", "a..b", "a.lock", "a.lock/b", "a b", "ä"]
)
def test_a_prefix_that_git_or_a_person_could_not_type_is_refused(prefix: str) -> None:
    with pytest.raises(InvalidData, match="cannot be the prefix of a branch"):
        refs.branch_ref(prefix, "x")


@pytest.mark.parametrize(
    ("ref", "wanted"),
    [
        ("refs/heads/main", True),
        ("refs/heads/feature/ümlaut", True),
        ("refs/heads/a.b", True),
        ("refs/heads/@", True),
        ("main", False),
        ("refs/heads/", False),
        ("refs/heads/HEAD", False),
        ("refs/heads/-x", False),
        ("refs/tags/v1", False),
        ("refs/heads/a..b", False),
        ("refs/heads/a/.b", False),
        ("refs/heads/a.lock", False),
        ("refs/heads/a.lock/b", False),
        ("refs/heads/a@{1}", False),
        ("refs/heads/a/", False),
        ("refs/heads/a.", False),
        ("refs/heads//a", False),
        ("refs/heads/a b", False),
        ("refs/heads/a\n", False),
    ],
)
def test_a_full_branch_is_told_from_everything_else(ref: str, wanted: bool) -> None:  # noqa: FBT001
    assert refs.is_full_branch(ref) is wanted


def test_git_agrees_on_what_a_branch_may_be_called() -> None:
    pieces = ["a", "B", "1", "-", ".", "..", "/", "@", "@{", "~", ":", "?", "*", "[", "\\", ".lock"]
    names = {a + b + c for a in pieces for b in pieces for c in ("", "x", ".", "/", ".lock")}
    asked = sorted(names)[::7]
    for name in asked:
        argv = ["git", "check-ref-format", "--branch", name]
        # `--branch` also expands @{-1}, which a full name never is.
        accepted = subprocess.run(argv, capture_output=True, check=False).returncode == 0
        assert refs.is_full_branch(f"refs/heads/{name}") is accepted, name


@given(st.text(max_size=70))
def test_what_passes_is_always_a_ref_that_git_accepts(text: str) -> None:
    try:
        ref = refs.run_ref(text)
    except InvalidData:
        return
    assert refs.is_full_branch(ref.replace("refs/cmat/", "refs/heads/"))


def test_refs_are_listed_under_whole_parts_of_their_name(repo: TestRepo) -> None:
    git = Git(repo.git_dir)
    tip = repo.tip()
    for name in ("refs/cmat/runs/r-a", "refs/cmat/runs/r-b", "refs/cmat/runsomething/c"):
        git.update_ref(name, tip, None)
    assert refs.list_refs(git, refs.RUNS) == {"refs/cmat/runs/r-a": tip, "refs/cmat/runs/r-b": tip}
    assert refs.list_refs(git, refs.STATE) == {}
    assert set(refs.list_refs(git, refs.RUNS, refs.BRANCHES)) == {
        "refs/cmat/runs/r-a",
        "refs/cmat/runs/r-b",
        "refs/heads/main",
    }
