"""OpenCode, driven by ``opencode run --format json``.

Its stream has no last word: a turn is over when a step finished for no tool. While it waits for a
provider that refuses, for as long as that says, it tells it in its log alone. It was written
against version 1.18.33.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from gitcmat.adapters.agents import lines
from gitcmat.adapters.agents.command import exited
from gitcmat.adapters.agents.lines import inner, text
from gitcmat.model.job import Permissions, RunOutcome
from gitcmat.model.usage import Spend, Usage
from gitcmat.ports import End, Heard, Launch, Said, Spent, Started, Troubled, Turn, Used
from gitcmat.system import clock

STATE: Final = (
    ".config/opencode/",
    ".local/share/opencode/",
    ".local/state/opencode/",
    ".cache/opencode/",
)
"""What it must be able to write below the home folder."""

_AGENTS: Final = {Permissions.READ: ("--agent", "plan")}
_LIMITS: Final = ("rate limit", "usage limit", "quota", "too many requests", "usage cap")
_REFUSED: Final = "rejected permission"
_LOGS: Final = ("--print-logs", "--log-level", "ERROR")
_LOGGED: Final = re.compile(r'timestamp=.* level=ERROR .*?\berror\.error="((?:[^"\\]|\\.)*)"')
_SWITCHES: Final = ("AUTOUPDATE", "LSP_DOWNLOAD")


class OpenCodeAgent:
    """Drives one turn of OpenCode."""

    unknown: tuple[str, ...] = ()
    tested: Final = {"opencode": "1.18.33"}
    login = None  # it knows many providers, and some models that need none

    def __init__(self) -> None:
        """Know nothing of the turn yet."""
        self._session = ""
        self._said: list[str] = []
        self._stopped = False
        self._error: dict[str, Any] = {}
        self._refused: list[str] = []
        self._waits = ""
        """A limit that it waits for the end of, as its log says it."""

    def launch(self, turn: Turn) -> Launch:
        """Start it without a terminal; the prompt is its standard input."""
        profile = turn.profile
        argv = [
            *profile.command,
            "run",
            "--format",
            "json",
            *_LOGS,
            *_AGENTS.get(profile.permissions, ()),
        ]
        if profile.model:
            argv += ["-m", profile.model]
        if turn.session:
            argv += ["-s", turn.session]
        return Launch(
            argv=tuple(argv),
            stdin=turn.prompt.encode("utf-8", "surrogateescape"),
            heeds_errors=True,
            env={f"OPENCODE_DISABLE_{switch}": "1" for switch in _SWITCHES},
            state=STATE,
        )

    def read(self, line: str) -> Iterable[Heard]:
        """Read one object of its stream."""
        about = lines.parsed(line)
        if not about:
            return tuple(self._logged(line))
        return tuple(self._heard(about))

    def _logged(self, line: str) -> Iterator[Heard]:
        found = _LOGGED.match(line)
        if found is None:
            return
        why = found[1].partition(": ")[2] or found[1]
        hopeless = _is_limit(why) and lines.used_up(why, clock.now())
        self._waits = why if hopeless else ""
        yield Troubled(text=lines.one_line(why), hopeless=hopeless)

    def _heard(self, about: dict[str, Any]) -> Iterator[Heard]:
        session = lines.session(about.get("sessionID"))
        if session and session != self._session:
            self._session = session
            yield Started(session=session)
        part = about.get("part")
        match about.get("type"):
            case "step_start":
                self._stopped = False
                self._said.clear()
            case "text" if words := text(inner(part, "text")):
                self._said.append(words)
                yield Said(text=words)
            case "tool_use":
                yield from self._tool(part)
            case "step_finish":
                self._stopped = inner(part, "reason") == "stop"
                yield Spent(spend=_spend(part))
            case "error":
                found = about.get("error")
                self._error = found if isinstance(found, dict) else {}
                yield Troubled(text=_why(self._error))
            case _:
                pass

    def _tool(self, part: object) -> Iterator[Heard]:
        tool, state = text(inner(part, "tool")), inner(part, "state")
        about = next(
            (
                found
                for key in ("command", "filePath", "path", "pattern", "url")
                if (found := text(inner(state, "input", key)))
            ),
            "",
        )
        yield Used(tool=tool, about=lines.one_line(about))
        error = text(inner(state, "error"))
        if _REFUSED in error:
            self._refused.append(f"{tool}({about})" if about else tool)
            yield Troubled(text=f"was refused: {self._refused[-1]}")
        elif text(inner(state, "status")) == "completed":
            self._refused.clear()  # it found another way

    def end(self, exit_code: int, errors: str) -> End:
        """Judge by its last step, or by its error."""
        said = "\n".join(self._said)
        asked = tuple(map(lines.refused, dict.fromkeys(self._refused)))
        # it also ends, well as it says, on a refusal in the middle of its turn
        if not self._error and (self._stopped or asked) and exit_code == 0:
            message = lines.one_line(said)
            return End(outcome=RunOutcome.FINISHED, message=message, said=said, questions=asked)
        if not self._error and self._waits:
            at = lines.until(self._waits, clock.now())
            message = lines.one_line(self._waits)
            return End(outcome=RunOutcome.LIMITED, message=message, until=at)
        if not self._error:
            plain = (line for line in errors.splitlines() if not line.startswith("timestamp="))
            why = lines.one_line("\n".join(plain)) or "it ended in the middle of its turn"
            gone = "session not found" in errors.lower()
            message = why if gone else exited(exit_code, why)
            return End(outcome=RunOutcome.FAILED, message=message, said=said, no_session=gone)
        why, status = _why(self._error), inner(self._error, "data", "statusCode")
        if status == 429 or _is_limit(why):  # noqa: PLR2004 - HTTP
            return End(outcome=RunOutcome.LIMITED, message=why, until=_until(self._error))
        bad_key = status in (401, 403)
        outcome = RunOutcome.CANNOT_START if bad_key else RunOutcome.FAILED
        return End(outcome=outcome, message=why, said=said)


def _is_limit(said: str) -> bool:
    return any(word in said.lower() for word in _LIMITS)


def _why(error: dict[str, Any]) -> str:
    return lines.one_line(text(inner(error, "data", "message")) or text(error.get("name")))


def _until(error: dict[str, Any]) -> datetime | None:
    now = clock.now()
    after = text(inner(error, "data", "responseHeaders", "retry-after"))
    if after.isdigit() and len(after) < 8:  # noqa: PLR2004 - some months
        return now + timedelta(seconds=int(after))
    return lines.until(text(inner(error, "data", "message")), now)


def _spend(part: object) -> Spend:
    tokens = inner(part, "tokens")
    usage = Usage(
        input=lines.count(inner(tokens, "input")),
        cache_read=lines.count(inner(tokens, "cache", "read")),
        cache_write=lines.count(inner(tokens, "cache", "write")),
        output=lines.count(inner(tokens, "output")) + lines.count(inner(tokens, "reasoning")),
    )
    # a model whose price it does not know costs nothing, as it says
    return Spend(usage=usage, usd=lines.money(inner(part, "cost")) or None)
