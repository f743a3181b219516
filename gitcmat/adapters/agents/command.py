"""Any program as an agent: the prompt is its standard input, and it exits 0 when it has done it."""

import signal
from collections.abc import Iterable

from gitcmat.model.job import RunOutcome
from gitcmat.ports import Asked, Launch, Said, Turn

_LONGEST = 300


class CommandAgent:
    """Drives one run of a program. It asks by ``gitcmat blocker ask``, as any agent can."""

    def __init__(self) -> None:
        """Know nothing of the run yet."""
        self._last = ""

    def launch(self, turn: Turn) -> Launch:
        """Start the profile's command; the prompt is its standard input."""
        return Launch(
            argv=turn.profile.command, stdin=turn.prompt.encode("utf-8", "surrogateescape")
        )

    def read(self, line: str) -> Iterable[Said | Asked]:
        """Each line that is not empty was said."""
        if not line.strip():
            return ()
        self._last = line.strip()[:_LONGEST]
        return (Said(text=line),)

    def outcome(self, exit_code: int) -> tuple[RunOutcome, str]:
        """Exit code 0 is a good end; the last line that it said stands for its own summary."""
        if exit_code == 0:
            return RunOutcome.FINISHED, self._last
        said = f": {self._last}" if self._last else ""
        if exit_code < 0:
            return RunOutcome.FAILED, f"killed by {_signal(-exit_code)}{said}"
        return RunOutcome.FAILED, f"exited {exit_code}{said}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
