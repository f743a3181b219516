"""The agent's process, and the messages to and from it: one JSON object a line."""

import asyncio
import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from gitcmat.adapters.bridge.voice import say
from gitcmat.system import proc

_LONGEST_LINE: Final = 64_000_000
_DRAIN: Final = 1.0
"""Seconds for what it printed last, once it has ended: its children may hold its output open."""
_MOST_ODD: Final = 5


class Wire:
    """Fills the protocol package's `Transport`, for an agent that this process has started.

    Lines that are no message are told and skipped: programs print warnings where they should not.
    """

    def __init__(
        self, child: proc.Child, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._child = child
        self._reader = reader
        self._writer = writer
        self._odd = 0
        self._watch: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Self:
        """Start the agent; its standard error is ours.

        Raises:
            ProgramMissing, ProgramRefused, FolderMissing: it could not be started.
        """
        loop = asyncio.get_running_loop()
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        try:
            child = proc.start(argv, cwd=cwd, env=env, stdin=theirs_in, stdout=theirs_out, stderr=2)
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        reader = asyncio.StreamReader(limit=_LONGEST_LINE)
        incoming, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours_in, "rb", 0)
        )
        outgoing, protocol = await loop.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()),
            os.fdopen(ours_out, "wb", 0),
        )
        wire = cls(child, reader, asyncio.StreamWriter(outgoing, protocol, None, loop))
        wire._watch = asyncio.create_task(wire._close_at_its_end(incoming))
        return wire

    @property
    def code(self) -> int | None:
        """The agent's exit code, None while it runs."""
        return self._child.poll()

    async def _close_at_its_end(self, incoming: asyncio.ReadTransport) -> None:
        await asyncio.to_thread(self._child.wait)
        await asyncio.sleep(_DRAIN)
        incoming.close()

    async def send(self, message: dict[str, Any]) -> None:
        """Send one message.

        Raises:
            OSError: the agent does not listen any more.
        """
        self._writer.write(json.dumps(message).encode("ascii") + b"\n")
        await self._writer.drain()

    async def receive(self) -> dict[str, Any] | None:
        """Wait for the next message; None when there will be no more."""
        while True:
            try:
                line = await self._reader.readline()
            except ValueError:
                say("trouble", text=f"it sent a message of more than {_LONGEST_LINE:,} bytes")
                return None
            if not line:
                return None
            if (message := _message(line)) is not None:
                return message
            if line.strip() and self._odd < _MOST_ODD:
                self._odd += 1
                say("trouble", text=f"no message: {line.decode('utf-8', 'replace').strip()[:200]}")

    async def close(self) -> None:
        """Nothing: a connection that is given up says nothing of the process."""

    async def end(self, grace: float) -> None:
        """Let the agent end by itself, which it does when its input does; then end it."""
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.close()
        await asyncio.to_thread(self._child.wait, grace)
        self._child.kill()
        if self._watch is not None:
            self._watch.cancel()


def _message(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    method, number = found.get("method"), found.get("id")
    good = isinstance(method, str | None) and isinstance(number, str | int | float | None)
    return found if good else None
