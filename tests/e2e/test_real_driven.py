"""The real aider and mini-swe-agent go the whole way of a task, with the fake model."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.boxed import bubblewrap
from tests.support.fakemodel.scenario import Answer, Failure, Run, Script, Usage, Write
from tests.support.fakemodel.server import FakeModel
from tests.support.project import Project, task_file
from tests.support.realcli.clients import real
from tests.support.realcli.driven import DRIVEN
from tests.support.repo import TestRepo

pytestmark = [pytest.mark.agents, pytest.mark.slow]

WRITES: Final = (Write("new.txt", "one\n"),)
DOES: Final = {
    "aider": (Answer("I write it.", WRITES, usage=Usage(50, 7, 1000)),),
    "mini": (
        Answer("I look.", (Run("pwd; env | grep -c PYTHONPATH; true"),)),
        Answer("I write it.", WRITES),
        Answer("All done.", usage=Usage(50, 7, 1000)),
    ),
}
SPENT: Final = {"aider": (1050, 0, 7), "mini": (250, 1000, 47)}
"""Tokens that came in, from a cache, and went out: aider does not tell the second from the first.
"""


@pytest.fixture(params=sorted(DRIVEN))
def cli(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def project_with(repo: TestRepo, cli: str, model: FakeModel, **more: Any) -> Project:
    client = real(cli, Path.home(), model.url)
    own = ["--edit-format", "whole"] if cli == "aider" else []
    head = {
        "name": "small",
        "runs": DRIVEN.get(cli, cli),
        "command": [str(client.program), *own],
        "permissions": "all",
        "env": client.env,
        "sandbox": {"mode": "off"},
        **more,
    }
    files = {".cmat/agents/small.md": f"---\n{json.dumps(head)}\n---\nBe good.\n"}
    return Project(repo, files)


@pytest.mark.parametrize("sandbox", ["off", "bwrap"])
def test_a_task_comes_to_review_with_what_it_wrote_alone(
    repo: TestRepo, cli: str, sandbox: str
) -> None:
    with FakeModel(Script(DOES[cli])) as model:
        box: dict[str, Any] = {"mode": sandbox}
        if sandbox == "bwrap":
            bubblewrap()
            box |= {"network": "model", "hosts": [f"127.0.0.1:{model.port}"]}
        project = project_with(repo, cli, model, sandbox=box)
        project.commit(task_file("a", agent="small", prompt="/run touch ran.txt\n"))
        project.work()
    (run,) = project.deps.store.read().runs(task="a")
    assert (run.outcome, project.state("a")) == ("finished", "review"), run
    assert repo.show("cmat/a", "new.txt") == "one\n"
    result = project.folder("a").read_result()
    assert result is not None
    assert ([change.path for change in result.files], result.ignored) == (["new.txt"], ())
    usage = run.spend.usage
    assert usage is not None
    assert (usage.input, usage.cache_read, usage.output) == SPENT[cli]
    assert (run.spend.usd, run.spend.model) == (None, "openai/fake-model")
    if cli == "mini":
        assert '"output": "' in model.asked[1].results[0]
        assert "\\n0\\n" in model.asked[1].results[0]


def test_a_wrong_key_is_said_though_a_program_exits_well(repo: TestRepo, cli: str) -> None:
    with FakeModel(Script((Answer(failure=Failure("bad_key")),))) as model:
        project = project_with(repo, cli, model)
        project.commit(task_file("a", agent="small", attempts=1))
        project.work()
    (run,) = project.deps.store.read().runs(task="a")
    assert run.outcome == "cannot start"
    assert run.message.startswith("litellm.AuthenticationError: AuthenticationError:")


LASTS: Final = {
    "aider": Failure("spend_limit"),
    "mini": Failure("spend_limit"),
    "opencode": Failure("rate_limit", resets_in=3600),
}
"""A limit for whose end the program would wait, or ask for minutes."""


@pytest.mark.parametrize("cli", sorted(LASTS))
def test_the_end_of_a_limit_is_not_waited_for(repo: TestRepo, cli: str) -> None:
    with FakeModel(Script((Answer(failure=LASTS[cli]),))) as model:
        project = project_with(repo, cli, model)
        project.commit(task_file("a", agent="small"))
        project.step()
        project.wait()
        project.step(start=False)
        requests = len(model.asked)
    (run,) = project.deps.store.read().runs(task="a")
    assert (run.outcome, project.state("a")) == ("provider limit", "pending"), run
    assert requests < 9  # three for each time that it tries
