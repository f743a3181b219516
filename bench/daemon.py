"""The real daemon at work, and what it says."""

import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Final

from bench.ground import PROGRAM, Project

_PATIENCE: Final = 300.0
"""Seconds after which what should have happened will not happen any more."""


class Daemon:
    """A `gitcmat watch` that has been started, and the lines that it prints."""

    def __init__(self, process: "subprocess.Popen[str]", output: IO[str]) -> None:
        self.process = process
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(output,), daemon=True).start()

    def says(self, text: str, times: int = 1) -> None:
        """Wait until so many lines with `text` have come.

        Raises RuntimeError for a task that goes another way, or when nothing comes for minutes.
        """
        while times:
            try:
                line = self._lines.get(timeout=_PATIENCE)
            except queue.Empty:
                raise RuntimeError(f"the daemon does not say {text!r}") from None
            if not line or any(bad in line for bad in ("→ blocked", "→ failed", "error:")):
                raise RuntimeError(f"instead of {text!r} the daemon says: {line or 'no more'}")
            times -= text in line

    def _read(self, output: IO[str]) -> None:
        for line in output:
            self._lines.put(line)
        self._lines.put("")


@contextmanager
def watching(project: Project) -> Iterator[Daemon]:
    """Have a daemon for the time of the block; at its end no run is left."""
    process = subprocess.Popen(
        [PROGRAM, "watch", "--every", "3600"],
        cwd=project.path,
        env=os.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        if process.stderr is None:
            raise RuntimeError("the daemon has no output")
        daemon = Daemon(process, process.stderr)
        try:
            daemon.says("watching")
            yield daemon
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_PATIENCE)
            with suppress(RuntimeError):  # it is an error to it that nothing runs any more
                project.gitcmat("run", "stop", "--all")
