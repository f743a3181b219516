"""One program in a run, watched from its start until nothing that it started is left."""

import contextlib
import os
import selectors
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from gitcmat.engine.runfolder import RunFolder
from gitcmat.model.machine import shown
from gitcmat.system import clock, orphans, proc, processes, supervise

_POLL: Final = 0.1
_CHUNK: Final = 65536
_RECORD_EVERY: Final = 1.0
# Time to close files on SIGTERM. After an ordinary end only forgotten children are left: less.
_GRACE: Final = 5.0
_GRACE_FOR_LEFTOVERS: Final = 1.0
_DRAIN: Final = 2.0


class Cause(StrEnum):
    """Why a program is over."""

    EXITED = "exited"
    TIMED_OUT = "timed out"
    SILENT = "silent"
    TOO_LOUD = "too loud"
    TOO_LARGE = "too large"
    TOO_MANY = "too many"
    OVER_BUDGET = "over budget"
    HOPELESS = "hopeless"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a program may use; None is no limit."""

    wall: float
    """Seconds from start to end."""
    idle: float | None = None
    """Seconds without output."""
    output: int | None = None
    """Bytes of output, both streams together."""
    memory: int | None = None
    """Bytes of memory, all its processes together."""
    processes: int | None = None
    """How many processes it may have at once."""

    def why(self, cause: Cause) -> str:
        """Say what it did that ended it, to go on behind its name; empty when it ended itself."""
        match cause:
            case Cause.EXITED:
                return ""
            case Cause.TIMED_OUT:
                return f"did not end within {self.wall:.9g} seconds"
            case Cause.SILENT:
                return f"said nothing for {self.idle:.9g} seconds"
            case Cause.TOO_LOUD:
                return f"printed more than {self.output:,} bytes"
            case Cause.TOO_LARGE:
                return f"took more than {shown(self.memory or 0)} of memory (limits.run_memory)"
            case Cause.TOO_MANY:
                return f"had more than {self.processes} processes at once (limits.run_processes)"
            case Cause.OVER_BUDGET:
                return "used what it may cost (budget)"
            case Cause.HOPELESS:
                return "went on though nothing could come of it"
            case Cause.STOPPED:
                return "stopped on request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended."""

    cause: Cause
    why: str
    """What it did that ended it; empty when it ended itself."""
    code: int | None
    """Its exit code, minus the signal when it was killed."""
    seconds: float
    forgotten: int
    """How many processes it left running at its own end; they were ended."""
    left: int
    """How many could not be ended: 0, unless the kernel holds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapper:
    """What is started stands around the program and ends with it, and the program with that: so
    it is not asked to end.
    """

    fds: tuple[int, ...] = ()
    """Descriptors that it is handed."""


class StopRequest:
    """Whether somebody wants the run to stop: by signal or by the file in its folder."""

    def __init__(self, folder: RunFolder) -> None:
        self._file = folder.stop
        self._signalled = False

    def is_made(self) -> bool:
        """Whether somebody does, by now."""
        return self._signalled or self._file.exists()

    @contextlib.contextmanager
    def listening(self) -> Iterator["StopRequest"]:
        """Take SIGTERM and SIGINT as requests, and outlive the terminal we were started from."""

        def heard(number: int, _frame: object) -> None:
            self._signalled = self._signalled or number != signal.SIGHUP

        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        before = {number: signal.signal(number, heard) for number in numbers}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Supervisor:
    """Starts the programs of one run, one after the other."""

    def __init__(
        self,
        folder: RunFolder,
        stop: StopRequest,
        meanwhile: Callable[[], float] = lambda: 0.0,
        enough: Callable[[], Cause | None] = lambda: None,
        wrapper: Wrapper | None = None,
    ) -> None:
        """`meanwhile` is called about ten times a second, and says when the program was heard of
        otherwise, by the monotonic clock; no output is read until it returns.
        `enough` says why what is run is to end, by what was read of it. With `wrapper`, what is
        run is one.
        """
        self._folder = folder
        self._stop = stop
        self._meanwhile = meanwhile
        self._enough = enough
        self._wrapper = wrapper

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        limits: Limits,
        on_out: Callable[[bytes], None],
        on_err: Callable[[bytes], None],
        stdin: bytes | None = None,
    ) -> Ended:
        """Run a program to its end, or to a limit, and end every process that it has started.

        `on_out` and `on_err` are given the output as it comes, in pieces of any size. What they
        raise ends the program and is raised again.

        Raises:
            ProgramMissing, ProgramRefused, FolderMissing: it could not be started.
        """
        begun = clock.monotonic()
        child = proc.start(
            argv,
            cwd=cwd,
            env=env,
            stdin=stdin,
            stdout=proc.PIPE,
            stderr=proc.PIPE,
            pass_fds=self._wrapper.fds if self._wrapper is not None else (),
        )
        with _Pipes(child, on_out, on_err, limits.output) as pipes:
            cause = forgotten = None
            try:
                cause = self._follow(child, pipes, begun, limits)
                if cause is Cause.EXITED:
                    pipes.step(0)
                    # What a wrapper leaves is on its way out: it is not left running.
                    forgotten = 0 if self._wrapper else len(supervise.descendants())
            finally:
                ended_itself = cause is Cause.EXITED
                left = supervise.end_all(
                    _GRACE_FOR_LEFTOVERS if ended_itself else _GRACE,
                    unasked=child.pid if self._wrapper is not None else None,
                )
            pipes.drain(_DRAIN)
            if ended_itself and pipes.too_loud:
                cause = Cause.TOO_LOUD
        return Ended(
            cause=cause,
            why=limits.why(cause),
            code=child.poll(),
            seconds=clock.monotonic() - begun,
            forgotten=forgotten or 0,
            left=left,
        )

    def _follow(self, child: proc.Child, pipes: "_Pipes", begun: float, limits: Limits) -> Cause:
        recorded = -_RECORD_EVERY
        while True:
            now = clock.monotonic()
            if now - recorded >= _RECORD_EVERY:
                family = orphans.record_descendants(self._folder.processes)
                recorded = now
                if limits.processes is not None and len(family) > limits.processes:
                    return Cause.TOO_MANY
                if limits.memory is not None and processes.memory(family) > limits.memory:
                    return Cause.TOO_LARGE
            supervise.reap()
            if child.poll() is not None:
                return Cause.EXITED
            if self._stop.is_made():
                return Cause.STOPPED
            if pipes.too_loud:
                return Cause.TOO_LOUD
            if (cause := self._enough()) is not None:
                return cause
            if now - begun > limits.wall:
                return Cause.TIMED_OUT
            if limits.idle is not None and now - max(pipes.last, begun) > limits.idle:
                return Cause.SILENT
            # Before the step: what was printed in that time is no silence.
            pipes.last = max(pipes.last, self._meanwhile())
            if pipes.open:
                pipes.step(_POLL)
            else:
                child.wait(_POLL)


class _Pipes:
    """Both outputs of a program, read in one thread as they come."""

    def __init__(
        self,
        child: proc.Child,
        on_out: Callable[[bytes], None],
        on_err: Callable[[bytes], None],
        limit: int | None,
    ) -> None:
        self._selector = selectors.DefaultSelector()
        self._files = [file for file in (child.stdout, child.stderr) if file is not None]
        for file, take in zip(self._files, (on_out, on_err), strict=True):
            self._selector.register(file, selectors.EVENT_READ, take)
        self._limit = limit
        self._size = 0
        self.last = clock.monotonic()

    @property
    def open(self) -> bool:
        """Whether more may come."""
        return bool(self._selector.get_map())

    @property
    def too_loud(self) -> bool:
        """Whether more came than the limit; what is over it was dropped."""
        return self._limit is not None and self._size > self._limit

    def step(self, seconds: float) -> None:
        """Wait at most so long for output and hand on what has come."""
        for key, _ in self._selector.select(seconds):
            chunk = os.read(key.fd, _CHUNK)
            if not chunk:
                self._selector.unregister(key.fileobj)
                continue
            self.last = clock.monotonic()
            room = len(chunk) if self._limit is None else max(0, self._limit - self._size)
            self._size += len(chunk)
            if room:
                key.data(chunk[:room])

    def drain(self, seconds: float) -> None:
        """Read what is left in the pipes, until they end or `seconds` are over."""
        deadline = clock.monotonic() + seconds
        while self.open and clock.monotonic() < deadline:
            self.step(_POLL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for file in self._files:
            file.close()
