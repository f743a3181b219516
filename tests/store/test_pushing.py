"""Branches are pushed from where they were seen to be, by a token that is nowhere to be seen."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.errors import Conflict
from gitcmat.model.secret import Secret
from gitcmat.store.git import Git
from gitcmat.store.pushing import (
    NotPushed,
    PushUnknown,
    Upstream,
    push,
    remote_tip,
    signed_in,
)
from tests.support.fakegithub.faults import Kind
from tests.support.fakegithub.server import FakeGitHub
from tests.support.forge_stage import GitHubStage
from tests.support.repo import TestRepo

REF = "refs/heads/cmat/x"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[GitHubStage]:
    with FakeGitHub() as hub:
        yield GitHubStage(hub, tmp_path / "hub")


@pytest.fixture
def git(repo: TestRepo) -> Git:
    return Git(repo.git_dir)


def _upstream(stage: GitHubStage, login: str = "pat") -> Upstream:
    return signed_in(f"{stage.hub.url}/pat/project.git", Secret(stage.token(login)))


def test_a_branch_is_made_moved_and_read_back(stage: GitHubStage, git: Git, repo: TestRepo) -> None:
    upstream, first = _upstream(stage), repo.tip()
    second = repo.commit("Again", {"x.py": "one = 1\n"})
    assert remote_tip(git, upstream, REF) is None

    push(git, upstream, REF, first, was=None)
    push(git, upstream, REF, second, was=first)
    push(git, upstream, REF, first, was=second)

    assert stage.git.branches()["cmat/x"] == first == remote_tip(git, upstream, REF)


@pytest.mark.parametrize("seen", [True, False])
def test_what_somebody_else_pushed_is_not_overwritten(
    stage: GitHubStage, git: Git, repo: TestRepo, *, seen: bool
) -> None:
    upstream, first = _upstream(stage), repo.tip()
    if seen:
        push(git, upstream, REF, first, was=None)
    theirs = stage.push("cmat/x", "y.py", "two = 2\n")
    second = repo.commit("Again", {"x.py": "one = 1\n"})

    with pytest.raises(Conflict) as caught:
        push(git, upstream, REF, second, was=first if seen else None)

    assert caught.value.message == (
        f"{REF} is at {theirs} on {upstream.url}, and not where gitcmat left it."
    )
    assert stage.git.branches()["cmat/x"] == theirs


def test_a_push_whose_answer_is_lost_is_found_to_be_done(
    stage: GitHubStage, git: Git, repo: TestRepo
) -> None:
    stage.hub.fail(Kind.ANSWER_LOST, verb="GIT", path="git-receive-pack$")

    push(git, _upstream(stage), REF, repo.tip(), was=None)

    assert stage.git.branches()["cmat/x"] == repo.tip()


def test_a_push_that_was_lost_is_told_and_may_be_repeated(
    stage: GitHubStage, git: Git, repo: TestRepo
) -> None:
    upstream = _upstream(stage)
    fault = stage.hub.fail(Kind.LOST, verb="GIT", path="git-receive-pack$", times=99)

    with pytest.raises(NotPushed):
        push(git, upstream, REF, repo.tip(), was=None)
    fault.times = 0
    push(git, upstream, REF, repo.tip(), was=None)

    assert stage.git.branches()["cmat/x"] == repo.tip()


def test_when_the_remote_is_gone_nobody_knows(stage: GitHubStage, git: Git, repo: TestRepo) -> None:
    stage.hub.fail(Kind.LOST, verb="GIT", times=99)

    with pytest.raises(PushUnknown) as caught:
        push(git, _upstream(stage), REF, repo.tip(), was=None)

    assert caught.value.message == (
        f"{stage.hub.url}/pat/project.git does not say where {REF} is: its host cannot be reached."
    )


def test_who_may_not_push_is_told_in_the_forges_words(
    stage: GitHubStage, git: Git, repo: TestRepo
) -> None:
    with pytest.raises(NotPushed) as caught:
        push(git, _upstream(stage, "rob"), REF, repo.tip(), was=None)

    there = f"{stage.hub.url}/pat/project.git"
    assert caught.value.message == (
        f"{REF} could not be pushed to {there}: the token may not push there."
    )
    assert caught.value.hint.startswith("give the token 'contents: write'")
    assert "403" in caught.value.hint


def test_a_bad_token_asks_nobody(stage: GitHubStage, git: Git, repo: TestRepo) -> None:
    wrong = signed_in(f"{stage.hub.url}/pat/project.git", Secret("honey_wrong"))

    with pytest.raises(PushUnknown) as caught:
        push(git, wrong, REF, repo.tip(), was=None)

    assert "honey" not in f"{caught.value} {caught.value.hint} {wrong!r}"


def test_a_token_is_in_no_argument_and_no_file(
    stage: GitHubStage,
    git: Git,
    repo: TestRepo,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITCMAT_TRACE", str(tmp_path / "trace"))
    kept = home / "kept"
    config = f'[credential]\n\thelper = "!cat >> {kept}; true"\n'
    (home / ".gitconfig").write_text(config, encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))

    push(git, _upstream(stage), REF, repo.tip(), was=None)

    assert " push " in (tmp_path / "trace").read_text()
    assert not kept.exists()
    for root in (tmp_path, home):
        for file in root.rglob("*"):
            if file.is_file():
                assert b"honey" not in file.read_bytes(), file


def test_a_token_is_not_shown_to_another_host(stage: GitHubStage, git: Git, tmp_path: Path) -> None:
    with FakeGitHub() as evil:
        other = GitHubStage(evil, tmp_path / "evil")
        there = f"{evil.url}/pat/project.git"
        meant = signed_in(f"{stage.hub.url}/pat/project.git", Secret(other.token("pat")))
        wrong = Upstream(there, meant.settings, meant.env)

        with pytest.raises(PushUnknown):
            remote_tip(git, wrong, REF)

        assert {seen.status for seen in evil.git_seen} == {401}


def test_only_an_http_address_is_signed_in_to() -> None:
    with pytest.raises(ValueError, match="only an http address"):
        signed_in("git@github.com:acme/app.git", Secret("honey"))
