"""Claude Code, driven by ``claude -p --output-format stream-json``.

What holds is what its stream says: a refused permission and an interrupt exit 0, and an error of
the provider has the subtype "success". It was written against version 2.1.329.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from gitcmat.adapters.agents import lines
from gitcmat.adapters.agents.command import exited
from gitcmat.adapters.agents.lines import inner, text
from gitcmat.model import permission
from gitcmat.model.job import Permissions, RunOutcome
from gitcmat.model.usage import Spend, Usage
from gitcmat.ports import End, Heard, Launch, Login, Said, Spent, Started, Troubled, Turn, Used
from gitcmat.system import clock, files

_PRINTS: Final = ("-p", "--output-format", "stream-json", "--verbose")
# Settings of the repository could run hooks, allow tools and name another server: the person's only
_ISOLATED: Final = ("--setting-sources", "user", "--strict-mcp-config")
_LOOKS: Final = ("Read", "Glob", "Grep")
_WRITES: Final = ("Edit", "Write", "NotebookEdit")
_RUNS: Final = ("Bash", "WebFetch", "WebSearch", "Agent", "Skill")
_ASK: Final = "Bash(gitcmat blocker ask:*)"
"""What every prompt tells it to do when it needs a person."""
_SERVER: Final = "gitcmat"
_LIMITS: Final = ("hit your", "usage limit", "regain access", "credit balance", "rate limit")
_GUESSED: Final = "unknown"
"""The basis of a cost of a model without a price: it takes that of another model for it."""
_NO_SESSION: Final = "No conversation found"


class ClaudeAgent:
    """Drives one turn of Claude Code."""

    unknown: tuple[str, ...] = ()
    tested: Final = {"claude": "2.1.329"}
    login: Final = Login(
        variables=(
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_AUTH_TOKEN",
            "CLAUDE_CODE_OAUTH_TOKEN",
            "CLAUDE_CODE_USE_BEDROCK",
            "CLAUDE_CODE_USE_VERTEX",
        ),
        files=(".claude/.credentials.json",),
        moved="CLAUDE_CONFIG_DIR",
    )

    def __init__(self) -> None:
        """Know nothing of the turn yet."""
        self._model = ""
        self._resets: datetime | None = None
        self._result: dict[str, Any] = {}
        self._told: dict[str, Usage] = {}
        """What a message used: each of its parts is printed by itself and tells it anew."""
        self._calls: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        """Calls that were refused since anything last went well: id → what it wanted to do."""

    def launch(self, turn: Turn) -> Launch:
        """Start it in print mode; the prompt is its standard input."""
        profile = turn.profile
        argv = [*profile.command, *_PRINTS, *_ISOLATED]
        edits = profile.permissions is not Permissions.READ
        argv += ["--permission-mode", "acceptEdits" if edits else "default"]
        if profile.model:
            argv += ["--model", profile.model]
        if turn.session:
            argv += ["--resume", turn.session]
        if turn.usd is not None:
            argv += ["--max-budget-usd", f"{turn.usd:.6f}"]
        allowed = [_ASK, *profile.tools, *permission.granted(turn.answers)]
        if profile.permissions is Permissions.ALL:
            allowed = [*_LOOKS, *_WRITES, *_RUNS, *allowed]
        if turn.server:
            config = turn.scratch / "mcp.json"
            server = {"command": turn.server[0], "args": list(turn.server[1:])}
            data = json.dumps({"mcpServers": {_SERVER: server}}).encode()
            files.write_atomic(config, data, mode=0o600)
            argv += ["--mcp-config", str(config)]
            allowed.append(f"mcp__{_SERVER}")
        argv += ["--allowedTools", *dict.fromkeys(allowed)]
        return Launch(
            argv=tuple(argv),
            stdin=turn.prompt.encode("utf-8", "surrogateescape"),
            env={"DISABLE_AUTOUPDATER": "1"},
            state=(".claude/", ".claude.json"),
        )

    def read(self, line: str) -> Iterable[Heard]:
        """Read one object of its stream."""
        about = lines.parsed(line)
        match about.get("type"):
            case "system":
                return tuple(self._system(about))
            case "rate_limit_event":
                self._limited(about)
            case "assistant":
                return tuple(self._assistant(about))
            case "user":
                self._results(about)
            case "result":
                self._result = about  # a background task may bring a second one: the last counts
                return tuple(self._end_of_turn(about))
            case _:
                pass
        return ()

    def _system(self, about: dict[str, Any]) -> Iterator[Heard]:
        match about.get("subtype"):
            case "init":
                self._model = text(about.get("model"))
                yield Started(session=lines.session(about.get("session_id")), model=self._model)
            case "api_retry":
                status = about.get("error_status") or "no connection"
                yield Troubled(
                    text=f"{text(about.get('error')) or 'error'} ({status}), tries again"
                )
            case "permission_denied":
                call = text(about.get("tool_use_id"))
                self._refused[call] = self._calls.get(call) or text(about.get("tool_name"))
                yield Troubled(text=f"was refused: {self._refused[call]}")
            case _:
                pass

    def _limited(self, about: dict[str, Any]) -> None:
        if inner(about, "rate_limit_info", "status") == "rejected":
            at = inner(about, "rate_limit_info", "resetsAt")
            self._resets = datetime.fromtimestamp(at, UTC) if 0 < lines.count(at) < 1e11 else None  # noqa: PLR2004 - the year 5138

    def _assistant(self, about: dict[str, Any]) -> Iterator[Heard]:
        of_part = about.get("parent_tool_use_id") is not None
        yield from self._used(about.get("message"))
        for part in _parts(about):
            if part.get("type") == "text" and not about.get("error"):
                if not of_part and text(part.get("text")).strip():
                    yield Said(text=part["text"])
            elif part.get("type") == "tool_use":
                tool, wanted = text(part.get("name")), part.get("input")
                self._calls[text(part.get("id"))] = _rule(tool, wanted)
                yield Used(tool=tool, about=_purpose(wanted))

    def _used(self, message: object) -> Iterator[Heard]:
        """What it tells while it works. The tokens that a message wrote are known only at the end
        of the turn, so this is the least.
        """
        told, name = inner(message, "usage"), text(inner(message, "id"))
        before = self._told.get(name, Usage())
        usage = Usage(
            input=lines.count(inner(told, "input_tokens")),
            cache_read=lines.count(inner(told, "cache_read_input_tokens")),
            cache_write=lines.count(inner(told, "cache_creation_input_tokens")),
            output=lines.count(inner(told, "output_tokens")),
        )
        if usage.total > before.total:
            self._told[name] = usage
            model = text(inner(message, "model")) or self._model
            yield Spent(spend=Spend(usage=usage.since(before), model=model, at_least=True))

    def _results(self, about: dict[str, Any]) -> None:
        for part in _parts(about):
            if part.get("type") == "tool_result" and not part.get("is_error"):
                self._refused.clear()  # it found another way

    def _end_of_turn(self, about: dict[str, Any]) -> Iterator[Heard]:
        usd, usage = lines.money(about.get("total_cost_usd")), Usage()
        models = about.get("modelUsage")
        for model in models.values() if isinstance(models, dict) else ():
            if inner(model, "costBasis") == _GUESSED:
                usd = None
            usage += Usage(
                input=lines.count(inner(model, "inputTokens")),
                cache_read=lines.count(inner(model, "cacheReadInputTokens")),
                cache_write=lines.count(inner(model, "cacheCreationInputTokens")),
                output=lines.count(inner(model, "outputTokens")),
            )
        yield Spent(spend=Spend(usage=usage, usd=usd, model=self._model), whole=True)

    def end(self, exit_code: int, errors: str) -> End:
        """Judge by its last ``result``; one without a result has not done it."""
        about = self._result
        if not about:
            said = lines.one_line(errors) or "it ended without a result"
            return End(outcome=RunOutcome.FAILED, message=exited(exit_code, said))
        listed = about.get("errors")
        said = text(about.get("result")) or "\n".join(
            word
            for word in map(text, listed if isinstance(listed, list) else ())
            if not word.startswith("[ede_diagnostic]")
        )
        message = lines.one_line(said)
        subtype = text(about.get("subtype"))
        good = subtype == "success" and not about.get("is_error")
        if good and exit_code != 0:
            return End(outcome=RunOutcome.FAILED, message=exited(exit_code, message), said=said)
        if good:
            asked = tuple(map(permission.question, dict.fromkeys(self._refused.values())))
            return End(outcome=RunOutcome.FINISHED, message=message, said=said, questions=asked)
        if subtype == "error_max_budget_usd":
            return End(outcome=RunOutcome.OVER_BUDGET, message="used what it may cost (budget)")
        if message.startswith(_NO_SESSION):
            return End(outcome=RunOutcome.FAILED, message=message, no_session=True)
        status = about.get("api_error_status")
        refused = status in (400, 403, 429) and any(word in said.lower() for word in _LIMITS)
        if self._resets is not None or status == 429 or refused:  # noqa: PLR2004 - HTTP
            at = self._resets or lines.until(said, clock.now())
            return End(outcome=RunOutcome.LIMITED, message=message, until=at)
        why = message or subtype.replace("_", " ") or f"exited {exit_code}"
        bad_key = status in (401, 403)
        outcome = RunOutcome.CANNOT_START if bad_key else RunOutcome.FAILED
        return End(outcome=outcome, message=why, said=said)


def _parts(about: dict[str, Any]) -> list[dict[str, Any]]:
    content = inner(about, "message", "content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _rule(tool: str, wanted: object) -> str:
    """What would allow a call, in Claude Code's own words."""
    command = text(inner(wanted, "command"))
    return f"{tool}({command})" if tool == "Bash" and command else tool


def _purpose(wanted: object) -> str:
    for key in ("command", "file_path", "path", "pattern", "url", "query", "description"):
        if found := text(inner(wanted, key)):
            return lines.one_line(found)
    return ""
