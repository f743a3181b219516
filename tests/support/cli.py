"""Starts the real program, as a person at a terminal or a script would."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.repo import TestRepo
from tests.support.wait import until

PROGRAM: Final = (sys.executable, "-P", "-W", "error", "-m", "gitcmat")
"""The argv of gitcmat. -P: the repository's folder is no place to import from."""

Env = Mapping[str, str | None]
"""Changes to the environment; None removes a name."""


@dataclass(frozen=True, slots=True)
class Result:
    """How the program ended: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return the output read as JSON."""
        return json.loads(self.out)

    def ok(self) -> "Result":
        """Return the result itself; raises AssertionError with all output unless the code is 0."""
        assert self.code == 0, f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"
        return self


def gitcmat(
    where: TestRepo | Path,
    *args: str,
    input: str | None = None,  # noqa: A002 - the word that subprocess uses
    env: Env | None = None,
    changes: tuple[str, ...] = (),
    timeout: float = 90.0,
    before: tuple[str, ...] = (),
) -> Result:
    """Run `gitcmat ARGS` in a repository or folder and return how it ended; `before` is the
    program, with its arguments, that starts it.

    In a TestRepo the person's things are guarded: `changes` names the parts that this very command
    may change, such as `("refs:refs/heads/main", "index", "files")` for a landing.
    """
    if isinstance(where, TestRepo):
        with where.guarded(*changes):
            return _run(where.path, (*before, *PROGRAM, *args), input, env, timeout)
    return _run(where, (*before, *PROGRAM, *args), input, env, timeout)


class Running:
    """A gitcmat that has been started and not yet waited for (see `running`)."""

    def __init__(self, process: "subprocess.Popen[bytes]", out: Path, err: Path) -> None:
        self.process = process
        self._out = out
        self._err = err

    @property
    def out(self) -> str:
        """What it has written to standard output until now."""
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        """What it has written to standard error until now."""
        return self._err.read_text(encoding="utf-8")

    def says(self, text: str, timeout: float = 30.0) -> None:
        """Wait until `text` stands in its output or errors."""

        def seen() -> bool:
            return text in self.out + self.err or self.process.poll() is not None

        until(seen, timeout, f"{text!r} from {self.process.args!r}")
        assert text in self.out + self.err, f"ended without saying {text!r}:\n{self.out}{self.err}"

    def signal(self, number: int = signal.SIGINT) -> None:
        """Send a signal to the process, not to what it started."""
        self.process.send_signal(number)

    def wait(self, timeout: float = 60.0) -> Result:
        """Wait for its end and return it as `gitcmat` does."""
        return Result(self.process.wait(timeout), self.out, self.err)


@contextmanager
def running(
    where: TestRepo | Path, *args: str, logs: Path, env: Env | None = None
) -> Iterator[Running]:
    """Start `gitcmat ARGS` for the time of the block, with its output in two files below `logs`.

    At the end it gets SIGINT, and SIGKILL for its whole group if it has not ended 20 s later.
    """
    folder = where.path if isinstance(where, TestRepo) else where
    if isinstance(where, TestRepo):
        where.keep_frozen()
    logs.mkdir(parents=True, exist_ok=True)
    out, err = logs / "out.txt", logs / "err.txt"
    with out.open("wb") as out_file, err.open("wb") as err_file:
        process = subprocess.Popen(
            [*PROGRAM, *args],
            cwd=folder,
            env=_environment(env),
            stdin=subprocess.DEVNULL,
            stdout=out_file,
            stderr=err_file,
            start_new_session=True,
        )
    try:
        yield Running(process, out, err)
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


def _run(
    folder: Path, argv: tuple[str, ...], stdin: str | None, env: Env | None, timeout: float
) -> Result:
    done = subprocess.run(
        argv,
        cwd=folder,
        env=_environment(env),
        input="" if stdin is None else stdin,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=timeout,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def _environment(changes: Env | None) -> dict[str, str]:
    merged: dict[str, str | None] = {**os.environ, **(changes or {})}
    return {name: value for name, value in merged.items() if value is not None}
