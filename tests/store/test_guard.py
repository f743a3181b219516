"""What changed in the person's repository during a run is said, with the way back."""

from collections.abc import Callable

import pytest

from gitcmat.store.git import discover
from gitcmat.store.guard import compare, host_digest
from tests.support.repo import TestRepo


def said(repo: TestRepo, act: Callable[[], object]) -> tuple[str, ...]:
    host = discover(repo.path)
    before = host_digest(host)
    act()
    return compare(host, before, host_digest(host))


def way_back(branch: str, oid: str) -> str:
    return (
        f"Branch {branch} was moved off its history: `git branch -f {branch} {oid}` brings it back."
    )


def test_work_of_the_person_and_of_gitcmat_is_no_news(repo: TestRepo) -> None:
    def act() -> None:
        repo.commit("More", {"x": "x\n"})
        repo.branch("new")
        repo.branch("cmat/parse-dates")
        repo.write("x", "stashed\n")
        repo.git("stash", "-q")
        repo.git("update-ref", "refs/cmat/runs/r-abcdefgh", "HEAD")
        repo.git("gc", "-q")

    repo.branch("cmat/old")
    assert said(repo, act) == ()
    assert said(repo, lambda: repo.git("branch", "-q", "-D", "cmat/old")) == ()


@pytest.mark.parametrize(
    ("name", "key"),
    [("config", "changed"), ("hooks/pre-commit", "added"), ("info/attributes", "added")],
)
def test_settings_and_hooks_that_changed_are_named(repo: TestRepo, name: str, key: str) -> None:
    path = repo.git_dir / name
    path.parent.mkdir(exist_ok=True)

    def act() -> None:
        with path.open("a") as file:
            file.write("# planted\n")

    assert said(repo, act) == (f"{path} was {key}.",)


def test_a_hook_made_executable_or_removed_is_named(repo: TestRepo) -> None:
    hook = repo.git_dir / "hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    assert said(repo, lambda: hook.chmod(0o755)) == (f"{hook} was changed.",)
    assert said(repo, hook.unlink) == (f"{hook} was removed.",)


def test_an_object_that_is_shown_as_another_is_named(repo: TestRepo) -> None:
    first = repo.tip()
    second = repo.commit("More", {"x": "x\n"})
    (found,) = said(repo, lambda: repo.git("replace", second, first))
    assert found == (
        f"refs/replace/{second} was added, so git shows something else in place of an object: "
        f"`git update-ref -d refs/replace/{second}` removes it."
    )


def test_refs_that_vanished_or_were_rewound_come_with_the_way_back(repo: TestRepo) -> None:
    first = repo.tip()
    second = repo.commit("More", {"x": "x\n"})
    for branch in ("gone", "rewound", "moved"):
        repo.branch(branch)
    repo.git("tag", "v1")
    repo.write("x", "stashed\n")
    repo.git("stash", "-q")
    stash = repo.tip("refs/stash")

    def act() -> None:
        repo.git("branch", "-q", "-D", "gone")
        repo.git("branch", "-q", "-f", "rewound", first)
        repo.git("tag", "-f", "v1", first)
        repo.git("stash", "clear")

    assert said(repo, act) == (
        f"Branch gone vanished: `git branch -f gone {second}` brings it back.",
        way_back("rewound", second),
        f"Tag v1 was moved off its history: `git tag -f v1 {second}` brings it back.",
        f"Stash entry {stash[:10]} vanished: `git stash store {stash}` brings it back.",
    )
    repo.git("stash", "store", stash)
    assert repo.git("stash", "show", "--name-only") == "x"
