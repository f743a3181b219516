"""An agent that speaks the Agent Client Protocol, through the real bridge: what it tells, what it
is let do, and how its end is judged.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from gitcmat.adapters.agents import make_agent
from gitcmat.model.job import Answer, JobAgent, Permissions, RunOutcome
from gitcmat.model.permission import question as permission
from gitcmat.ports import Agent, End, Heard, Launch, Said, Spent, Started, Troubled, Turn, Used
from gitcmat.system import clock
from tests.support.wait import until

AGENT: Final = str(Path(__file__).parents[1] / "support/acpagent.py")
Step = list[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """A turn that was taken."""

    heard: list[Heard]
    end: End
    out: str
    errors: str

    @property
    def session(self) -> str:
        (started,) = (heard for heard in self.heard if isinstance(heard, Started))
        return started.session

    def of(self, kind: type[Heard]) -> list[Heard]:
        return [heard for heard in self.heard if isinstance(heard, kind)]


class Stage:
    """A work tree with a small agent in it."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        self.tree.mkdir()

    def launch(
        self, *steps: Step, modes: tuple[str, ...] = (), **more: Any
    ) -> tuple[Agent, Launch]:
        prompt = "Do it.\n" + "".join(f"acp: {json.dumps(step)}\n" for step in steps)
        about = {name: more.pop(name) for name in ("permissions", "tools", "model") if name in more}
        command = (sys.executable, "-I", AGENT, *modes)
        profile = JobAgent(name="x", runs="acp", command=command, **about)
        agent = make_agent("acp")
        scratch = self.tree.parent
        made = Turn(profile=profile, prompt=prompt, cwd=self.tree, scratch=scratch, **more)
        return agent, agent.launch(made)

    def turn(self, *steps: Step, modes: tuple[str, ...] = (), **more: Any) -> Took:
        agent, launch = self.launch(*steps, modes=modes, **more)
        argv = [*launch.bridge, *launch.argv]
        done = subprocess.run(
            argv, cwd=self.tree, input=launch.stdin, capture_output=True, timeout=60, check=False
        )
        out, errors = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == 0, errors
        heard = [one for line in out.splitlines() for one in agent.read(line)]
        return Took(heard=heard, end=agent.end(0, errors), out=out, errors=errors)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_a_good_turn_tells_what_was_said_used_and_paid(stage: Stage) -> None:
    took = stage.turn(
        ["think", "Hm."],
        ["say", "I look."],
        ["call", "execute", "ls"],
        ["say", "All is well."],
        ["spend", 0.25],
    )
    assert [heard for heard in took.heard if not isinstance(heard, Started)] == [
        Said(text="I look. "),
        Used(tool="execute", about="ls"),
        *took.of(Spent),
        Said(text="All is well. "),
    ]
    (spent,) = took.of(Spent)
    assert isinstance(spent, Spent)
    assert (spent.spend.usd, spent.spend.usage, spent.whole) == (0.25, None, True)
    assert (took.end.outcome, took.end.message) == (RunOutcome.FINISHED, "All is well.")
    assert took.session.startswith("sess:")


def test_it_goes_on_with_its_session(stage: Stage) -> None:
    first = stage.turn(["say", "Blue."])
    for modes in ((), ("loads",)):
        second = stage.turn(session=first.session, modes=modes)
        assert second.session == first.session
        assert "Blue." in second.end.said
        assert "What I said before" not in second.out
        assert second.end.outcome is RunOutcome.FINISHED


def test_a_session_that_is_gone_is_no_end(stage: Stage) -> None:
    first = stage.turn(["say", "Blue."])
    assert stage.turn(session="sess:none").end.no_session
    assert stage.turn(session=first.session, modes=("forgetful",)).end.no_session


def test_an_agent_that_forgets_names_no_session(stage: Stage) -> None:
    assert stage.turn(["say", "Blue."], modes=("forgetful",)).session == ""


RULED: Final[dict[Permissions, tuple[str, ...]]] = {
    Permissions.READ: ("read",),
    Permissions.EDIT: ("read", "edit", "delete"),
    Permissions.ALL: ("read", "edit", "delete", "execute", "fetch"),
}


