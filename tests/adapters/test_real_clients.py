"""The real programs of agents work with the fake model, and reach nothing else.

What the adapters are tested with is recorded from these programs; here it shows that they still do
what was recorded.
"""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.support.fakemodel.scenario import Answer, Failure, Run, Script, Write
from tests.support.fakemodel.server import FakeModel
from tests.support.realcli.calls import FRESH, resumed
from tests.support.realcli.clients import RealCli, real

pytestmark = [pytest.mark.agents, pytest.mark.slow]

_SESSION: Final = re.compile(r'"(?:session_id|sessionID|thread_id)":"([^"]+)"')


@pytest.fixture(params=sorted(FRESH))
def cli(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def call(
    client: RealCli, args: tuple[str, ...], project: Path, prompt: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(client.program), *args],
        cwd=project,
        env=client.environ,
        input=prompt,
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )


def test_it_runs_and_writes_what_the_model_says(cli: str, tmp_path: Path, project: Path) -> None:
    script = Script(
        (
            Answer("I look.", (Run("echo ran > ran.txt; cat ran.txt"),)),
            Answer("", (Write("notes/new.txt", "one\ntwo\n"),)),
            Answer("Finished."),
        ),
        asks="Do it.",
    )
    with FakeModel(script) as model:
        done = call(real(cli, tmp_path / "home", model.url), FRESH[cli], project, "Do it.")
    assert done.returncode == 0, done.stderr
    assert (project / "ran.txt").read_text(encoding="utf-8") == "ran\n"
    assert (project / "notes/new.txt").read_text(encoding="utf-8") == "one\ntwo\n"
    assert [asked.turn for asked in model.asked] == [0, 1, 2]
    assert "ran" in model.asked[1].results[0]
    assert "Finished." in done.stdout


def test_it_goes_on_with_a_session(cli: str, tmp_path: Path, project: Path) -> None:
    scripts = (
        Script((Answer("Which colour?"),), asks="Paint it."),
        Script((Answer("Painted."),), asks="Blue."),
    )
    with FakeModel(*scripts) as model:
        client = real(cli, tmp_path / "home", model.url)
        first = call(client, FRESH[cli], project, "Paint it.")
        (session,) = set(_SESSION.findall(first.stdout))
        second = call(client, resumed(cli, session), project, "Blue.")
    assert second.returncode == 0, second.stderr
    assert set(_SESSION.findall(second.stdout)) == {session}
    assert [(asked.prompts, asked.turn) for asked in model.asked] == [(1, 0), (2, 0)]
    assert "Painted." in second.stdout


@pytest.mark.parametrize("kind", ["rate_limit", "bad_key"])
def test_it_tells_of_a_refusal(cli: str, kind: str, tmp_path: Path, project: Path) -> None:
    with FakeModel(Script((Answer(failure=Failure(kind, resets_in=1)),))) as model:
        done = call(real(cli, tmp_path / "home", model.url), FRESH[cli], project, "Do it.")
    assert done.returncode != 0
    assert "error" in done.stdout
    assert {asked.turn for asked in model.asked} == {0}
