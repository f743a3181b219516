"""The fake model itself: which script answers, what was asked, and what should not have been."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.support.fakemodel.asked import Asked
from tests.support.fakemodel.scenario import Answer, Script

KEY: Final = "dummy-key-of-a-test"
"""The only secret that a client may send; that of an account has its name behind a dash."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: Any
    asked: Asked | None
    """What it means, if it is one that the model knows."""
    status: int
    """What it was answered with."""


class Unplanned(Exception):
    """No script says what to answer."""


class Model:
    """The state of a fake model; safe for several threads."""

    def __init__(self, scripts: Sequence[Script]) -> None:
        self.scripts = scripts
        self.requests: list[Request] = []
        self.wrong: list[str] = []
        """What must not happen, in words: a strange path, host or key, and what no script
        answers.
        """
        self._served: Counter[tuple[int, int]] = Counter()
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._hanging = 0

    def answer(self, asked: Asked, account: str) -> Answer:
        """Return what the scripts say now. Raises Unplanned."""
        index, script = self._script(asked.prompt, account)
        if asked.turn >= len(script.answers):
            raise Unplanned(f"turn {asked.turn} of the script that asks {script.asks!r}")
        answer = script.answers[asked.turn]
        with self._lock:
            self._served[index, asked.turn] += 1
            served = self._served[index, asked.turn]
        failure = answer.failure
        if failure and failure.times and served > failure.times:
            return Answer(answer.text, answer.calls, answer.usage)
        return answer

    def _script(self, prompt: str, account: str) -> tuple[int, Script]:
        for index, script in enumerate(self.scripts):
            if script.asks in prompt and script.account in {"", account}:
                return index, script
        raise Unplanned(f"no script for the prompt {prompt[:200]!r} ({account!r})")

    def keep(self, request: Request) -> int:
        """Remember a request; return its number, from 1."""
        with self._lock:
            self.requests.append(request)
            return len(self.requests)

    def complain(self, text: str) -> None:
        """Remember what must not happen."""
        with self._lock:
            self.wrong.append(text)

    @property
    def asked(self) -> list[Asked]:
        """What was asked of the work, in order; nothing beside it."""
        return [r.asked for r in list(self.requests) if r.asked and not r.asked.aside]

    @property
    def hanging(self) -> int:
        """How many answers have stopped in the middle and wait."""
        return self._hanging

    def hang(self, seconds: float) -> bool:
        """Wait for `release`, `seconds` at most; say whether it came."""
        with self._lock:
            self._hanging += 1
        try:
            return self._released.wait(seconds)
        finally:
            with self._lock:
                self._hanging -= 1

    def release(self) -> None:
        """Let all answers that hang go on, and those that would."""
        self._released.set()

    def check(self) -> None:
        """Raise AssertionError if something happened that must not."""
        assert not self.wrong, "\n".join(["to the fake model:", *self.wrong])
