"""`gitcmat auth status`, as typed: who one is to a GitHub, and what one may do there."""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from gitcmat.model.remote import how_to_sign_in
from tests.support.cli import Result, gitcmat
from tests.support.fakegithub.apps import new_key
from tests.support.fakegithub.faults import Kind
from tests.support.fakegithub.server import FakeGitHub
from tests.support.on_github import ProjectStage
from tests.support.repo import TestRepo

UNKNOWN: Final = "ghp_honey"


class There:
    """A repository with a GitHub as its remote, and the program in it."""

    def __init__(self, hub: FakeGitHub, folder: Path, repo: TestRepo) -> None:
        self.stage = ProjectStage(hub, folder, repo)
        self.repo = repo
        self.hub = hub
        self.host = hub.url.removeprefix("http://")
        # The same address with somebody's password in it, as old clones have it.
        url = self.stage.url.replace("http://", "http://pat:honey_old@")
        repo.git("remote", "add", "origin", url)
        self.settings()

    def settings(self, **forge: object) -> None:
        """Write the person's own settings."""
        own = {"api": self.hub.url, "hosts": [self.host], **forge}
        path = Path(os.environ["XDG_CONFIG_HOME"]) / "gitcmat/config.yaml"
        path.write_text(json.dumps({"sandbox": "off", "forge": own}), encoding="utf-8")

    def status(self, *args: str, token: str = "", name: str = "GH_ENTERPRISE_TOKEN") -> Result:
        """Type ``gitcmat auth status``."""
        env = {name: token} if token else {}
        result = gitcmat(self.repo, "auth", "status", *args, env=env)
        assert "honey" not in (result.out + result.err).replace("as honey", "")
        return result

    def told(self, token: str = "") -> Any:
        """What it says, as data."""
        return self.status("--json", token=token).json


