"""An App signs in by its own key, and works with tokens of an hour for one repository alone."""

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.adapters.forges.github import AppLogin, GitHubConnection
from gitcmat.adapters.forges.github_forge import GitHubForge
from gitcmat.adapters.forges.logins import AppKey, TokenLogin
from gitcmat.errors import InvalidData, NotFound, UserError
from gitcmat.forge import Login, NotVisible
from gitcmat.model.remote import Remote
from gitcmat.model.secret import Secret
from tests.support.fakegithub.apps import new_key
from tests.support.fakegithub.server import FakeGitHub
from tests.support.forge_stage import GitHubStage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[GitHubStage]:
    with FakeGitHub() as hub:
        yield GitHubStage(hub, tmp_path)


def _app(stage: GitHubStage, key: Path) -> AppLogin:
    stage.hub.apps["77"] = new_key(key)

    def connect(login: Login) -> GitHubConnection:
        remote = Remote(host="forge.invalid", owner="Pat", name="project")
        return GitHubConnection(remote, login, clock=stage.clock, api=stage.hub.url)

    return AppLogin(AppKey(app="77", key_file=key), connect, stage.clock)


def test_an_app_makes_tokens_when_they_are_due(stage: GitHubStage, tmp_path: Path) -> None:
    login = _app(stage, tmp_path / "app.pem")

    first = login.token()
    assert login.token() == first
    stage.hub.tick(49 * 60)
    assert login.token() == first
    stage.hub.tick(2 * 60)
    second = login.token()

    assert second != first
    assert stage.hub.count("POST", "/access_tokens$") == 2
    assert stage.hub.seen[1].body == {"repositories": ["project"]}
    remote = Remote(host="forge.invalid", owner="pat", name="project")
    forge = GitHubForge(
        GitHubConnection(remote, TokenLogin(second), clock=stage.clock, api=stage.hub.url)
    )
    assert forge.whoami().login == "app-77[bot]"


def test_an_app_that_is_not_installed_says_so(stage: GitHubStage, tmp_path: Path) -> None:
    login = _app(stage, tmp_path / "app.pem")
    stage.hub.repos.clear()

    with pytest.raises(NotVisible) as caught:
        login.token()

    assert caught.value.message == "The GitHub App 77 is not installed for Pat."


def test_a_key_must_be_a_key_and_nobody_elses(stage: GitHubStage, tmp_path: Path) -> None:
    key = tmp_path / "app.pem"
    login = _app(stage, key)
    key.chmod(0o644)

    def told(kind: type[UserError]) -> str:
        with pytest.raises(kind) as caught:
            login.token()
        assert "honey" not in f"{caught.value.__cause__!r}"
        return caught.value.message

    assert told(InvalidData) == f"{key}: others may read the app's key."
    key.write_text("honey: no key")
    key.chmod(0o600)
    assert told(InvalidData) == f"{key}: this is no private key."
    key.unlink()
    assert told(NotFound) == f"{key}: the app's key cannot be read: No such file or directory."


def test_a_secret_shows_itself_to_nobody() -> None:
    hidden = Secret("honey")

    assert "honey" not in f"{hidden} {hidden!r} {TokenLogin(hidden)!r} {[hidden]} {hidden:>20}"
    assert (hidden == Secret("honey"), hidden == "honey", bool(Secret(""))) == (True, False, False)
    with pytest.raises(TypeError):
        pickle.dumps(hidden)
