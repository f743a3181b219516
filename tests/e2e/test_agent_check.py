"""Whether agents can work, seen with their real programs and the fake model."""

import json
from pathlib import Path
from typing import Final

import pytest

from gitcmat.adapters.agents import make_agent
from gitcmat.engine.agent_checks import PROMPT
from tests.support.boxed import bubblewrap
from tests.support.cli import gitcmat
from tests.support.fakemodel.scenario import Answer, Failure, Script
from tests.support.fakemodel.server import FakeModel
from tests.support.realcli.clients import RealCli, real
from tests.support.repo import TestRepo

pytestmark = [pytest.mark.agents, pytest.mark.slow]

READY: Final = Script((Answer("ready"),), asks=PROMPT.strip())


@pytest.fixture(params=["claude", "codex", "gemini", "opencode"])
def cli(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def project(repo: TestRepo, client: RealCli, sandbox: str) -> TestRepo:
    """The repository, with an agent that is allowed and whose program is `client`."""
    head = {
        "name": "coder",
        "runs": client.name,
        "command": [str(client.program)],
        "pass_env": sorted(set(client.env) - {"HOME"}),
        "sandbox": sandbox,
    }
    repo.commit("An agent", {".cmat/agents/coder.md": f"---\n{json.dumps(head)}\n---\nDo much.\n"})
    digest = gitcmat(repo, "trust", "--print-digest").ok().out.strip()
    gitcmat(repo, "trust", "--digest", digest).ok()
    return repo


@pytest.mark.parametrize("sandbox", ["off", "bwrap"])
def test_a_real_program_is_asked_and_takes_a_turn(repo: TestRepo, cli: str, sandbox: str) -> None:
    if sandbox == "bwrap":
        bubblewrap()
    with FakeModel(READY) as model:
        client = real(cli, Path.home(), model.url)
        project(repo, client, sandbox)
        quick = gitcmat(repo, "agent", "check", "--json", env=client.env)
        assert model.asked == []
        probed = gitcmat(repo, "agent", "check", "--probe", "--json", env=client.env, timeout=200)
    (one,) = quick.ok().json["agents"]
    tested = make_agent(cli).tested[cli]
    assert (one["version"], one["tested"]) == (tested, tested)
    (one,) = probed.json["agents"]
    probe = one["probe"]
    assert (probe["outcome"], probe["message"]) == ("finished", "ready"), probe["message"]
    assert probe["sandbox"].startswith(sandbox)
    assert probe["spend"]["usage"]["output"] > 0
    assert (probe["spend"]["usd"] is None) == ("cost" in make_agent(cli).unknown)
    assert repo.status() == ""


@pytest.mark.parametrize(
    ("kind", "outcome"), [("bad_key", "cannot start"), ("rate_limit", "provider limit")]
)
def test_a_real_program_that_is_refused_cannot_work(
    repo: TestRepo, kind: str, outcome: str
) -> None:
    with FakeModel(Script((Answer(failure=Failure(kind, resets_in=1)),))) as model:
        client = real("claude", Path.home(), model.url)
        project(repo, client, "off")
        probed = gitcmat(repo, "agent", "check", "--probe", "--json", env=client.env, timeout=200)
    assert probed.code == 1
    (one,) = probed.json["agents"]
    assert (one["fine"], one["probe"]["outcome"]) == (False, outcome)
