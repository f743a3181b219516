"""Any program as an agent: the prompt is its standard input, and it exits 0 when it has done it."""

import signal
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from gitcmat.model.job import RunOutcome
from gitcmat.ports import End, Heard, Launch, Said, Turn

_LONGEST = 300
_WORDS = 5_000


class CommandAgent:
    """Drives one run of a program. It asks by ``gitcmat blocker ask``, as any agent can."""

    tested: Mapping[str, str] = MappingProxyType({})
    login = None

    def __init__(self) -> None:
        """Know nothing of the run yet."""
        self._last = ""
        self._words = ""

    @property
    def unknown(self) -> tuple[str, ...]:
        """Any program: it says nothing that could be understood."""
        return ("cost", "tokens", "session", "tools", "limits")

    def launch(self, turn: Turn) -> Launch:
        """Start the profile's command; the prompt is its standard input."""
        return Launch(
            argv=turn.profile.command, stdin=turn.prompt.encode("utf-8", "surrogateescape")
        )

    def read(self, line: str) -> Iterable[Heard]:
        """Each line that is not empty was said."""
        if not line.strip():
            return ()
        self._last = line.strip()[:_LONGEST]
        self._words = f"{self._words}{line[-_WORDS:]}\n"[-_WORDS:]
        return (Said(text=line),)

    def end(self, exit_code: int, errors: str) -> End:  # noqa: ARG002 - what it said is enough
        """Exit code 0 is a good end; the last line that it said is its last words at any end."""
        # Of all its output only a block at the end can be meant as words to somebody.
        said = self._words if "```" in self._words else self._last
        if exit_code == 0:
            return End(outcome=RunOutcome.FINISHED, message=self._last, said=said)
        return End(
            outcome=RunOutcome.FAILED, message=exited(exit_code, self._last), said=self._last
        )


def exited(exit_code: int, said: str) -> str:
    """Say how a program ended that did not end well, with the last that it said."""
    how = f"killed by {_signal(-exit_code)}" if exit_code < 0 else f"exited {exit_code}"
    return f"{how}: {said}" if said else how


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