@pytest.mark.parametrize("permissions", list(Permissions))
def test_a_profile_rules_what_an_agent_may_do(stage: Stage, permissions: Permissions) -> None:
    kinds = ("read", "edit", "delete", "execute", "fetch")
    steps: list[Step] = [["ask", kind, "do it", "a.txt"] for kind in kinds]
    took = stage.turn(*steps, permissions=permissions)
    lines = [json.loads(line) for line in took.out.splitlines()]
    asked = [line for line in lines if line["type"] == "permission"]
    allowed = [kind for kind, line in zip(kinds, asked, strict=True) if line["allowed"]]
    assert tuple(allowed) == RULED[permissions]
    questions = () if permissions is Permissions.ALL else ("execute(do it)", "fetch(do it)")
    assert took.end.questions == tuple(map(permission, questions))
    assert took.end.outcome is RunOutcome.FINISHED


def test_what_a_person_allowed_is_allowed(stage: Stage) -> None:
    step = ["ask", "execute", "make release\nrm -rf /"]
    first = stage.turn(step)
    (question,) = first.end.questions
    assert question == permission("execute(make release ⏎ rm -rf /)")
    assert not (stage.tree / "ran.txt").exists()
    second = stage.turn(session=first.session, answers=(Answer(question=question, text="Yes."),))
    assert second.end.questions == ()
    assert (stage.tree / "ran.txt").read_text(encoding="utf-8").startswith("make release")
    no = stage.turn(step, answers=(Answer(question=question, text="no"),))
    assert no.end.questions == (question,)


def test_a_profile_names_what_needs_no_question(stage: Stage) -> None:
    took = stage.turn(["ask", "execute", "make"], ["ask", "fetch", "x"], tools=("execute",))
    assert took.end.questions == (permission("fetch(x)"),)
    assert stage.turn(["ask", "execute", "make"], tools=("execute(make)",)).end.questions == ()


def test_a_refusal_that_was_got_round_is_no_question(stage: Stage) -> None:
    around = stage.turn(["ask", "execute", "make"], ["call", "edit", "a.txt"])
    assert around.end.questions == ()
    looked = stage.turn(["ask", "execute", "make"], ["call", "read", "a.txt"])
    assert looked.end.questions == (permission("execute(make)"),)


def test_files_are_written_in_the_work_tree_alone(stage: Stage) -> None:
    (stage.tree / "link").symlink_to(stage.tree.parent)
    (stage.tree / ".git").mkdir()
    refused = ("../out.txt", "link/out.txt", ".git/hooks/x", "/etc/gitcmat-test")
    took = stage.turn(
        ["write", "new/file.txt", "one\n"],
        *(["write", path, "x"] for path in refused),
        ["read", "new/file.txt"],
        ["read", "/etc/passwd"],
        permissions=Permissions.ALL,
    )
    assert (stage.tree / "new/file.txt").read_text(encoding="utf-8") == "one\n"
    assert not (stage.tree.parent / "out.txt").exists()
    assert list((stage.tree / ".git").iterdir()) == []
    assert "Read {'content': 'one\\n'}." in took.end.said
    assert "root:" not in took.out
    troubles = [heard.text for heard in took.heard if isinstance(heard, Troubled)]
    assert len(troubles) == len(refused) + 1
    assert all(text.startswith("was refused: ") for text in troubles)


def test_an_agent_that_may_only_read_writes_no_file(stage: Stage) -> None:
    took = stage.turn(["write", "a.txt", "x"], permissions=Permissions.READ)
    assert list(stage.tree.iterdir()) == []
    assert took.end.questions == ()


def test_a_file_that_is_not_there_yet_is_empty(stage: Stage) -> None:
    assert "Read {'content': ''}." in stage.turn(["read", "new/none.txt"]).end.said


