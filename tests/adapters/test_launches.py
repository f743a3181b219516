"""How programs are started, where that is more than a flag for each wish of a profile."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from gitcmat.adapters.agents import make_agent
from gitcmat.model.job import Answer, JobAgent, Permissions, RunOutcome
from gitcmat.model.permission import question as permission
from gitcmat.model.sandbox import Box, SandboxMode
from gitcmat.ports import Troubled, Turn

BOXED: Final = Box(mode=SandboxMode.BWRAP)
MAIL: Final = Path("/cache/1/inbox")


def argv(tmp_path: Path, runs: str, profile: dict[str, Any], **more: Any) -> tuple[str, ...]:
    """What a program is told."""
    agent = replace(JobAgent(name="x", runs=runs, command=(runs,)), **profile)
    turn = Turn(profile=agent, prompt="Do it.", cwd=tmp_path, scratch=tmp_path, mail=MAIL, **more)
    return make_agent(runs).launch(turn).argv


@pytest.mark.parametrize(
    ("permissions", "box", "told"),
    [
        (Permissions.READ, None, ("read-only",)),
        (Permissions.READ, BOXED, ("read-only",)),
        (
            Permissions.EDIT,
            None,
            (
                "workspace-write",
                "-c",
                'sandbox_workspace_write.writable_roots=["/cache/1/inbox"]',
            ),
        ),
        (Permissions.EDIT, BOXED, ("danger-full-access",)),
        (Permissions.ALL, None, ("danger-full-access",)),
        (Permissions.ALL, BOXED, ("danger-full-access",)),
    ],
)
def test_codex_keeps_its_commands_in_unless_they_are_already(
    tmp_path: Path, permissions: Permissions, box: Box | None, told: tuple[str, ...]
) -> None:
    profile = {"permissions": permissions} | ({"sandbox": box} if box is not None else {})
    assert argv(tmp_path, "codex", profile) == (
        *("codex", "exec", "--json", "--skip-git-repo-check", "-s"),
        *told,
        "-",
    )


def test_codex_waits_for_our_server(tmp_path: Path) -> None:
    told = argv(tmp_path, "codex", {"permissions": Permissions.ALL}, server=("py", "mcp", "x"))
    assert told[6:] == (
        *("-c", "mcp_optional_startup_grace_ms=10000"),
        *("-c", 'mcp_servers.gitcmat.command="py"'),
        *("-c", 'mcp_servers.gitcmat.args=["mcp", "x"]'),
        "-",
    )


def test_codex_tells_a_providers_answer_in_its_own_words() -> None:
    codex = make_agent("codex")
    said = r"{\"error\": {\"type\": \"x\", \"message\": \"no such model\"}}"
    (heard,) = codex.read(f'{{"type":"error","message":"{said}"}}')
    assert heard == Troubled(text="no such model")
    assert list(codex.read(f'{{"type":"turn.failed","error":{{"message":"{said}"}}}}')) == []
    end = codex.end(1, "")
    assert (end.outcome, end.message) == (RunOutcome.FAILED, "no such model")


def test_claude_may_always_ask_a_person_and_do_what_one_allowed(tmp_path: Path) -> None:
    answers = (Answer(question=permission("Bash(make release)"), text="yes"),)
    told = argv(tmp_path, "claude", {"tools": ("WebFetch",)}, answers=answers)
    assert told[told.index("--allowedTools") + 1 :] == (
        "Bash(gitcmat blocker ask:*)",
        "WebFetch",
        "Bash(make release)",
    )
