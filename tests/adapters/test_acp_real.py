"""Real programs that speak the Agent Client Protocol take their turns through the bridge."""

import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from gitcmat.adapters.agents import make_agent
from gitcmat.model.job import Answer as Answered
from gitcmat.model.job import JobAgent, Permissions, RunOutcome
from gitcmat.model.permission import question as permission
from gitcmat.ports import End, Started, Turn
from tests.support.fakemodel.scenario import Answer, Failure, Run, Script, Write
from tests.support.fakemodel.server import FakeModel
from tests.support.realcli.clients import RealCli, real

pytestmark = [pytest.mark.agents, pytest.mark.slow]

ARGS: Final = {
    "gemini": ("--experimental-acp", "-m", "gemini-2.5-flash"),
    "opencode": ("acp",),
}


@pytest.fixture(params=sorted(ARGS))
def cli(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def take(client: RealCli, project: Path, prompt: str, **more: Any) -> tuple[str, End]:
    """The session that the turn was taken in, and how it ended."""
    agent = make_agent("acp")
    permissions = more.pop("permissions", Permissions.EDIT)
    command = (str(client.program), *ARGS[client.name])
    profile = JobAgent(name="x", runs="acp", command=command, permissions=permissions)
    launch = agent.launch(
        Turn(profile=profile, prompt=prompt, cwd=project, scratch=project.parent, **more)
    )
    done = subprocess.run(
        [*launch.bridge, *launch.argv],
        cwd=project,
        env=client.environ,
        input=launch.stdin,
        capture_output=True,
        timeout=100,
        check=True,
    )
    heard = [one for line in done.stdout.decode().splitlines() for one in agent.read(line)]
    sessions = [one.session for one in heard if isinstance(one, Started)]
    return "".join(sessions), agent.end(0, done.stderr.decode())


WORK: Final = Script(
    (
        Answer("", (Write("notes/new.txt", "one\n"),)),
        Answer("I look.", (Run("echo ran > ran.txt; cat ran.txt"),)),
        Answer("Finished."),
    ),
    asks="Do it.",
)


def test_it_runs_and_writes_what_the_model_says(cli: str, tmp_path: Path, project: Path) -> None:
    with FakeModel(WORK) as model:
        client = real(cli, tmp_path / "home", model.url)
        _, end = take(client, project, "Do it.", permissions=Permissions.ALL)
    assert (end.outcome, end.message, end.questions) == (RunOutcome.FINISHED, "Finished.", ())
    assert (project / "ran.txt").read_text(encoding="utf-8") == "ran\n"
    assert (project / "notes/new.txt").read_text(encoding="utf-8") == "one\n"


def test_gemini_asks_and_a_person_allows(tmp_path: Path, project: Path) -> None:
    question = permission("execute(echo ran > ran.txt; cat ran.txt)")
    answers = (Answered(question=question, text="yes"),)
    with FakeModel(WORK) as model:
        client = real("gemini", tmp_path / "home", model.url)
        _, end = take(client, project, "Do it.")
        assert end.questions == (question,)
        assert (project / "notes/new.txt").exists()
        assert not (project / "ran.txt").exists()
        _, end = take(client, project, "Do it.", answers=answers)
    assert end.questions == ()
    assert (project / "ran.txt").exists()


def test_opencode_goes_on_with_its_session(tmp_path: Path, project: Path) -> None:
    scripts = (
        Script((Answer("Which colour?"),), asks="Paint it."),
        Script((Answer("Blue it is."),), asks="Blue."),
    )
    with FakeModel(*scripts) as model:
        client = real("opencode", tmp_path / "home", model.url)
        session, _ = take(client, project, "Paint it.")
        again, end = take(client, project, "Blue.", session=session)
    assert (again, end.said.strip()) == (session, "Blue it is.")
    assert [asked.prompts for asked in model.asked] == [1, 2]


def test_a_session_that_is_not_there_is_gone(cli: str, tmp_path: Path, project: Path) -> None:
    with FakeModel() as model:
        client = real(cli, tmp_path / "home", model.url)
        _, end = take(client, project, "Blue.", session="ses_00000000000000000000000000")
    assert end.no_session


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [("rate_limit", RunOutcome.LIMITED), ("bad_key", RunOutcome.CANNOT_START)],
)
def test_it_tells_of_a_refusal(
    cli: str, kind: str, outcome: RunOutcome, tmp_path: Path, project: Path
) -> None:
    with FakeModel(Script((Answer(failure=Failure(kind, resets_in=1)),))) as model:
        _, end = take(real(cli, tmp_path / "home", model.url), project, "Do it.")
    assert end.outcome is outcome, end
