"""A token is nowhere to be found after everything that is done with it, good and bad."""

import base64
import json
import os
import shutil
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.cli import Result, gitcmat
from tests.support.fakegithub.apps import new_key
from tests.support.fakegithub.faults import Kind
from tests.support.fakegithub.server import FakeGitHub
from tests.support.on_github import ProjectStage
from tests.support.repo import TestRepo
from tests.support.tokenhunt import hunt, recording
from tests.support.watched import Project

CONFIG: Final = "schema: 1\ndefaults: {backoff: 1s, attempts: 1}\n"
REFUSES: Final = """\
#!/bin/sh
echo "error: GH013: Repository rule violations found for refs/heads/cmat/x." >&2
exit 1
"""
NAMES: Final = ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
WAYS: Final = ("GH_ENTERPRISE_TOKEN", "GITHUB_TOKEN", "git credential fill", "gh auth token", "App")


class Story:
    """Somebody who has a token in one way, and the places where it may lie."""

    def __init__(self, way: str, hub: FakeGitHub, folder: Path, repo: TestRepo, home: Path) -> None:
        self.hub, self.repo, self.home, self.folder = hub, repo, home, folder
        self.vault = folder / "vault"
        self.vault.mkdir()
        self.project = Project(repo, config=CONFIG)
        self.stage = ProjectStage(hub, folder, repo)
        repo.git("remote", "add", "origin", self.stage.url)
        self.trace, self.strace = folder / "trace", folder / "strace"
        self.env = {
            "GITCMAT_TRACE": str(self.trace),
            "PATH": f"{self.vault}{os.pathsep}{os.environ['PATH']}",
        }
        self.said = ""
        own: dict[str, object] = {"api": hub.url, "hosts": [hub.url.removeprefix("http://")]}
        own |= {"pull": "draft", "every": "1s"}
        token = "" if way == "App" else hub.token("pat", prefix="ghp_")
        if way == "GITHUB_TOKEN":
            self.env |= {"GITHUB_SERVER_URL": hub.url, "GITHUB_API_URL": hub.url, way: token}
        elif way in NAMES:
            self.env[way] = token
        elif way == "gh auth token":
            self._program("gh", f"echo {token}")
        elif way == "git credential fill":
            self._program(
                "helper", f'test "$1" = get && echo username=pat && echo password={token}'
            )
            config = self.vault / "gitconfig"
            config.write_text(f"[credential]\n\thelper = {self.vault}/helper\n", encoding="utf-8")
            self.env["GIT_CONFIG_GLOBAL"] = str(config)
        else:
            key = self.vault / "app.pem"
            hub.apps["77"] = new_key(key)
            self.stage.repo.roles["app-77[bot]"] = "write"
            own["app"] = {"id": "77", "key": str(key)}
        settings = Path(os.environ["XDG_CONFIG_HOME"]) / "gitcmat/config.yaml"
        settings.write_text(json.dumps({"sandbox": "off", "forge": own}), encoding="utf-8")

    def _program(self, name: str, script: str) -> None:
        path = self.vault / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def type(self, *args: str) -> Result:
        """Type a command; what it says is kept."""
        strace = self.strace.with_name(f"strace-{len(self.said)}")
        done = gitcmat(self.repo, *args, env=self.env, before=recording(strace))
        self.said += f"$ {args}\n{done.out}{done.err}\n"
        return done

    def secrets(self) -> list[str]:
        """All values that are a secret here: tokens, and lines of an App's key."""
        key = self.vault / "app.pem"
        lines = key.read_text(encoding="utf-8").splitlines()[1:-1] if key.exists() else []
        return [*self.hub.tokens, *lines]

    def seen(self) -> str:
        """What the forge was sent in addresses and bodies, and what it shows to people."""
        sent = [f"{seen.path} {seen.query} {seen.body}" for seen in self.hub.seen]
        return "\n".join([*sent, *(repr(repo) for repo in self.hub.repos.values())])


