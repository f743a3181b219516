"""mini-swe-agent, driven by ``mini`` with an agent class that tells its messages.

What the program itself prints is for people: wrapped to the terminal, without tokens, and with
money in cents. So it is given the class of `mini_inside`, by its own ``--agent-class``, and prints
each message as it comes. It was written against version 2.4.6.

It has one tool, a shell, and asks nobody before it uses it (the kind of it that asks reads a
terminal). So it works with ``permissions: all`` alone and refuses the others; what it may not do
only a sandbox can say. Sessions it has none: after an answer it starts afresh with the whole story.
It takes no servers of the Model Context Protocol; `gitcmat blocker ask` works in its shell.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from gitcmat.adapters.agents import lines
from gitcmat.adapters.agents.command import exited
from gitcmat.adapters.agents.lines import inner, text
from gitcmat.errors import InvalidData
from gitcmat.model.job import Permissions, RunOutcome
from gitcmat.model.usage import Spend, Usage
from gitcmat.ports import End, Heard, Launch, Said, Spent, Started, Troubled, Turn, Used
from gitcmat.system import clock, files

_INSIDE: Final = Path(__file__).with_name("mini_inside.py")
_MODULE: Final = "gitcmat_mini_inside"
_ATTEMPTS: Final = "MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT"
_SETTINGS: Final = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it asks the network for prices at each start
    "MSWEA_CONFIGURED": "true",  # else it asks a person for a model and a key, and waits
    "MSWEA_COST_TRACKING": "ignore_errors",  # else it ends where it knows no price
    "MSWEA_SILENT_STARTUP": "1",
    "_TYPER_STANDARD_TRACEBACK": "1",  # else the error at its end is drawn into a frame
}
_LIMITS: Final = (
    "ratelimiterror",
    "quota",
    "usage limit",
    "usage_limit",
    "rate limit",
    "credit balance",
)
_BAD_KEYS: Final = frozenset({"AuthenticationError", "PermissionDeniedError"})
_OVER: Final = {
    "LimitsExceeded": (RunOutcome.OVER_BUDGET, "used what it may cost, or all of its steps"),
    "TimeExceeded": (RunOutcome.TIMED_OUT, "its own wall_time_limit_seconds is over"),
    "RepeatedFormatError": (RunOutcome.FAILED, "the model used no tool, several times in a row"),
}


class MiniSweAgent:
    """Drives one turn of mini-swe-agent."""

    unknown = ("session", "questions")
    tested: Final[dict[str, str]] = {}  # 2.4.6, which does not tell its version
    login = None  # it knows many providers

    def __init__(self) -> None:
        """Know nothing of the turn yet."""
        self._said = ""
        self._model = ""
        self._exit: dict[str, Any] = {}
        self._hopeless = ""
        """A limit that it waits for the end of, as it says it."""

    def launch(self, turn: Turn) -> Launch:
        """Start it without a terminal; the prompt is its standard input.

        Its trajectory is not kept: all that is in it is told. The limit of cost is the turn's, or
        none, instead of the three dollars of its own configuration.

        Raises:
            InvalidData: the profile wants it to do less than anything.
        """
        profile = turn.profile
        if profile.permissions is not Permissions.ALL:
            raise InvalidData(
                "mini-swe-agent runs any command without asking: it cannot keep to "
                f"permissions: {profile.permissions}.",
                hint=f"permissions: all in the profile of {profile.name}, best with a sandbox:",
            )
        files.write_atomic(turn.scratch / f"{_MODULE}.py", _INSIDE.read_bytes(), mode=0o600)
        argv = [*profile.command, "--agent-class", f"{_MODULE}.telling"]
        argv += ["--task", "-", "--output", "/dev/null"]
        argv += ["--cost-limit", f"{turn.usd or 0:.6f}"]
        if profile.model:
            argv += ["--model", profile.model]
        found = filter(None, (str(turn.scratch), profile.env.get("PYTHONPATH")))
        return Launch(
            argv=tuple(argv),
            stdin=turn.prompt.encode("utf-8", "surrogateescape"),
            env={
                **_SETTINGS,
                # its own ten attempts take five minutes
                _ATTEMPTS: profile.env.get(_ATTEMPTS, "5"),
                "PYTHONPATH": ":".join(found),
            },
            state=(".config/mini-swe-agent/",),
        )

    def read(self, line: str) -> Iterable[Heard]:
        """Read one message."""
        about = lines.parsed(line)
        return tuple(self._heard(about)) if about else ()

    def _heard(self, about: dict[str, Any]) -> Iterator[Heard]:
        match about.get("type"):
            case "start":
                self._model = text(about.get("model"))
                yield Started(model=self._model)
            case "assistant":
                if (words := text(about.get("text"))).strip():
                    self._said = words
                    yield Said(text=words)
                yield from self._commands(about.get("commands"))
            case "trouble":
                yield self._trouble(text(about.get("text")))
            case "exit":
                self._exit = about
            case _:
                pass
        if about.get("usage") or about.get("cost"):
            yield Spent(spend=self._spend(about))

    def _trouble(self, said: str) -> Troubled:
        why = said.partition(" as it raised ")[2] or said
        hopeless = _is_limit(why) and lines.used_up(why, clock.now())
        self._hopeless = why if hopeless else ""
        return Troubled(text=lines.one_line(said), hopeless=hopeless)

    def _commands(self, found: object) -> Iterator[Heard]:
        for command in found if isinstance(found, list) else ():
            yield Used(tool="bash", about=lines.one_line(text(command)))

    def _spend(self, about: dict[str, Any]) -> Spend:
        usage = about.get("usage")
        cached = lines.count(inner(usage, "cache_read_input_tokens")) or lines.count(
            inner(usage, "prompt_tokens_details", "cached_tokens")
        )
        written = lines.count(inner(usage, "cache_creation_input_tokens"))
        # its input holds what came from the cache and went into it
        tokens = Usage(
            input=max(0, lines.count(inner(usage, "prompt_tokens")) - cached - written),
            cache_read=cached,
            cache_write=written,
            output=lines.count(inner(usage, "completion_tokens")),
        )
        # a model whose price it does not know costs nothing, as it says
        return Spend(usage=tokens, usd=lines.money(about.get("cost")) or None, model=self._model)

    def end(self, exit_code: int, errors: str) -> End:
        """Judge by its last message, which says how it ended."""
        status = text(self._exit.get("status"))
        if status == "Submitted" and exit_code == 0:
            said = text(self._exit.get("submission")).strip() or self._said
            message = lines.one_line(said) or "it submitted its work without a word"
            return End(outcome=RunOutcome.FINISHED, message=message, said=said)
        if status in _OVER:
            outcome, why = _OVER[status]
            return End(outcome=outcome, message=why, said=self._said)
        if not status and self._hopeless:
            return _limited(self._hopeless)
        if not status or status == "Submitted":
            last = errors.strip().rpartition("\n")[2]
            why = "" if last.startswith("Warning: ") else lines.one_line(last)
            why = why or "it ended in the middle of its turn"
            return End(outcome=RunOutcome.FAILED, message=exited(exit_code, why), said=self._said)
        whole = text(self._exit.get("exception"))
        why = lines.one_line(whole) or status
        if status == "RateLimitError" or _is_limit(whole):
            return _limited(whole)
        if status in _BAD_KEYS:
            return End(outcome=RunOutcome.CANNOT_START, message=why)
        return End(outcome=RunOutcome.FAILED, message=why, said=self._said)


def _is_limit(said: str) -> bool:
    return any(word in said.lower() for word in _LIMITS)


def _limited(said: str) -> End:
    at = lines.until(said, clock.now())
    return End(outcome=RunOutcome.LIMITED, message=lines.one_line(said), until=at)
