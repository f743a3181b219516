"""The folder of one run, ``.git/cmat/runs/<run>/``: what a runner is told, and all that it leaves.

Everything in it is this machine's, for its owner alone (0700, files 0600), and never committed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gitcmat.engine import jobfile
from gitcmat.model.job import Job, Result
from gitcmat.system import files

LOCK_FD: Final = "CMAT_LOCK_FD"
"""The variable that tells a runner the number of an inherited, locked descriptor of `lock`."""

REPLY_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """What an agent is told."""

    whole: str
    """The whole story."""
    more: str = ""
    """What is new, for an agent that goes on with its session; empty for one that cannot."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths and files of one run."""

    path: Path

    @property
    def job(self) -> Path:
        """What to do, decided whole at the claim."""
        return self.path / "job.json"

    @property
    def prompt(self) -> Path:
        """The agent's prompt, as text."""
        return self.path / "prompt.md"

    @property
    def more(self) -> Path:
        """What is new, as text: the prompt of an agent that goes on with its session."""
        return self.path / "more.md"

    @property
    def lock(self) -> Path:
        """Held by the runner: "alive" is "this lock is held"."""
        return self.path / "lock"

    @property
    def log(self) -> Path:
        """What setup, agent and gates print, as it comes: no secrets, nothing hidden."""
        return self.path / "log"

    @property
    def runner_log(self) -> Path:
        """What the runner itself prints; made as it is started."""
        return self.path / "runner.log"

    @property
    def events(self) -> Path:
        """What happens, one JSON object a line: ``{"at": …, "kind": …, "text": …}``."""
        return self.path / "events.jsonl"

    @property
    def processes(self) -> Path:
        """Which processes belong to the run, for the salvage of a runner that was killed."""
        return self.path / "processes"

    @property
    def programs(self) -> Path:
        """A folder for the end of the agent's PATH, with `gitcmat` in it."""
        return self.path / "bin"

    @property
    def scratch(self) -> Path:
        """A folder for files that the agent's program is to read: its settings for this run."""
        return self.path / "agent"

    @property
    def seat(self) -> Path:
        """What our own programs need to speak for the agent: where its inbox is, and its nonce."""
        return self.scratch / "run.json"

    @property
    def replies(self) -> Path:
        """A folder for what we answer: the agent can only read it."""
        return self.scratch / "replies"

    @property
    def requests(self) -> Path:
        """A folder for what its agent delegates (`gitcmat.engine.delegation`)."""
        return self.path / "requests"

    @property
    def turn_over(self) -> Path:
        """Its presence says that the agent, which delegated something, works no more."""
        return self.path / "turn-over"

    @property
    def attended(self) -> Path:
        """A lock, held by whoever follows the run in the foreground and starts its members."""
        return self.path / "attended.lock"

    @property
    def stop(self) -> Path:
        """Its presence asks the runner to stop."""
        return self.path / "stop"

    @property
    def prepared(self) -> Path:
        """Its presence says that what the workspace holds is this run's work."""
        return self.path / "prepared"

    @property
    def home(self) -> Path:
        """A result without gates, written when the work is home: it is not collected again."""
        return self.path / "home.json"

    @property
    def result(self) -> Path:
        """The result; the last file that a runner writes."""
        return self.path / "result.json"

    @property
    def crash(self) -> Path:
        """The traceback of a bug that ended the runner."""
        return self.path / "crash"

    def create(self, job: Job, prompts: Prompts) -> None:
        """Make the folder for a run that is about to start, with `job` and `prompts` in it.

        Raises:
            FileExistsError: there is such a run already.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700)
        for path, text in ((self.prompt, prompts.whole), (self.more, prompts.more)):
            if text:
                files.write_atomic(path, text.encode("utf-8", "surrogateescape"), mode=0o600)
        files.write_atomic(self.job, jobfile.encode(job), mode=0o600)

    def read_job(self) -> Job:
        """What the runner is told.

        Raises:
            FileNotFoundError, InvalidData: it is missing or damaged.
        """
        data = files.read_regular(self.job, jobfile.LARGEST)
        return jobfile.decode(Job, data, name=str(self.job))

    def read_prompts(self) -> Prompts:
        """What the agent is told; empty texts where there is no file."""
        return Prompts(whole=_text(self.prompt), more=_text(self.more))

    def read_result(self) -> Result | None:
        """What the runner reported; None when it has not.

        Raises:
            InvalidData: the file is damaged.
        """
        return self._read(self.result)

    def write_result(self, result: Result) -> None:
        """Report, durably: whoever sees the file sees all of it, also after a power cut."""
        self._write(self.result, result)

    def read_home(self) -> Result | None:
        """What came home before the gates ran; None when nothing has.

        Raises:
            InvalidData: the file is damaged.
        """
        return self._read(self.home)

    def write_home(self, result: Result) -> None:
        """Remember that the work is home, before anything else touches the work tree."""
        self._write(self.home, result)

    def mark_prepared(self) -> None:
        """Say that from now on the workspace holds this run's work."""
        files.write_atomic(self.prepared, b"", mode=0o600, durable=True, parents=False)

    def reply(self, name: str, data: Mapping[str, Any]) -> None:
        """Answer what the agent has sent, in a file that it can only read."""
        text = json.dumps({"schema": REPLY_SCHEMA, "id": name, **data})
        files.write_atomic(self.replies / f"{name}.json", text.encode(), mode=0o600)

    def request_stop(self) -> None:
        """Ask the runner to stop; it looks about ten times a second."""
        files.write_atomic(self.stop, b"", mode=0o600)

    def drop_half_written(self) -> None:
        """Remove what a runner that was killed had begun to write; only for one that is dead."""
        for path in self.path.rglob(".*.tmp"):
            if not path.name.startswith(f".{self.stop.name}."):  # others ask for a stop
                path.unlink(missing_ok=True)

    def _read(self, path: Path) -> Result | None:
        try:
            data = files.read_regular(path, jobfile.LARGEST)
        except FileNotFoundError:
            return None
        return jobfile.decode(Result, data, name=str(path))

    def _write(self, path: Path, result: Result) -> None:
        files.write_atomic(path, jobfile.encode(result), mode=0o600, durable=True, parents=False)


def _text(path: Path) -> str:
    try:
        data = files.read_regular(path, jobfile.LARGEST)
    except FileNotFoundError:
        return ""
    return data.decode("utf-8", "surrogateescape")
