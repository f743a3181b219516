"""Codex, driven by ``codex exec --json``.

Its events tell tokens and no money; a command that its own sandbox refuses leaves no trace in them.
It was written against version 0.169.0.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from gitcmat.adapters.agents import lines
from gitcmat.adapters.agents.command import exited
from gitcmat.adapters.agents.lines import inner, text
from gitcmat.model.job import Permissions, RunOutcome
from gitcmat.model.usage import Spend, Usage
from gitcmat.ports import End, Heard, Launch, Login, Said, Spent, Started, Troubled, Turn, Used
from gitcmat.system import clock

_NO_SANDBOX: Final = "danger-full-access"
_SANDBOX: Final = {
    Permissions.READ: "read-only",
    Permissions.EDIT: "workspace-write",
    Permissions.ALL: _NO_SANDBOX,
}
_SERVER: Final = "gitcmat"
_PATIENCE: Final = 10_000
"""Milliseconds that it waits for servers. Left to itself it waits for one second and then begins
without their tools, which a Python program on a busy machine does not always make.
"""
_LIMITS: Final = ("usage limit", "429 too many requests", "quota exceeded", "rate limit")
_BAD_KEY: Final = ("401 unauthorized", "403 forbidden")
_NO_SESSION: Final = "no rollout found"


class CodexAgent:
    """Drives one turn of Codex."""

    unknown = ("cost", "questions")
    tested: Final = {"codex": "0.169.0"}
    login: Final = Login(
        variables=("CODEX_API_KEY",), files=(".codex/auth.json",), moved="CODEX_HOME"
    )

    def __init__(self) -> None:
        """Know nothing of the turn yet."""
        self._said = ""
        self._failed = ""
        self._done = False
        self._model = ""

    def launch(self, turn: Turn) -> Launch:
        """Start it without a terminal; the prompt is its standard input."""
        profile = turn.profile
        self._model = profile.model
        argv = [*profile.command, "exec", "--json", "--skip-git-repo-check"]
        argv += _own_sandbox(turn)
        if profile.model:
            argv += ["-m", profile.model]
        if turn.server:
            argv += ["-c", f"mcp_optional_startup_grace_ms={_PATIENCE}"]
            argv += ["-c", f"mcp_servers.{_SERVER}.command={json.dumps(turn.server[0])}"]
            argv += ["-c", f"mcp_servers.{_SERVER}.args={json.dumps(list(turn.server[1:]))}"]
        if turn.session:
            argv += ["resume", turn.session]
        return Launch(
            argv=(*argv, "-"),
            stdin=turn.prompt.encode("utf-8", "surrogateescape"),
            state=(".codex/",),
        )

    def read(self, line: str) -> Iterable[Heard]:
        """Read one object of its stream."""
        about = lines.parsed(line)
        match about.get("type"):
            case "thread.started":
                return (Started(session=lines.session(about.get("thread_id")), model=self._model),)
            case "item.started" | "item.completed":
                return tuple(self._item(about.get("item"), done=about["type"] == "item.completed"))
            case "turn.completed":
                self._done, self._failed = True, ""
                spend = Spend(usage=_usage(about.get("usage")), model=self._model)
                return (Spent(spend=spend, whole=True),)
            case "turn.failed":
                said = text(inner(about, "error", "message"))
                self._failed = lines.unwrapped(said) or "the turn failed"
            case "error":
                return (Troubled(text=lines.unwrapped(text(about.get("message")))),)
            case _:
                pass
        return ()

    def _item(self, item: object, *, done: bool) -> Iterator[Heard]:
        match inner(item, "type"):
            case "agent_message" if done:
                self._said = text(inner(item, "text"))
                yield Said(text=self._said)
            case "command_execution" if not done:
                yield Used(tool="command", about=lines.one_line(text(inner(item, "command"))))
            case "file_change" if done:
                changes = inner(item, "changes")
                for change in changes if isinstance(changes, list) else ():
                    about = f"{text(inner(change, 'kind'))} {text(inner(change, 'path'))}"
                    yield Used(tool="file", about=lines.one_line(about))
            case "mcp_tool_call" if not done:
                yield Used(tool=text(inner(item, "tool")), about=text(inner(item, "server")))
            case "error" if done:
                yield Troubled(text=text(inner(item, "message")))

    def end(self, exit_code: int, errors: str) -> End:
        """Judge by the end of its turn; one that has not ended has not done it."""
        if self._done and exit_code == 0:
            message = lines.one_line(self._said)
            return End(outcome=RunOutcome.FINISHED, message=message, said=self._said)
        why = self._failed or lines.one_line(errors)
        low = why.lower()
        if _NO_SESSION in errors.lower():
            return End(outcome=RunOutcome.FAILED, message=why, no_session=True)
        if any(word in low for word in _LIMITS):
            at = lines.until(why, clock.now())
            return End(outcome=RunOutcome.LIMITED, message=lines.one_line(why), until=at)
        if any(word in low for word in _BAD_KEY):
            return End(outcome=RunOutcome.CANNOT_START, message=lines.one_line(why))
        if self._failed:
            return End(outcome=RunOutcome.FAILED, message=lines.one_line(why), said=self._said)
        said = lines.one_line(errors) or "it ended in the middle of its turn"
        return End(outcome=RunOutcome.FAILED, message=exited(exit_code, said), said=self._said)


def _own_sandbox(turn: Turn) -> list[str]:
    """How it keeps in the commands that it runs, by itself."""
    profile = turn.profile
    mode = _SANDBOX[profile.permissions]
    if profile.sandbox.closed and profile.permissions is Permissions.EDIT:
        # Ours lets it write the work tree alone. In that it cannot make one of its own as root, nor
        # where AppArmor is strict, and then no command runs and no file is written.
        mode = _NO_SANDBOX
    if mode == _SANDBOX[Permissions.EDIT] and turn.mail is not None:
        roots = f"sandbox_workspace_write.writable_roots={json.dumps([str(turn.mail)])}"
        return ["-s", mode, "-c", roots]
    return ["-s", mode]


def _usage(about: Any) -> Usage:
    cached, written = (
        lines.count(inner(about, key))
        for key in ("cached_input_tokens", "cache_write_input_tokens")
    )
    return Usage(
        # its input holds what came from the cache, and its output what it thought
        input=max(0, lines.count(inner(about, "input_tokens")) - cached - written),
        cache_read=cached,
        cache_write=written,
        output=lines.count(inner(about, "output_tokens")),
    )