@pytest.fixture
def there(
    repo: TestRepo, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[There]:
    gh = home / "bin/gh"
    gh.parent.mkdir()
    gh.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    gh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{gh.parent}{os.pathsep}{os.environ['PATH']}")
    with FakeGitHub() as hub:
        yield There(hub, tmp_path, repo)


def _allowed(told: Any) -> dict[str, bool | None]:
    return {one["what"]: one["allowed"] for one in told["may"]}


def test_everything_is_told_and_no_token(there: There) -> None:
    token = there.hub.classic("pat", "repo", "gist")
    there.hub.tokens[token].expires = there.hub.now + timedelta(days=30)

    found = there.status(token=token).ok()

    no = "only Apps and workflows make check runs; statuses are set in their place"
    yes = "pat has admin here, and the token the scope repo"
    assert found.out.splitlines() == [
        f"origin: pat/project on {there.host}",
        f"  api        {there.hub.url}",
        "  looked at  GH_TOKEN: it is not set",
        "             GITHUB_TOKEN: it is not set",
        "             GH_ENTERPRISE_TOKEN: found",
        "  signed in  as pat, by a classic personal access token",
        "  expires    2026-02-04 09:00:00 UTC",
        "  requests   4998 of 5000 are left until 2026-01-05 10:00:00 UTC",
        f"  may        push           yes      {yes}",
        f"             pull requests  yes      {yes}",
        f"             reviews        yes      {yes}",
        f"             checks         no       {no}",
        f"             statuses       yes      {yes}",
        f"             issues         yes      {yes}",
        f"             merge          yes      {yes}",
        "  workflows  start by what is pushed with it",
    ]
    assert found.err == ""
    assert there.hub.count() == 2


def test_the_same_for_programs(there: There) -> None:
    token = there.hub.classic("rob", "repo")

    told = there.told(token)

    assert _allowed(told) == {**dict.fromkeys(_allowed(told), False), "reviews": True}
    assert {key: told[key] for key in told if key not in {"may", "looked", "rate"}} == {
        "schema": 1,
        "remote": "origin",
        "host": there.host,
        "repository": "pat/project",
        "api": there.hub.url,
        "place": "GH_ENTERPRISE_TOKEN",
        "kind": "classic",
        "signed_in": True,
        "login": "rob",
        "bot": False,
        "permission": "read",
        "scopes": ["repo"],
        "permissions": None,
        "expires": None,
        "starts_workflows": True,
        "refused": None,
    }
    assert told["looked"][-1] == {"place": "GH_ENTERPRISE_TOKEN", "found": True, "why": None}
    assert (told["rate"]["left"], told["rate"]["most"]) == (4998, 5000)


def test_nothing_to_sign_in_with_is_told_place_by_place(there: There) -> None:
    found = there.status()

    assert (found.code, found.err) == (4, "")
    assert found.out.splitlines()[2:] == [
        "  looked at  GH_TOKEN: it is not set",
        "             GITHUB_TOKEN: it is not set",
        "             GH_ENTERPRISE_TOKEN: it is not set",
        "             GITHUB_ENTERPRISE_TOKEN: it is not set",
        "             git credential fill: git has nothing (exit code 128)",
        "             gh auth token: gh has nothing (exit code 1)",
        "             GitHub App: your own settings name none",
        f"there is nothing to sign in to {there.host} with",
        f"next: {how_to_sign_in(there.host)}",
    ]
    assert there.hub.count() == 0


def test_a_token_for_another_host_is_never_sent(there: There) -> None:
    there.settings(hosts=[])

    found = there.status(token=UNKNOWN)

    assert found.code == 4
    assert f"GH_ENTERPRISE_TOKEN: it is not for {there.host}" in found.out
    assert there.hub.seen == there.hub.git_seen == []


def test_a_token_that_the_forge_does_not_know_is_refused(there: There) -> None:
    found = there.status(token=UNKNOWN)

    assert found.code == 1
    assert found.out.splitlines()[-2:] == [
        "refused: GitHub does not accept the token: it is wrong, expired or revoked.",
        "next: make a new one, and put it where this one is: GH_ENTERPRISE_TOKEN",
    ]
    assert there.told(UNKNOWN)["refused"]["message"].startswith("GitHub does not accept")


def test_a_repository_that_the_token_may_not_see_is_refused(there: There) -> None:
    there.stage.repo.private = True
    token = there.hub.token("stranger", prefix="github_pat_")

    found = there.status(token=token)

    assert found.code == 4
    why = "it is not there, or the token may not see it."
    assert found.out.splitlines()[-3:] == [
        "  signed in  as stranger, by a fine-grained personal access token",
        f"refused: GitHub would not show the repository in pat/project: {why}",
        "next: look whether the token is for this repository and has 'metadata: read'",
    ]


def test_single_sign_on_is_told_with_its_address(there: There) -> None:
    there.hub.fail(Kind.SINGLE_SIGN_ON, path="/repos/")

    found = there.status(token=there.hub.token("pat"))

    assert found.code == 1
    assert found.out.splitlines()[-1] == (
        "next: authorise the token at https://github.com/orgs/acme/sso?a=b"
    )


def test_a_forge_that_does_not_answer_is_an_error(there: There) -> None:
    there.hub.limit.most = 0

    found = there.status(token=there.hub.token("pat"))

    assert (found.code, found.out) == (1, "")
    assert found.err.startswith("error: GitHub's rate limit is used up until ")


def test_an_app_of_ones_own_tells_what_it_was_given(there: There, home: Path) -> None:
    key = home / "app.pem"
    there.hub.apps["77"] = new_key(key)
    there.hub.app_permissions["app-77"] = {"contents": "write", "metadata": "read"}
    there.settings(app={"id": "77", "key": str(key)})

    told = there.told()

    assert (told["place"], told["kind"], told["login"]) == (
        "GitHub App",
        "installation",
        "app-77[bot]",
    )
    assert told["permissions"] == {"contents": "write", "metadata": "read"}
    assert _allowed(told) == {
        "push": True,
        "pull requests": False,
        "reviews": False,
        "checks": False,
        "statuses": False,
        "issues": False,
        "merge": True,
    }


def test_a_token_of_no_known_kind_is_not_said_to_make_no_check_runs(there: There) -> None:
    token = there.hub.token("pat", app="made-here")

    found = there.status(token=token).ok()

    [line] = [line for line in found.out.splitlines() if line.split()[0] == "checks"]
    assert line == (
        "             checks         unknown  only Apps and workflows make check runs, "
        "and the token does not tell whether it is one of theirs"
    )
    assert _allowed(there.told(token))["checks"] is None


def test_the_token_of_a_workflow_starts_no_workflow(there: There) -> None:
    token = there.hub.token("github-actions[bot]", prefix="ghs_", app="github-actions")

    found = there.status(token=token).ok()

    assert found.out.splitlines()[-1] == (
        "  workflows  none starts by what is pushed with it: it is the token of a workflow"
    )
