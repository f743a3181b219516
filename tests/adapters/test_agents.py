"""One suite for every agent that gitcmat can drive."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gitcmat.adapters.agents import AGENTS, make_agent
from gitcmat.errors import InvalidData, NotFound
from gitcmat.model.agent import PROGRAMS
from gitcmat.model.job import JobAgent, Permissions, RunOutcome
from gitcmat.ports import Agent, End, Said, Turn
from tests.support.realcli.pins import PINS

PROMPT = "Do what the file says: §7.\n"


@pytest.fixture(params=sorted(AGENTS))
def agent(request: pytest.FixtureRequest) -> Agent:
    return make_agent(request.param)


def turn(tmp_path: Path, permissions: Permissions = Permissions.ALL) -> Turn:
    command = ("tool", "--fix")
    profile = JobAgent(name="x", runs="command", command=command, permissions=permissions)
    return Turn(profile=profile, prompt=PROMPT, cwd=tmp_path, scratch=tmp_path)


def test_the_prompt_is_never_an_argument(agent: Agent, tmp_path: Path) -> None:
    launch = agent.launch(turn(tmp_path))
    assert launch.argv
    assert not any("what the file says" in word for word in launch.argv)
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert any(b"what the file says" in data for data in (launch.stdin, *files))
    assert not any("what the file says" in value for value in launch.env.values())


@pytest.mark.parametrize("line", ["", "{", '{"type": 7}', "\x00", "[" * 5000, "x" * 100_000])
def test_no_line_is_too_odd_to_be_read(agent: Agent, line: str) -> None:
    list(agent.read(line))


def test_a_program_that_was_killed_has_not_done_it(agent: Agent) -> None:
    assert agent.end(-9, "").outcome is RunOutcome.FAILED


def test_the_versions_that_were_tested_are_those_that_tests_use(agent: Agent) -> None:
    assert dict(agent.tested) == {name: PINS[name].version for name in agent.tested}


def test_a_kind_with_a_usual_program_can_ask_it_for_its_version() -> None:
    mute = {"mini-swe-agent"}  # it takes no --version
    usual = {kind: set(PROGRAMS[kind]) for kind in AGENTS if PROGRAMS[kind] and kind not in mute}
    assert {kind: set(make_agent(kind).tested) for kind in usual} == usual


def test_what_is_unknown_is_said_in_known_words(agent: Agent) -> None:
    assert set(agent.unknown) <= {"cost", "tokens", "session", "tools", "questions", "limits"}


def test_a_command_is_started_as_it_stands(tmp_path: Path) -> None:
    launch = make_agent("command").launch(turn(tmp_path))
    assert (launch.argv, launch.stdin) == (("tool", "--fix"), PROMPT.encode())


def test_a_commands_last_line_is_its_summary() -> None:
    command = make_agent("command")
    assert list(command.read("one")) == [Said(text="one")]
    assert list(command.read("  ")) == []
    assert command.end(0, "") == End(outcome=RunOutcome.FINISHED, message="one", said="one")
    failed = [
        (2, "exited 2: one"),
        (-15, "killed by SIGTERM: one"),
        (-99, "killed by signal 99: one"),
    ]
    for code, message in failed:
        end = End(outcome=RunOutcome.FAILED, message=message, said="one")
        assert command.end(code, "") == end


def test_an_unknown_agent_is_named_with_those_that_are_known() -> None:
    with pytest.raises(NotFound) as caught:
        make_agent("oracle")
    assert caught.value.message == "No agent adapter is called 'oracle'."
    assert (
        caught.value.hint
        == "runs: is one of acp, aider, claude, codex, command, gemini, mini-swe-agent, opencode"
    )


def test_mini_swe_agent_refuses_what_it_cannot_keep_to(tmp_path: Path) -> None:
    with pytest.raises(InvalidData) as caught:
        make_agent("mini-swe-agent").launch(turn(tmp_path, Permissions.EDIT))
    assert caught.value.message == (
        "mini-swe-agent runs any command without asking: it cannot keep to permissions: edit."
    )
    assert caught.value.hint == "permissions: all in the profile of x, best with a sandbox:"
    assert list(tmp_path.iterdir()) == []


def test_what_runs_inside_of_mini_swe_agent_needs_nothing_of_ours(tmp_path: Path) -> None:
    launch = make_agent("mini-swe-agent").launch(turn(tmp_path))
    (module,) = tmp_path.iterdir()
    assert launch.env["PYTHONPATH"] == str(tmp_path)
    assert f"{module.stem}.telling" in launch.argv
    argv = [sys.executable, "-I", "-S", "-c", "import runpy, sys; runpy.run_path(sys.argv[1])"]
    done = subprocess.run([*argv, str(module)], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("prompt", ["/run touch x", "!touch x"])
def test_no_prompt_is_a_command_of_aider(tmp_path: Path, prompt: str) -> None:
    launch = make_agent("aider").launch(replace(turn(tmp_path), prompt=prompt))
    (file,) = tmp_path.iterdir()
    assert (file.read_text(encoding="utf-8"), launch.stdin) == (f"\n{prompt}", b"")
    assert launch.argv[-2:] == ("--message-file", str(file))


def test_aider_only_answers_where_it_may_only_read(tmp_path: Path) -> None:
    launch = make_agent("aider").launch(turn(tmp_path, Permissions.READ))
    assert launch.argv[-2:] == ("--chat-mode", "ask")
