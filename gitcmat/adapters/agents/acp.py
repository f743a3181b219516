"""Any agent that speaks the Agent Client Protocol, driven through `gitcmat.adapters.bridge`.

What such an agent may do is decided there, call by call, where it asks; what it does without asking
only a sandbox can stop. It was written against version 1 of the protocol, with OpenCode 1.18.33 and
Gemini CLI 0.61.0.
"""

import importlib.util
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any, Final

from gitcmat.adapters.agents import gemini, lines, opencode
from gitcmat.adapters.agents.command import exited
from gitcmat.adapters.agents.lines import inner, text
from gitcmat.adapters.bridge.errand import Errand
from gitcmat.errors import NotFound
from gitcmat.model import permission
from gitcmat.model.job import RunOutcome
from gitcmat.model.usage import Spend
from gitcmat.ports import End, Heard, Launch, Said, Spent, Started, Troubled, Turn, Used
from gitcmat.system import clock

_BRIDGE: Final = (sys.executable, "-I", "-m", "gitcmat.adapters.bridge", "--")
_SESSION: Final = re.compile(r"[!-~]{1,256}")
_LIMITS: Final = re.compile(
    r"rate.?limit|usage.?limit|quota|too many requests|resource_exhausted|\b429\b", re.IGNORECASE
)
_BAD_KEY: Final = re.compile(
    r"\b401\b|unauthorized|unauthenticated|invalid api key|api key not valid|incorrect api key",
    re.IGNORECASE,
)
_STOPS: Final = {
    "max_tokens": "it used all tokens that it may use",
    "max_turn_requests": "it made all requests that it may make in a turn",
    "refusal": "it refused to go on",
    "cancelled": "its turn was cancelled",
}
_STATES: Final = {"opencode": opencode.STATE, "gemini": gemini.STATE}
"""Of programs that are known; what others write is for the profile to say."""
_LOOKS: Final = frozenset({"read", "search", "think", "fetch"})


