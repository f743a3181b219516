"""Somebody else who looks at `git status` all the time, in a process of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

_LOOKER: Final = r"""
import json, subprocess, sys, time
with open(sys.argv[1], "a", encoding="utf-8") as log:
    while True:
        begin = time.monotonic()
        done = subprocess.run(
            ["git", "--no-optional-locks", "status", "--porcelain", "-uall"],
            capture_output=True, encoding="utf-8", errors="surrogateescape",
        )
        seen = {
            "begin": begin, "end": time.monotonic(), "code": done.returncode,
            "lines": done.stdout.splitlines(), "err": done.stderr,
        }
        log.write(json.dumps(seen) + "\n")
        log.flush()
        time.sleep(0.05)
"""


@dataclass(frozen=True, slots=True)
class Look:
    """One `git status`: monotonic seconds of its begin and end, and the lines that it printed."""

    begin: float
    end: float
    lines: tuple[str, ...]


@dataclass
class StatusWatch:
    """The looks so far, and what the person did meanwhile that may be seen in them."""

    log: Path
    _typed: list[tuple[float, float, tuple[str, ...]]] = field(default_factory=list)

    @contextmanager
    def person_changes(self, *globs: str) -> Iterator[None]:
        """For the time of the block the person edits these paths, or types a command that does."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self._typed.append((begin, time.monotonic(), globs))

    def looks(self) -> list[Look]:
        """Return all looks; raises AssertionError when git itself failed in one."""
        found = []
        for line in self.log.read_text(encoding="utf-8").splitlines():
            seen = json.loads(line)
            assert (seen["code"], seen["err"]) == (0, ""), seen
            found.append(Look(seen["begin"], seen["end"], tuple(seen["lines"])))
        return found

    def surprises(self) -> list[str]:
        """Return each line seen that nothing the person did at that time accounts for."""
        return sorted(
            {
                line
                for look in self.looks()
                for line in look.lines
                if not self._accounted(look, line)
            }
        )

    def _accounted(self, look: Look, line: str) -> bool:
        return any(
            begin <= look.end and look.begin <= end and _named(line[3:], globs)
            for begin, end, globs in self._typed
        )


def _named(path: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(path, glob) for glob in globs)


@contextmanager
def watching_status(repository: Path, log: Path) -> Iterator[StatusWatch]:
    """Look at the status of a repository for the time of the block, some ten times a second.

    Like an editor or a prompt it looks with git's defaults, so git may refresh the index meanwhile.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", _LOOKER, str(log)],
        cwd=repository,
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield StatusWatch(log)
        assert process.poll() is None, "whoever looked at the status has given up"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
