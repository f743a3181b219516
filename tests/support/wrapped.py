"""A conversation with a real ``gitcmat wrap``, as a program that embeds it has one."""

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.support.cli import PROGRAM

COMMON: Final = ("version", "event", "timestamp", "run_id", "outcome", "reason", "tags")
TERMINAL: Final = frozenset({"run_completed", "run_failed", "run_cancelled"})


class Wrapped:
    """The embedding program's side."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []
        self._rest = b""

    def send(self, *requests: Mapping[str, Any] | bytes) -> None:
        """Write these in one piece; bytes as they are."""
        assert self.process.stdin is not None
        lines = (r if isinstance(r, bytes) else json.dumps(r).encode() for r in requests)
        self.process.stdin.write(b"".join(line + b"\n" for line in lines))
        self.process.stdin.flush()

    def close(self) -> None:
        """End its input."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def until(self, *names: str, seconds: float = 60.0) -> dict[str, Any]:
        """Read on to the next event of one of these names, and return it."""
        end = time.monotonic() + seconds
        while True:
            event = self._next(end)
            if event["event"] in names:
                return event

    def rest(self, seconds: float = 60.0) -> list[dict[str, Any]]:
        """Read to the end, wait for it, and return what came from now on."""
        before = len(self.events)
        end = time.monotonic() + seconds
        while True:
            try:
                self._next(end)
            except EOFError:
                break
        self.process.wait(max(0.1, end - time.monotonic()))
        return self.events[before:]

    @property
    def errors(self) -> str:
        """What it wrote to standard error; only after its end."""
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def _next(self, end: float) -> dict[str, Any]:
        assert self.process.stdout is not None
        while b"\n" not in self._rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], (), (), left)[0]:
                raise AssertionError(f"no further event came; until then:\n{self.events}")
            chunk = os.read(self.process.stdout.fileno(), 65536)
            if not chunk:
                assert not self._rest, "the last line has no end"
                raise EOFError
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        event: dict[str, Any] = json.loads(line)
        assert tuple(event)[: len(COMMON)] == COMMON
        self.events.append(event)
        return event


def plain(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event without what differs each time, and without what says nothing."""
    gone = {"version", "timestamp", "seconds", "spend", "cwd"}
    return {k: v for k, v in event.items() if k not in gone and v not in (None, [], "")}


@contextmanager
def wrapped(folder: Path, *args: str, env: Mapping[str, str] | None = None) -> Iterator[Wrapped]:
    """Start ``gitcmat wrap ARGS`` in `folder` for the time of the block."""
    process = subprocess.Popen(
        [*PROGRAM, "wrap", *args],
        cwd=folder,
        env={**os.environ, **(env or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield Wrapped(process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
        for file in (process.stdin, process.stdout, process.stderr):
            if file is not None:
                try:
                    file.close()
                except BrokenPipeError:
                    continue