class AcpAgent:
    """Drives one turn of an agent that speaks the protocol."""

    # The tokens that the protocol has are a draft: OpenCode tells those of its last step alone.
    unknown = ("tokens",)
    tested: Final = {"opencode": "1.18.33", "gemini": "0.61.0"}
    login = None

    def __init__(self) -> None:
        """Know nothing of the turn yet."""
        self._end: dict[str, Any] = {}
        self._chunks: list[str] = []
        self._said = ""
        self._message = ""
        self._calls: dict[str, _Call] = {}
        self._asked: dict[str, int] = {}
        """What it was refused, and a person may allow → how many calls there were by then."""

    def launch(self, turn: Turn) -> Launch:
        """Start the bridge, which starts the agent; the bridge reads all else as one document.

        Raises:
            NotFound: the package for the protocol is not installed.
        """
        if importlib.util.find_spec("acp") is None:
            raise NotFound(
                "An agent that runs: acp needs a package more: pip install 'gitcmat[acp]'",
                hint="pip install 'gitcmat[acp]'",
            )
        profile = turn.profile
        errand = Errand(
            prompt=turn.prompt,
            cwd=str(turn.cwd),
            session=turn.session,
            model=profile.model,
            permissions=profile.permissions,
            allowed=(*profile.tools, *permission.granted(turn.answers)),
            server=turn.server,
        )
        return Launch(
            bridge=_BRIDGE,
            argv=profile.command,
            stdin=errand.written(),
            state=_STATES.get(PurePath(profile.command[0]).name, ()),
        )

    def read(self, line: str) -> Iterable[Heard]:
        """Read one object of the bridge's stream."""
        about = lines.parsed(line)
        return tuple(self._heard(about)) if about else ()

    def _heard(self, about: dict[str, Any]) -> Iterator[Heard]:
        match about.get("type"):
            case "session":
                found = text(about.get("id"))
                yield Started(session=found if _SESSION.fullmatch(found) else "")
            case "update":
                yield from self._update(about.get("update"))
            case "permission":
                yield from self._permission(about)
            case "wrote":
                yield Used(tool="write", about=lines.one_line(text(about.get("path"))))
            case "trouble":
                yield Troubled(text=text(about.get("text")))
            case "end":
                yield from self._flush()
                self._end = about
            case _:
                pass

    def _update(self, update: object) -> Iterator[Heard]:
        match inner(update, "sessionUpdate"):
            case "agent_message_chunk":
                message = text(inner(update, "messageId"))
                if message != self._message:
                    yield from self._flush()
                self._message = message
                self._chunks.append(text(inner(update, "content", "text")))
            case "tool_call" | "tool_call_update":
                yield from self._flush()
                yield from self._tool(update)
            case "usage_update":
                usd = lines.money(inner(update, "cost", "amount"))
                if usd is not None and inner(update, "cost", "currency") == "USD":
                    yield Spent(spend=Spend(usd=usd), whole=True)
            case _:
                pass

    def _flush(self) -> Iterator[Heard]:
        words, self._chunks = "".join(self._chunks), []
        if words.strip():
            self._said = words
            yield Said(text=words)

    def _tool(self, update: object) -> Iterator[Heard]:
        call = self._call(text(inner(update, "toolCallId")))
        call.kind = text(inner(update, "kind")) or call.kind
        call.title = text(inner(update, "title")) or call.title
        status = text(inner(update, "status"))
        if status in ("in_progress", "completed", "failed") and not call.told:
            call.told = True
            yield Used(tool=call.kind, about=lines.one_line(call.title))
        if status == "completed" and call.kind not in _LOOKS:
            # A call that began after it was refused: it found another way.
            self._asked = {w: n for w, n in self._asked.items() if n >= call.number}

    def _call(self, number: str) -> "_Call":
        return self._calls.setdefault(number, _Call(len(self._calls) + 1))

    def _permission(self, about: dict[str, Any]) -> Iterator[Heard]:
        what = text(about.get("what"))
        self._call(text(about.get("call")))
        if not about.get("allowed"):
            yield Troubled(text=f"was refused: {what}")
            if about.get("ask"):
                self._asked[what] = len(self._calls)

    def end(self, exit_code: int, errors: str) -> End:
        """Judge by the reason that the agent gave, or by its error."""
        about, said = self._end, self._said
        if not about:
            why = lines.one_line(errors) or "it ended in the middle of its turn"
            return End(outcome=RunOutcome.FAILED, message=exited(exit_code, why), said=said)
        asked = tuple(map(permission.question, self._asked))
        stop = text(about.get("stop"))
        if stop == "end_turn" or (stop == "cancelled" and asked):
            message = lines.one_line(said)
            return End(outcome=RunOutcome.FINISHED, message=message, said=said, questions=asked)
        if stop:
            message = _STOPS.get(stop, f"its turn ended by {lines.one_line(stop)}")
            return End(outcome=RunOutcome.FAILED, message=message, said=said, questions=asked)
        return self._failed(errors)

    def _failed(self, errors: str) -> End:
        about, said = self._end, self._said
        message = _why(about)
        data = json.dumps(about.get("data", ""), ensure_ascii=False)
        whole = f"{text(about.get('error'))}\n{data}"
        if about.get("gone"):
            return End(outcome=RunOutcome.FAILED, message=message, no_session=True)
        if "died" in about:
            code = about["died"] if isinstance(about["died"], int) else -1
            message = lines.one_line(errors.strip().rpartition("\n")[2]) or message
            return End(outcome=RunOutcome.FAILED, message=exited(code, message), said=said)
        if _LIMITS.search(whole):
            at = lines.until(whole, clock.now())
            return End(outcome=RunOutcome.LIMITED, message=message, until=at)
        no_start = about.get("login") or _BAD_KEY.search(whole)
        outcome = RunOutcome.CANNOT_START if no_start else RunOutcome.FAILED
        return End(outcome=outcome, message=message, said=said)


class _Call:
    """What is known of one use of a tool."""

    def __init__(self, number: int) -> None:
        """`number` says how many there were, with this one, when it was heard of first."""
        self.number = number
        self.kind = "other"
        self.title = ""
        self.told = False


def _why(about: dict[str, Any]) -> str:
    """The error in a line: agents put what happened into the message, or beside it, or wrap there
    what their provider answered.
    """
    message, data = text(about.get("error")), about.get("data")
    message = lines.unwrapped(message)
    more = (data, *(inner(data, key) for key in ("message", "details", "error")))
    detail = next(filter(None, map(text, more)), "")
    if not detail:
        return lines.one_line(message)
    return lines.one_line(detail if message in detail else f"{message}: {detail}")