@pytest.fixture(params=WAYS)
def story(
    request: pytest.FixtureRequest, repo: TestRepo, tmp_path: Path, home: Path
) -> Iterator[Story]:
    with FakeGitHub() as hub:
        yield Story(request.param, hub, tmp_path, repo, home)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_token_is_nowhere_after_the_whole_story(story: Story) -> None:
    dump = story.folder / "agent-env"
    script = f"env >> {dump}\ncat /proc/self/cmdline /proc/$PPID/cmdline >> {dump}\ndate >> x.txt"
    story.project.commit_task("x", script)
    story.stage.push_main()

    assert story.type("auth", "status").code == 0
    story.type("run", "now", "x").ok()
    story.type("pr", "create", "x").ok()
    story.type("pr", "sync").ok()
    story.type("review", "reject", "x", "-m", "again").ok()
    story.type("run", "now", "x").ok()
    hook = story.stage.git.path / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(REFUSES, encoding="utf-8")
    hook.chmod(0o755)
    refused = story.type("pr", "create", "x")
    assert (refused.code, "a rule of the repository forbids it" in refused.err) == (1, True)
    hook.unlink()
    for kind in (Kind.NOT_PERMITTED, Kind.SINGLE_SIGN_ON, Kind.ANOTHER_HOST, Kind.NONSENSE):
        story.hub.fail(kind, path="/pulls", times=9)
        assert story.type("pr", "create", "x").code in {1, 5}
        story.hub.faults.clear()
    story.hub.fail(Kind.EMPTY, path="/pulls$")
    crashed = story.type("pr", "create", "x")
    assert (crashed.code, "This is a bug" in crashed.err) == (70, True)
    story.type("pr", "create", "x", "--ready").ok()
    for args in (("status",), ("doctor",), ("pr", "show", "x"), ("events",), ("run", "list")):
        story.type(*args)

    story.project.commit_task("y", script)
    story.stage.push_main()
    story.type("watch", "--until-idle").ok()
    story.type("pr", "sync").ok()
    assert {"cmat/x", "cmat/y"} == {
        issue.pull.head for issue in story.stage.repo.pulls.values() if issue.pull
    }

    secrets = story.secrets()
    assert len(secrets) >= 1
    assert b"CMAT_RUN=" in dump.read_bytes()
    assert " push " in story.trace.read_text(encoding="utf-8")
    assert (story.repo.git_dir / "cmat/crash").is_dir()
    if shutil.which("strace"):
        assert "git-remote-http" in "".join(p.read_text() for p in story.folder.glob("strace-*"))
    left = story.folder / "said"
    left.write_text(story.said + story.seen(), encoding="utf-8")
    for value in secrets:
        assert hunt(value, story.folder, story.repo.path, story.home, skip=[story.vault]) == []


def test_the_hunt_finds_what_is_there(repo: TestRepo, tmp_path: Path) -> None:
    value = "ghp_honey/0+pat"
    quoted = urllib.parse.quote(value, safe="")
    basic = base64.b64encode(f"x-access-token:{value}".encode()).decode()
    repo.git("config", "remote.origin.url", f"https://x:{quoted}@github.com/acme/app")
    repo.commit("A blob", {"a.txt": f"Authorization: Basic {basic}\n"})
    repo.git("rm", "-q", "a.txt")
    repo.git("commit", "-q", "-m", "and none")
    log = tmp_path / "logs/log"
    log.parent.mkdir()
    log.write_text(json.dumps({"argv": [value]}), encoding="utf-8")

    found = hunt(value, log.parent, repo.path)

    assert any(line.startswith(f"{repo.git_dir}/config: URL") for line in found)
    assert any(line.startswith(f"objects of {repo.git_dir}: base64") for line in found)
    assert any(line.startswith(f"{log}: JSON") for line in found)
    assert hunt(value, log.parent, skip=[log]) == []