@pytest.mark.parametrize(
    ("steps", "modes", "outcome", "message"),
    [
        ([["stop", "refusal"]], (), RunOutcome.FAILED, "it refused to go on"),
        ([["stop", "cancelled"]], (), RunOutcome.FAILED, "its turn was cancelled"),
        (
            [["stop", "max_tokens"]],
            (),
            RunOutcome.FAILED,
            "it used all tokens that it may use",
        ),
        ([["die", 3]], (), RunOutcome.FAILED, "exited 3: something broke"),
        (
            [["error", -32603, "Internal error", {"details": "no idea"}]],
            (),
            RunOutcome.FAILED,
            "Internal error: no idea",
        ),
        (
            [["error", 500, '{"error": {"code": 500, "message": "Sorry.\\nTry later."}}']],
            (),
            RunOutcome.FAILED,
            "Sorry.",
        ),
        (
            [["error", -32603, "401 Unauthorized"]],
            (),
            RunOutcome.CANNOT_START,
            "401 Unauthorized",
        ),
        ([], ("login",), RunOutcome.CANNOT_START, "Authentication required"),
        (
            [],
            ("odd",),
            RunOutcome.CANNOT_START,
            "it speaks version 7 of the protocol, not 1",
        ),
    ],
)
def test_a_bad_end_says_why(
    stage: Stage, steps: list[Step], modes: tuple[str, ...], outcome: RunOutcome, message: str
) -> None:
    end = stage.turn(*steps, modes=modes).end
    assert (end.outcome, end.message) == (outcome, message)


@pytest.mark.parametrize(
    "error",
    [
        [-32603, "Internal error", {"details": "Too Many Requests. Please retry in 90s."}],
        [429, "You exceeded your current quota.\nPlease retry in 90s."],
    ],
)
def test_a_limit_of_the_provider_is_one(stage: Stage, error: Step) -> None:
    before = clock.now()
    end = stage.turn(["error", *error]).end
    assert end.outcome is RunOutcome.LIMITED
    assert end.until is not None
    assert timedelta(0) <= end.until - before - timedelta(seconds=90) < timedelta(seconds=30)


@pytest.mark.parametrize("line", ["hello", "[1]", "null", '{"jsonrpc": "2.0", "id": [1]}', "[" * 9])
def test_what_is_no_message_is_skipped(stage: Stage, line: str) -> None:
    took = stage.turn(["print", line], ["say", "Done."])
    assert took.of(Troubled) == [Troubled(text=f"no message: {line}")]
    assert (took.end.outcome, took.end.message) == (RunOutcome.FINISHED, "Done.")


def test_a_program_that_is_no_such_agent_fails(stage: Stage) -> None:
    agent, launch = stage.launch()
    argv = [*launch.bridge, sys.executable, "-c", "print('usage: x')"]
    done = subprocess.run(argv, input=launch.stdin, capture_output=True, timeout=60, check=True)
    for line in done.stdout.decode().splitlines():
        list(agent.read(line))
    end = agent.end(0, "")
    assert end.outcome is RunOutcome.FAILED
    assert end.message == "exited 0: it ended in the middle of its turn"


def test_a_model_is_chosen_where_the_agent_lets_us(stage: Stage) -> None:
    assert "model small" in stage.turn(["say", "x"], model="small").errors


def test_gitcmats_own_server_is_offered(stage: Stage) -> None:
    said = stage.turn(["server"], server=("/bin/gitcmat", "mcp", "--run", "/x")).end.said
    servers = json.loads(said.removeprefix("Servers: "))
    assert servers == [
        {"name": "gitcmat", "command": "/bin/gitcmat", "args": ["mcp", "--run", "/x"], "env": []}
    ]


def _lines(process: subprocess.Popen[bytes]) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line.decode()


@pytest.mark.parametrize(("step", "cancelled"), [("wait", True), ("hang", False)])
def test_a_stop_cancels_the_turn_and_ends_the_agent(
    stage: Stage, step: str, *, cancelled: bool
) -> None:
    _, launch = stage.launch([step])
    argv = [*launch.bridge, *launch.argv]
    with subprocess.Popen(
        argv, cwd=stage.tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write(launch.stdin)
        process.stdin.close()
        lines = _lines(process)
        session = json.loads(next(line for line in lines if '"session"' in line))["id"]
        next(line for line in lines if "agent_message_chunk" in line)
        process.send_signal(signal.SIGTERM)
        last = list(lines)[-1]
        assert process.wait(20) == 0
    assert json.loads(last) == {"type": "end", "stop": "cancelled", "by": "gitcmat"}
    assert (stage.tree / "cancelled.txt").exists() is cancelled
    pid = int(session.removeprefix("sess:").partition(".")[0])
    until(lambda: not os.path.exists(f"/proc/{pid}"), what="the agent to be gone")  # noqa: PTH110
