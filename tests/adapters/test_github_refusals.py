"""What GitHub refuses is told with what is missing for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.adapters.forges.github_forge import GitHubForge
from gitcmat.adapters.forges.github_refusals import Answer, Ask, error_of
from gitcmat.forge import NotAllowed, NotVisible
from tests.support.fakegithub.server import FakeGitHub
from tests.support.forge_stage import GitHubStage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[GitHubStage]:
    with FakeGitHub() as hub:
        yield GitHubStage(hub, tmp_path)


def test_a_scope_that_is_missing_is_named(stage: GitHubStage) -> None:
    stage.push("cmat/x", "x.py", "one = 1\n")
    pulls = stage.forge().pulls
    number = pulls.create(title="x", body="", head="cmat/x", base="main").number
    poor = GitHubForge(stage.connection(stage.hub.classic("pat", "gist")))

    with pytest.raises(NotVisible) as caught:
        poor.comments.create(number, "x")

    # GitHub says that there is nothing where a classic token may not write.
    assert caught.value.message == (
        f"GitHub would not comment on {number} in pat/project: "
        "it is not there, or the token may not see it."
    )
    assert caught.value.hint == (
        "look whether the token is for this repository and has the scope public_repo or repo"
    )


def test_a_refusal_by_scope_is_no_refusal_by_permission(stage: GitHubStage) -> None:
    ask = Ask(verb="POST", path="/x", what="comment", needs="issues: write")
    told = {"x-oauth-scopes": "gist", "x-accepted-oauth-scopes": "repo"}
    answer = Answer(status=403, headers=told, body={"message": "Forbidden"})

    error = error_of(ask, answer, "pat/project", stage.hub.now)

    assert isinstance(error, NotAllowed)
    assert error.message == "The token may not comment in pat/project: it lacks the scope repo."
    assert error.hint == "give the token the scope repo"
