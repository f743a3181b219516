"""Turns what a script means into a call of a tool that the client offers."""

import shlex
from pathlib import PurePosixPath
from typing import Any, Final

from tests.support.fakemodel.asked import Asked
from tests.support.fakemodel.scenario import Answer, Call, Run, Use, Write

_SHELLS: Final = ("Bash", "exec_command", "run_shell_command", "bash", "shell")
_WRITERS: Final = ("Write", "write_file", "write", "apply_patch")

_MINI_ENDS: Final = "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
"""mini-swe-agent goes on until a command prints this."""

Named = tuple[str, dict[str, Any]]
"""A tool's name and its arguments."""


class NotOffered(Exception):
    """The client has no tool for what the script wants."""


def named(asked: Asked, answer: Answer) -> list[Named]:
    """Return the tool calls of `answer`. Raises NotOffered.

    Without any tool there are no calls (see `in_words`).
    """
    if not asked.tools:
        return []
    calls = [_named(asked, call) for call in answer.calls]
    if not calls and asked.tools == ("bash",):
        calls = [("bash", {"command": f"echo {_MINI_ENDS}"})]
    return calls


def in_words(asked: Asked, answer: Answer) -> str:
    """Return the text of `answer`; for aider, which offers no tools, with its files as blocks."""
    files = [call for call in answer.calls if isinstance(call, Write)]
    if asked.tools or not files:
        return answer.text
    blocks = [f"{file.path}\n```\n{file.content}```\n" for file in files]
    return "\n".join([answer.text, *blocks])


def _named(asked: Asked, call: Call) -> Named:
    match call:
        case Run(command):
            return _shell(asked, command)
        case Write(path, content):
            return _write(asked, path, content)
        case Use(tool, arguments):
            for offered in asked.tools:
                if offered == tool or offered.endswith((f"_{tool}", f"/{tool}")):
                    return offered, dict(arguments)
            raise NotOffered(f"no tool {tool!r} among {asked.tools}")


def _shell(asked: Asked, command: str) -> Named:
    tool = _first(asked, _SHELLS)
    match tool:
        case "exec_command":
            return tool, {"cmd": command}
        case "shell":
            return tool, {"command": ["bash", "-lc", command]}
        case "Bash" | "bash" if asked.tools != ("bash",):
            return tool, {"command": command, "description": "What the script says"}
        case _:
            return tool, {"command": command}


def _write(asked: Asked, path: str, content: str) -> Named:
    whole = str(PurePosixPath(asked.cwd) / path)
    try:
        tool = _first(asked, _WRITERS)
    except NotOffered:
        if "exec_command" in asked.tools:
            return _shell(asked, f"apply_patch <<'PATCH'\n{patch(path, content)}PATCH")
        return _shell(asked, f"printf %s {shlex.quote(content)} > {shlex.quote(path)}")
    match tool:
        case "apply_patch":
            return tool, {"input": patch(path, content)}
        case "write":
            return tool, {"filePath": whole, "content": content}
        case _:
            return tool, {"file_path": whole, "content": content}


def patch(path: str, content: str) -> str:
    """Return a patch in the form of codex that makes the file."""
    lines = "".join(f"+{line}\n" for line in content.splitlines())
    return f"*** Begin Patch\n*** Add File: {path}\n{lines}*** End Patch\n"


def _first(asked: Asked, names: tuple[str, ...]) -> str:
    for name in names:
        if name in asked.tools:
            return name
    raise NotOffered(f"none of {names} among {asked.tools}")
