"""How a command speaks to the workflow that it is a step of: outputs, the job's summary, and what
the runner must not take for commands.

Outside of a workflow none of it is there, and nothing is written.
"""

import json
import os
import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from gitcmat.model.ci_text import harmless
from gitcmat.model.pull_body import defused
from gitcmat.system.files import read_regular, write_atomic

_FILES: Final = (
    *("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"),
)
"""Files that the runner reads when a step has ended, and obeys."""
_LARGEST: Final = 10_000_000
_LONGEST_CELL: Final = 300
_NOTHING: Final = "\u200b"
_UNMARKED: Final = {char: f"&#{ord(char)};" for char in "&<>|`*_~[]\\#!"}
"""What is markup, as text."""


class Workflow:
    """The step that we are, by what its environment said when we were started."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._files = {name: Path(env[name]) for name in _FILES if env.get(name)}
        self._server = env.get("GITHUB_SERVER_URL", "")
        self._repository = env.get("GITHUB_REPOSITORY", "")
        self._run = env.get("GITHUB_RUN_ID", "")
        self._attempt = env.get("GITHUB_RUN_ATTEMPT", "1")
        self._event = env.get("GITHUB_EVENT_PATH", "")
        self._before: dict[Path, bytes] = {}

    @property
    def holder(self) -> str:
        """What people know this job by."""
        if not self._run:
            return "a job"
        return f"run {self._run}, attempt {self._attempt}, of {self._repository}"

    @property
    def private(self) -> bool:
        """Whether strangers cannot read the log of this job, as far as its event tells."""
        try:
            event: Any = json.loads(read_regular(self._event, _LARGEST))
            return event["repository"]["private"] is True
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return False

    def output(self, values: Mapping[str, str]) -> None:
        """Hand values on to later steps, whatever is in them."""
        file = self._files.get("GITHUB_OUTPUT")
        if file is None:
            return
        text = ""
        for name, value in values.items():
            end = f"end-{secrets.token_hex(16)}"
            text += f"{name}<<{end}\n{value}\n{end}\n"
        _append(file, text)

    def summary(self, lines: Iterable[str]) -> None:
        """Write to the summary of the job; see `cell` for what others said."""
        file = self._files.get("GITHUB_STEP_SUMMARY")
        if file is not None:
            _append(file, "\n".join(lines) + "\n\n")

    def link(self, text: str, *path: str) -> str:
        """A link into the repository, where it is known: ``blob``, a commit, a path."""
        if not self._server or not self._repository:
            return cell(text)
        return f"[{cell(text)}]({'/'.join((self._server, self._repository, *path))})"

    @property
    def run_link(self) -> str:
        """A link to the run that this job is of; empty outside of one."""
        if not self._run:
            return ""
        attempt = ("attempts", self._attempt)
        return self.link(f"run {self._run}", "actions", "runs", self._run, *attempt)

    def task_link(self, task: str, sha: str) -> str:
        """A link to a task's file as it was at a commit."""
        return self.link(task, "blob", sha, ".cmat", "tasks", f"{task}.yaml")

    def keep_files(self) -> None:
        """Remember what the runner is told until now."""
        self._before = {file: _read(file) for file in self._files.values()}

    def restore_files(self) -> None:
        """Have the runner told that and nothing else, whoever has written there meanwhile."""
        for file, data in self._before.items():
            write_atomic(file, data)


@contextmanager
def no_commands() -> Iterator[None]:
    """Have the runner obey nothing that is printed meanwhile, on either stream."""
    word = secrets.token_hex(24)
    _say(f"::stop-commands::{word}")
    try:
        yield
    finally:
        # What was printed last may not have ended its line.
        _say(f"\n::{word}::")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of the summary; its cells are from `cell`, or written by us."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *lines] if lines else []


def plain(lines: Iterable[str]) -> Iterator[str]:
    """Lines that say what others said, with nothing in them that a runner takes for a command."""
    return (harmless(line) for line in lines)


def cell(text: object) -> str:
    """What others said, on one line, without anything that acts or looks like more than text."""
    line = " ".join(defused(harmless(str(text))).split())
    if len(line) > _LONGEST_CELL:
        line = line[: _LONGEST_CELL - 1] + "…"
    line = line.replace("://", f":{_NOTHING}//")
    return "".join(_UNMARKED.get(char, char) for char in line)


def _say(text: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _append(file: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(file, flags, 0o600), "wb") as stream:
        stream.write(text.encode())


def _read(file: Path) -> bytes:
    try:
        return read_regular(file, _LARGEST)
    except FileNotFoundError:
        return b""
