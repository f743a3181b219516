"""Gemini CLI, driven by ``gemini -o stream-json``.

It exits 0 on SIGTERM without a result, and with the status of HTTP, modulo 256, on an error of the
provider. It was written against version 0.61.0.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from gitcmat.adapters.agents import lines
from gitcmat.adapters.agents.command import exited
from gitcmat.adapters.agents.lines import inner, text
from gitcmat.model.job import Permissions, RunOutcome
from gitcmat.model.usage import Spend, Usage
from gitcmat.ports import End, Heard, Launch, Login, Said, Spent, Started, Troubled, Turn, Used
from gitcmat.system import clock

STATE: Final = (".gemini/",)
"""What it must be able to write below the home folder."""

_APPROVAL: Final = {
    Permissions.READ: "default",
    Permissions.EDIT: "auto_edit",
    Permissions.ALL: "yolo",
}
_TOO_MANY: Final = 429 % 256
_LIMITS: Final = ("quota", "rate limit", "resource_exhausted")
_BAD_KEY: Final = ("api key not valid", "permission_denied", "unauthenticated")
_NO_SESSION: Final = "error resuming session"
_TEXT_OF_ERROR: Final = re.compile(r"\[API Error: (.*?)\]?\s*(?:\n|$)")


class GeminiAgent:
    """Drives one turn of Gemini CLI."""

    unknown = ("cost", "questions")
    tested: Final = {"gemini": "0.61.0"}
    login: Final = Login(
        variables=(
            "GEMINI_API_KEY",
            "GOOGLE_API_KEY",
            "GOOGLE_GENAI_USE_VERTEXAI",
            "GOOGLE_GENAI_USE_GCA",
        ),
        files=(".gemini/oauth_creds.json", ".gemini/.env"),
    )

    def __init__(self) -> None:
        """Know nothing of the turn yet."""
        self._said: list[str] = []
        self._result: dict[str, Any] = {}
        self._model = ""

    def launch(self, turn: Turn) -> Launch:
        """Start it without a terminal; the prompt is its standard input."""
        profile = turn.profile
        argv = [*profile.command, "-o", "stream-json"]
        argv += ["--approval-mode", _APPROVAL[profile.permissions]]
        if profile.model:
            argv += ["-m", profile.model]
        for tool in dict.fromkeys(profile.tools):
            argv += ["--allowed-tools", tool]
        if turn.session:
            argv += ["--resume", turn.session]
        return Launch(
            argv=tuple(argv),
            stdin=turn.prompt.encode("utf-8", "surrogateescape"),
            # without the first it starts itself again, and the one that we know swallows SIGTERM
            env={"GEMINI_CLI_NO_RELAUNCH": "true", "GEMINI_CLI_TRUST_WORKSPACE": "true"},
            state=STATE,
        )

    def read(self, line: str) -> Iterable[Heard]:
        """Read one object of its stream."""
        about = lines.parsed(line)
        match about.get("type"):
            case "init":
                self._model = text(about.get("model"))
                return (Started(session=lines.session(about.get("session_id")), model=self._model),)
            case "message" if about.get("role") == "assistant":
                self._said.append(text(about.get("content")))
            case "tool_use":
                self._said.clear()
                wanted = about.get("parameters")
                what = next((v for v in _texts(wanted)), "")
                return (Used(tool=text(about.get("tool_name")), about=lines.one_line(what)),)
            case "tool_result" if about.get("status") == "error":
                return (Troubled(text=text(inner(about, "error", "message"))),)
            case "error":
                return (Troubled(text=text(about.get("message"))),)
            case "result":
                self._result = about
                return tuple(self._end_of_turn(about))
            case _:
                pass
        return ()

    def _end_of_turn(self, about: dict[str, Any]) -> Iterator[Heard]:
        words = "".join(self._said)
        if words.strip():
            yield Said(text=words)
        stats = about.get("stats")
        cached = lines.count(inner(stats, "cached"))
        usage = Usage(
            input=max(0, lines.count(inner(stats, "input_tokens")) - cached),
            cache_read=cached,
            output=lines.count(inner(stats, "output_tokens")),
        )
        yield Spent(spend=Spend(usage=usage, model=self._model))

    def end(self, exit_code: int, errors: str) -> End:
        """Judge by its ``result``; without one it has not done it, whatever its exit code says."""
        said = "".join(self._said)
        if self._result.get("status") == "success" and exit_code == 0:
            message = lines.one_line(said)
            return End(outcome=RunOutcome.FINISHED, message=message, said=said)
        if not self._result:
            gone = _NO_SESSION in errors.lower()
            why = lines.one_line(errors)
            message = why if gone else exited(exit_code, "it ended without a result")
            return End(outcome=RunOutcome.FAILED, message=message, said=said, no_session=gone)
        whole = text(inner(self._result, "error", "message"))
        found = _TEXT_OF_ERROR.search(whole)
        told = found[1] if found else whole
        nested = text(inner(lines.parsed(told), "error", "message"))
        message = lines.one_line(nested or told) or f"exited {exit_code}"
        low = whole.lower()
        if exit_code == _TOO_MANY or any(word in low for word in _LIMITS):
            now = clock.now()
            at = lines.until(whole, now) or lines.until(errors, now)
            return End(outcome=RunOutcome.LIMITED, message=message, until=at)
        if any(word in low for word in _BAD_KEY):
            return End(outcome=RunOutcome.CANNOT_START, message=message)
        return End(outcome=RunOutcome.FAILED, message=message, said=said)


def _texts(wanted: object) -> Iterator[str]:
    for key in ("command", "file_path", "absolute_path", "path", "pattern", "url", "query"):
        if found := text(inner(wanted, key)):
            yield found
