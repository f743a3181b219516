"""Agents of Claude Code, as people have them in `.claude/agents/`."""

import re

import pytest

from gitcmat.model import front_matter
from gitcmat.model.agent import AgentProfile
from gitcmat.model.claude_agent import profile
from gitcmat.model.job import Permissions

REVIEWER = """\
---
name: code-reviewer
description: Use this agent when: code was written.\\n\\n<example>user: "Hi"</example>
tools: Read, Grep, Bash(git diff:*, git log:*)
model: sonnet
color: cyan   # of the badge
hooks:
  PreToolUse:
    - matcher: "*"
---

You review.
"""


def test_an_agent_is_taken_as_it_is() -> None:
    assert profile(REVIEWER, stem="other") == (
        AgentProfile(
            name="code-reviewer",
            runs="claude",
            description='Use this agent when: code was written. <example>user: "Hi"</example>',
            tools=("Read", "Grep", "Bash(git diff:*, git log:*)"),
            model="sonnet",
        ),
        "You review.",
    )


@pytest.mark.parametrize(
    ("lines", "tools", "permissions"),
    [
        ("tools: [Read, Grep]", ("Read", "Grep"), Permissions.READ),
        ("tools:\n  - Read\n  - 'Edit'", ("Read", "Edit"), Permissions.EDIT),
        ("tools: Read\npermissionMode: acceptEdits", ("Read",), Permissions.READ),
        ("permissionMode: bypassPermissions", (), Permissions.ALL),
        ("tools: Edit\npermissionMode: plan", ("Edit",), Permissions.READ),
        ("tools:", (), Permissions.EDIT),
        ("model: inherit", (), Permissions.EDIT),
    ],
)
def test_who_names_only_tools_that_read_may_only_read(
    lines: str, tools: tuple[str, ...], permissions: Permissions
) -> None:
    found = profile(f"---\n{lines}\n---\n", stem="x")[0]
    assert (found.tools, found.permissions, found.model) == (tools, permissions, None)


def test_the_files_name_stands_in_for_one_that_is_no_name() -> None:
    assert profile("---\nname: Code Reviewer\n---\n", stem="reviewer")[0].name == "reviewer"


@pytest.mark.parametrize(
    ("text", "stem", "said"),
    [
        ("You review.\n", "x", "has no front matter"),
        ("---\nname: x\n", "x", "has no front matter"),
        (
            "---\ntools: Read\n---\n",
            "My Agent",
            "its name is not 1 to 63 lower-case letters, digits and dashes: 'My Agent'",
        ),
    ],
)
def test_what_is_no_agent_says_why(text: str, stem: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        profile(text, stem=stem)


def test_a_block_of_text_is_one_value() -> None:
    text = "---\ndescription: |\n  Reads a lot:\n\n  and says little.\nname: 'x'\n---\nBody\n"
    said, body = front_matter.read(text)
    assert said == {"description": "Reads a lot:\nand says little.", "name": "x"}
    assert body == "Body\n"
