"""aider, driven by one message from a file.

Its exit code says nothing: it is 0 after a wrong key, too. What it did is told by the events that
it also keeps for statistics, which go to its standard output here and nowhere else, and between
them stand its words and its model's. It was written against version 0.86.2.

It edits files and runs no command, whatever the profile permits: those that its model suggests are
not even offered; ``permissions: read`` is its mode for questions. It never commits here, and keeps
neither history nor session, so after an answer it starts afresh with the whole story. It takes no
server of the Model Context Protocol and can ask nothing but with its last words.

Not kept from it: before an edit of a file outside of the work tree fails, it makes the file, empty.
What it tells of tokens does not say which came from a cache: they count as input. Its linter runs
on what it has edited, as its own settings say.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from gitcmat.adapters.agents import lines
from gitcmat.adapters.agents.command import exited
from gitcmat.adapters.agents.lines import text
from gitcmat.model.job import Permissions, RunOutcome
from gitcmat.model.usage import Spend, Usage
from gitcmat.ports import End, Heard, Launch, Said, Spent, Started, Troubled, Turn, Used
from gitcmat.system import clock, files

_ALONE: Final = (
    "--yes-always",
    "--no-pretty",
    "--no-fancy-input",
    "--no-stream",  # a stream has no exact tokens
    "--no-auto-commits",
    "--no-dirty-commits",
    "--no-gitignore",
    "--no-suggest-shell-commands",
    "--no-detect-urls",
    "--disable-playwright",
    "--no-check-update",
    "--no-show-release-notes",
    "--no-show-model-warnings",
    "--no-analytics",
    *("--analytics-log", "/dev/stdout"),
    *("--input-history-file", "/dev/null"),
    *("--chat-history-file", "/dev/null"),
)
_ENV: Final = {
    "BROWSER": "true",  # it opens the address in an error message, unasked
    "COLUMNS": "32767",  # else it breaks the lines of what its model says
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}
_MODEL: Final = re.compile(r"(?:Main m|M)odel: (\S+) with ")
_EDITED: Final = re.compile(r"Applied edit to (.+)")
_RETRYING: Final = re.compile(r"Retrying in [\d.]+ seconds\.\.\.")
_ERROR: Final = re.compile(r"litellm\.\w+: (.+)")
_REPORT: Final = re.compile(r"Tokens: \S+ sent,.* received\.(?: Cost: .*)?|Cost: \$.* session\.")
_BROKEN: Final = (
    re.compile(r"Cmd\('git'\) failed due to: .*"),
    re.compile(r"Exception while updating files:"),
    re.compile(r"Model \S+ has hit a token limit!"),
    re.compile(r"Only \d+ reflections allowed, stopping\."),
    re.compile(r"Empty response received from LLM\..*"),
)
"""What it says where it ends without having done it."""
_LIMITED: Final = ("ratelimiterror", "quota", "usage limit", "insufficient credits")
_BAD_KEY: Final = ("authenticationerror", "permissiondeniederror", "api key")
_INTERRUPTED: Final = "^C again to exit"


class AiderAgent:
    """Drives one turn of aider."""

    unknown = ("session", "questions")
    tested: Final = {"aider": "0.86.2"}
    login = None  # it knows many providers

    def __init__(self) -> None:
        """Know nothing of the turn yet."""
        self._model = ""
        self._sending = False
        """Whether the model was asked and has not answered."""
        self._heard: list[str] = []
        """Lines since the model was asked."""
        self._said = ""
        self._asked = False
        self._over = ""
        """Why it ended, in its own words."""
        self._broken = ""

    def launch(self, turn: Turn) -> Launch:
        """Start it without a terminal; the prompt is in a file.

        Raises:
            OSError: that cannot be written.
        """
        profile = turn.profile
        prompt = turn.scratch / "prompt.md"
        # a message that begins with / or ! is a command of its own, of the shell even
        data = f"\n{turn.prompt}".encode("utf-8", "surrogateescape")
        files.write_atomic(prompt, data, mode=0o600)
        argv = [*profile.command, *_ALONE, "--message-file", str(prompt)]
        if profile.permissions is Permissions.READ:
            argv += ["--chat-mode", "ask"]
        if profile.model:
            argv += ["--model", profile.model]
        return Launch(argv=tuple(argv), stdin=b"", env=dict(_ENV), state=(".aider/",))

    def read(self, line: str) -> Iterable[Heard]:
        """Read one event, or a line between them."""
        about = lines.parsed(line)
        if about.get("event") and isinstance(about.get("properties"), dict):
            return tuple(self._event(text(about["event"]), about["properties"]))
        return tuple(self._line(line.rstrip()))

    def _event(self, event: str, about: dict[str, Any]) -> Iterator[Heard]:
        match event:
            case "message_send_starting":
                self._sending = self._asked = True
                self._heard, self._broken = [], ""
            case "message_send":
                self._sending = False
                self._said = "\n".join(self._heard).strip()
                self._heard = []
                if self._said:
                    yield Said(text=self._said)
                yield Spent(spend=self._spend(about))
            case "message_send_exception":
                self._heard.append(text(about.get("exception")))
            case "exit":
                self._over = text(about.get("reason"))
            case _:
                pass

    def _line(self, line: str) -> Iterator[Heard]:
        if found := _MODEL.match(line):
            self._model = self._model or found[1]
            yield Started(model=self._model)
        elif _RETRYING.fullmatch(line):
            why = self._why()
            self._heard.clear()
            limited = self._is_limit(why)
            self._heard += [why] if limited else []  # it may be ended now
            hopeless = limited and lines.used_up(why, clock.now())
            yield Troubled(text=f"{why}, tries again" if why else line, hopeless=hopeless)
        elif self._sending:
            self._keep(line)
        elif found := _EDITED.fullmatch(line):
            yield Used(tool="edit", about=lines.one_line(found[1]))
        elif self._asked and any(pattern.fullmatch(line) for pattern in _BROKEN):
            self._broken = lines.one_line(line)
            yield Troubled(text=self._broken)

    def _keep(self, line: str) -> None:
        if _BROKEN[-1].fullmatch(line):
            self._broken = lines.one_line(line)
        elif not _REPORT.fullmatch(line):
            self._heard.append(line)

    def _spend(self, about: dict[str, Any]) -> Spend:
        tokens = Usage(
            input=lines.count(about.get("prompt_tokens")),
            output=lines.count(about.get("completion_tokens")),
        )
        # a model whose price it does not know costs nothing, as it says
        return Spend(usage=tokens, usd=lines.money(about.get("cost")) or None, model=self._model)

    def _why(self) -> str:
        """The error among the lines since the model was asked, or the first of them."""
        found = (match[0] for line in self._heard if (match := _ERROR.match(line)))
        return next(found, "") or lines.one_line("\n".join(self._heard))

    def _is_limit(self, why: str) -> bool:
        return any(word in why.lower() for word in _LIMITED)

    def end(self, exit_code: int, errors: str) -> End:
        """Judge by whether the model's last answer came and was put to use."""
        done = self._asked and not self._sending and not self._broken
        if done and exit_code == 0 and self._over.startswith("Completed"):
            message = lines.one_line(self._said) or "it changed files without a word"
            return End(outcome=RunOutcome.FINISHED, message=message, said=self._said)
        if self._broken:
            return End(outcome=RunOutcome.FAILED, message=self._broken, said=self._said)
        if not self._asked or not self._sending:
            why = self._over or lines.one_line(errors) or "it ended in the middle of its turn"
            return End(outcome=RunOutcome.FAILED, message=exited(exit_code, why), said=self._said)
        why = self._why()
        if self._is_limit(why):
            at = lines.until(why, clock.now())
            return End(outcome=RunOutcome.LIMITED, message=lines.one_line(why), until=at)
        if any(word in why.lower() for word in _BAD_KEY):
            return End(outcome=RunOutcome.CANNOT_START, message=lines.one_line(why))
        if not why or any(_INTERRUPTED in line for line in self._heard):
            why = "it was interrupted" if exit_code == 0 else exited(exit_code, "")
        return End(outcome=RunOutcome.FAILED, message=lines.one_line(why), said=self._said)
