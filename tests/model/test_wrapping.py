"""What an embedding program may ask of `gitcmat wrap`."""

import json
from typing import Any

import pytest

from gitcmat.model.job import Permissions
from gitcmat.model.wrapping import (
    Cancel,
    Options,
    Prompt,
    Shutdown,
    Status,
    Wrong,
    understand,
)


def said(**request: Any) -> bytes:
    return json.dumps(request).encode()


def test_each_action_is_understood() -> None:
    assert understand(said(action="prompt", prompt="Do it.")) == Prompt(text="Do it.")
    assert understand(said(action="cancel", run_id="one")) == Cancel(run_id="one")
    assert understand(said(action="cancel")) == Cancel()
    assert understand(said(action="status")) == Status()
    assert understand(said(action="shutdown")) == Shutdown()


def test_options_are_read_and_unknown_ones_dropped() -> None:
    options = {
        "working_directory": "/there",
        "permission_mode": "plan",
        "session_id": "s-1",
        "resume_last_session": True,
        "exit_on_complete": True,
        "timeout": 0.5,
        "idle_timeout": 7,
        "colour": {"of": "the sky"},
    }
    asked = said(action="prompt", prompt="Do it.", run_id="one", tags=["a", "b"], options=options)
    assert understand(asked) == Prompt(
        text="Do it.",
        run_id="one",
        tags=("a", "b"),
        options=Options(
            cwd="/there",
            permissions=Permissions.READ,
            session="s-1",
            resume_last=True,
            exit_on_complete=True,
            timeout=1,
            idle_timeout=7,
        ),
    )


def test_the_first_form_of_the_protocol_is_understood() -> None:
    asked = said(command="Do it.", working_directory="/there")
    assert understand(asked) == Prompt(text="Do it.", options=Options(cwd="/there"))


@pytest.mark.parametrize(
    ("line", "reason", "message"),
    [
        (b"\xff\xfe\x00", "invalid_json", "the line is not UTF-8"),
        (
            b"{",
            "invalid_json",
            (
                "the line is no JSON: Expecting property name enclosed in double quotes: "
                "line 1 column 2 (char 1)"
            ),
        ),
        (b"[" * 100_000, "invalid_json", "the line is no JSON: it cannot be read"),
        (b"9" * 10_000, "invalid_json", "the line is no JSON: it cannot be read"),
        (b"[]", "invalid_json", "the line is no JSON object"),
        (b"{}", "unknown_action", "action: is missing"),
        (
            said(action="dance"),
            "unknown_action",
            'action: "dance" is none of prompt, cancel, status, shutdown',
        ),
        (said(action="prompt"), "missing_prompt", "prompt: is missing, empty or no text"),
        (
            said(action="prompt", prompt=" "),
            "missing_prompt",
            "prompt: is missing, empty or no text",
        ),
        (said(command=7), "missing_prompt", "command: is missing, empty or no text"),
        (
            said(action="prompt", prompt="\ud800"),
            "invalid_options",
            "prompt: has half a character (a lone surrogate)",
        ),
        (
            said(action="prompt", prompt="x", options=[]),
            "invalid_options",
            "options: is no object",
        ),
        (
            said(action="prompt", prompt="x", run_id="a\nb"),
            "invalid_options",
            "run_id: is at most 128 printable characters",
        ),
        (said(action="cancel", run_id=7), "invalid_options", "run_id: is no text"),
        (
            said(action="prompt", prompt="x", tags="a"),
            "invalid_options",
            "tags: is a list of at most 32 words",
        ),
        (said(action="prompt", prompt="x", tags=[1]), "invalid_options", "tags: is no text"),
    ],
)
def test_what_is_no_request_is_said_to_be_wrong(line: bytes, reason: str, message: str) -> None:
    assert understand(line) == Wrong(reason, message)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cwd": "a\0b"}, "cwd: is no text"),
        (
            {"permission_mode": "root"},
            (
                "permission_mode: is one of read, plan, edit, acceptEdits, all, "
                "bypassPermissions, default"
            ),
        ),
        ({"session_id": "--help"}, "session_id: is letters, digits, dashes and underscores"),
        ({"exit_on_complete": "yes"}, "exit_on_complete: is true or false"),
        ({"timeout": 0}, "timeout: is a number of seconds"),
        ({"timeout": True}, "timeout: is a number of seconds"),
        ({"idle_timeout": float("inf")}, "idle_timeout: is a number of seconds"),
    ],
)
def test_an_option_of_the_wrong_kind_is_refused(options: dict[str, Any], message: str) -> None:
    asked = said(action="prompt", prompt="x", options=options)
    assert understand(asked) == Wrong("invalid_options", message)
