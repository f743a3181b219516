"""The live log of a run: everything that is printed, fit to be kept and to be shown.

Secrets are taken out before a byte is written; control characters become visible, so that a log
cannot play tricks on the terminal that shows it.
"""

import codecs
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gitcmat.system import clock
from gitcmat.system.logs import Redactor, visible

_LONGEST_EVENT: Final = 4000
_MOST_SAID: Final = 10_000_000
"""Bytes of events about what an agent says; the log has its own limit, and may have more lines."""
_SAID: Final = "said"
OURS: Final = "[gitcmat]"
"""The beginning of our own lines in the log; on lines of others it is made unlike ours."""
_LIKE_OURS: Final = re.compile(rf"^{re.escape(OURS)}", re.MULTILINE)
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class RunLog:
    """Appends to the log and the events of one run. Not thread-safe."""

    def __init__(self, log: Path, events: Path, secrets: Iterable[str]) -> None:
        """Open both files, made for the owner alone when missing; `secrets` never reach them.

        Raises:
            OSError: they cannot be written.
        """
        self._secrets = tuple(secrets)
        self._redactor = Redactor(self._secrets)
        self._log = os.open(log, _FLAGS, 0o600)
        try:
            self._events = os.open(events, _FLAGS, 0o600)
        except OSError:
            os.close(self._log)
            raise
        self._line_open = False
        self._left_to_say = _MOST_SAID

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._log)
        os.close(self._events)

    def note(self, text: str) -> None:
        """Write a line of our own into the log; further lines of `text` are set off from its
        beginning.
        """
        start = "\n" if self._line_open else ""
        said = self.clean(text).replace("\n", "\n    ")
        self.write(f"{start}{OURS} {said}\n")

    def event(self, kind: str, text: str = "") -> None:
        """Write one event, for programs that follow the run; too much of what an agent says is
        left out.
        """
        if kind == _SAID and self._left_to_say <= 0:
            return
        known = {"at": clock.now().isoformat(), "kind": kind}
        if text:
            known["text"] = self.clean(text)[:_LONGEST_EVENT]
        line = json.dumps(known).encode() + b"\n"
        _write_all(self._events, line)
        if kind == _SAID:
            self._left_to_say -= len(line)
            if self._left_to_say <= 0:
                self.event("left out", "what else it says is in the log alone")

    def clean(self, text: str) -> str:
        """`text` without secrets and with nothing hidden in it."""
        return visible(self._redactor.text(text))

    def redacted(self, text: str) -> str:
        """`text` without secrets, and otherwise as it is."""
        return self._redactor.text(text)

    def stream(self, *, limit: int | None = None, keep: int = 0) -> "Stream":
        """Begin the output of one program: the first `limit` characters are logged, the last
        `keep` kept for `Stream.tail`.
        """
        return Stream(self, Redactor(self._secrets), limit, keep)

    def write(self, text: str) -> None:
        """Append `text`, which is clean already."""
        if text:
            _write_all(self._log, text.encode("utf-8", "backslashreplace"))
            self._line_open = not text.endswith("\n")


class Stream:
    """The output of one program on its way into the log."""

    def __init__(self, log: RunLog, redactor: Redactor, limit: int | None, keep: int) -> None:
        """Is made by `RunLog.stream`."""
        self._log = log
        self._redactor = redactor
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._left = limit
        self._keep = keep
        self._tail = ""

    @property
    def tail(self) -> str:
        """The last part of what came, as it stands in the log."""
        return self._tail[-self._keep :] if self._keep else ""

    def feed(self, chunk: bytes) -> None:
        """Take in what the program printed; it is in the log when its line is complete."""
        self._take(self._redactor.feed(chunk), final=False)

    def end(self) -> None:
        """Log what is left of an unfinished last line."""
        self._take(self._redactor.flush(), final=True)

    def _take(self, data: bytes, *, final: bool) -> None:
        text = visible(self._decoder.decode(data, final).replace("\r\n", "\n"))
        text = _LIKE_OURS.sub(rf"\\{OURS}", text)
        if self._keep:
            self._tail = (self._tail + text)[-2 * self._keep :]
        if self._left is None:
            self._log.write(text)
        elif self._left > 0:
            shown = text[: self._left]
            self._left -= len(shown)
            self._log.write(shown)
            if not self._left:
                self._log.note("more was printed than is kept; the rest is not shown")


def _write_all(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
