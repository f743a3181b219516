"""The only place that starts other programs.

Every program gets a session of its own, so that a Ctrl-C at the terminal reaches gitcmat alone and
gitcmat decides what ends. Nothing is given to a shell, nothing inherits an open file that it was
not handed.
"""

import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gitcmat.errors import NotFound, UserError
from gitcmat.system import trace
from gitcmat.system.capture import Capture
from gitcmat.system.refusals import refusal

PIPE = subprocess.PIPE
DEVNULL = subprocess.DEVNULL
STDOUT = subprocess.STDOUT

# A background child may keep our pipe open for days after the program itself has ended.
_LINGER = 1.0
_LONGEST_PAUSE = 0.02


class Timeout(UserError):
    """A program ran longer than allowed; it and its children were killed."""

    def __init__(
        self, argv: Sequence[str], seconds: float, out: bytes = b"", err: bytes = b""
    ) -> None:
        """Take the limit that was passed and what the program wrote until then."""
        super().__init__(
            f"`{shlex.join(argv)}` did not end within {seconds:g} seconds and was stopped.",
            hint="Find out what it waits for, or allow it more time.",
        )
        self.argv = tuple(argv)
        self.seconds = seconds
        self.out = out
        self.err = err


class ProgramMissing(NotFound):
    """There is no program of that name."""


class ProgramRefused(UserError):
    """The program is there, but the system would not start it."""


class FolderMissing(NotFound):
    """The folder that the program should have started in is not there."""


class Done(NamedTuple):
    """What a program left: its output and exit code (minus the signal when killed)."""

    argv: tuple[str, ...]
    code: int
    out: bytes
    err: bytes
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether the exit code is 0."""
        return self.code == 0

    @property
    def text(self) -> str:
        """Standard output without the last line ends; bytes that are no UTF-8 survive."""
        return self.out.decode("utf-8", "surrogateescape").rstrip("\n")


class _Process(subprocess.Popen[bytes]):
    """A Popen that may outlive us without a warning: runners do so on purpose."""

    def __del__(self) -> None:
        """Do nothing: `_started` keeps every process that was not waited for."""


# Every process started here and not waited for. `collect` may run at any moment in another thread;
# it must not meet a process that has ended before its Popen is in this table.
_started: dict[int, _Process] = {}
_starting = threading.RLock()


class Child:
    """A running program; `stdout` and `stderr` are our ends of its pipes, if any."""

    def __init__(self, process: _Process) -> None:
        """Wrap a process that `start` made."""
        self._process = process
        self.pid = process.pid
        self.stdout = process.stdout
        self.stderr = process.stderr

    def poll(self) -> int | None:
        """Its exit code (minus the signal when killed), None while it runs."""
        return _poll(self._process)

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait at most `timeout` seconds for its end: the exit code, or None."""
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = 0.00005  # a program that closed its pipes is nearly always gone by then
        while (code := self.poll()) is None:
            left = _LONGEST_PAUSE if deadline is None else deadline - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(pause, left))
            pause = min(pause * 2, _LONGEST_PAUSE)
        return code

    def send(self, number: int) -> bool:
        """Send it a signal; False when it has already ended."""
        with _starting:  # it cannot be reaped, and its pid not be used again, while we look
            if _poll(self._process) is not None:
                return False
            os.kill(self.pid, number)
            return True

    def kill(self) -> None:
        """Kill it with its session and its descendants, and wait for its end."""
        _kill(self._process)


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    input: bytes | None = None,  # noqa: A002 - the name that subprocess.run uses
    timeout: float | None = None,
    max_output: int | None = None,
) -> Done:
    """Run a program to its end and return what it left; a bad exit code is no error here.

    `input` goes to its standard input, which is closed without. `timeout` is in seconds. With
    `max_output` only the last so many bytes of each stream are kept. A child that it leaves in the
    background is not waited for, and loses its pipes to us after a second.

    Raises:
        Timeout: it ran too long and was killed with its whole session and all descendants.
        ProgramMissing, ProgramRefused, FolderMissing: it could not be started.
    """
    begun = time.monotonic()
    process = _start(
        argv, cwd=cwd, env=env, stdin=DEVNULL if input is None else PIPE, stdout=PIPE, stderr=PIPE
    )
    with Capture(
        process.stdin, (process.stdout, process.stderr), input or b"", max_output
    ) as capture:
        try:
            finished = _follow(process, capture, begun, timeout)
        except BaseException:
            _kill(process)
            raise
        if not finished:
            _kill(process)
            capture.step(0)
    out, err = capture.texts
    if not finished:
        raise Timeout(argv, timeout or 0.0, out, err)
    code = process.returncode
    return Done(tuple(argv), code, out, err, time.monotonic() - begun)


def start(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: int | bytes | None = None,
    stdout: int = DEVNULL,
    stderr: int = DEVNULL,
    pass_fds: Collection[int] = (),
) -> Child:
    """Start a program and return at once.

    `stdin` is a descriptor, or the bytes to be read (from an unnamed file, so that nobody has to
    feed it), or None for none. `stdout` and `stderr` are descriptors or PIPE, DEVNULL, STDOUT.
    `pass_fds` stay open in it under their numbers; nothing else does.

    Raises:
        ProgramMissing, ProgramRefused, FolderMissing: it could not be started.
    """
    if not isinstance(stdin, bytes):
        source = DEVNULL if stdin is None else stdin
        return Child(
            _start(
                argv,
                cwd=cwd,
                env=env,
                stdin=source,
                stdout=stdout,
                stderr=stderr,
                pass_fds=pass_fds,
            )
        )
    import tempfile  # 5 ms that most commands can do without

    with tempfile.TemporaryFile() as file:
        file.write(stdin)
        file.seek(0)
        return Child(
            _start(
                argv,
                cwd=cwd,
                env=env,
                stdin=file.fileno(),
                stdout=stdout,
                stderr=stderr,
                pass_fds=pass_fds,
            )
        )


def spawn_detached(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    pass_fds: Collection[int] = (),
    log: Path,
) -> Child:
    """Start a program that goes on when we end; both its outputs are appended to the file `log`.

    Raises:
        ProgramMissing, ProgramRefused, FolderMissing: it could not be started.
        OSError: `log` cannot be opened.
    """
    fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        return start(argv, cwd=cwd, env=env, stdout=fd, stderr=fd, pass_fds=pass_fds)
    finally:
        os.close(fd)


def foreground(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> int:
    """Let a program have the terminal until it ends (an editor, a pager) and return its exit code.

    Raises:
        ProgramMissing, ProgramRefused, FolderMissing: it could not be started.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the program
    try:
        process = _start(
            argv, cwd=cwd, env=env, stdin=None, stdout=None, stderr=None, session=False
        )
        return Child(process).wait() or 0
    finally:
        signal.signal(signal.SIGINT, before)


def started() -> set[int]:
    """The pids of what this process started and has not waited for yet."""
    with _starting:
        return set(_started)


def bury() -> None:
    """Take the exit codes of ended children that nobody waits for: none stays a zombie."""
    for pid in started():
        collect(pid)


def collect(pid: int) -> int | None:
    """Take the exit code of an ended child of this process; None when it has not ended.

    For `supervise.reap`: a plain ``waitpid`` would take the code away from the `Child` that waits
    for it.
    """
    with _starting:
        process = _started.get(pid)
        if process is not None:
            return _poll(process)
        try:
            ended, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            return None
        return os.waitstatus_to_exitcode(status) if ended else None


def _start(  # noqa: PLR0913 - all but one by name
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: int | None,
    stdout: int | None,
    stderr: int | None,
    pass_fds: Collection[int] = (),
    session: bool = True,
) -> _Process:
    trace.event("process", shlex.join(argv))
    try:
        with _starting:
            process = _Process(
                list(argv),
                cwd=cwd,
                env=dict(env),
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                pass_fds=tuple(pass_fds),
                start_new_session=session,
                bufsize=0,
            )
            _started[process.pid] = process
    except OSError as error:
        raise _refusal(argv, cwd, error) from error
    return process


def _refusal(argv: Sequence[str], cwd: Path, error: OSError) -> UserError:
    if not cwd.is_dir():
        return FolderMissing(
            f"Cannot start `{argv[0]}` in {cwd}: there is no such folder.",
            hint="Make the folder, or name another one.",
        )
    if isinstance(error, FileNotFoundError):
        return ProgramMissing(
            f"Cannot start `{argv[0]}`: there is no such program.",
            hint="Install it or correct its name; a script needs what its first line names, too.",
        )
    if isinstance(error, PermissionError):
        return ProgramRefused(
            f"Cannot start `{argv[0]}`: the system does not allow it to be executed.",
            hint=f"If it is a script, make it executable: chmod +x {shlex.quote(argv[0])}",
        )
    known = refusal(error)
    hint = known.hint if known else "Try the command in a terminal."
    return ProgramRefused(f"Cannot start `{argv[0]}`: {error.strerror}.", hint=hint)


def _follow(process: _Process, capture: Capture, begun: float, timeout: float | None) -> bool:
    """Move data until the program has ended; False when `timeout` was over first."""
    deadline = None if timeout is None else begun + timeout
    ended: float | None = None
    while capture.open:
        if ended is None and _poll(process) is not None:
            ended = time.monotonic()
        if ended is not None and time.monotonic() > ended + _LINGER:
            break
        left = 0.1 if deadline is None or ended is not None else deadline - time.monotonic()
        if left <= 0:
            return False
        capture.step(min(left, 0.1))
    left_over = None if deadline is None else max(0.0, deadline - time.monotonic())
    return Child(process).wait(left_over) is not None


def _poll(process: _Process) -> int | None:
    with _starting:
        code = process.poll()
        if code is not None:
            _started.pop(process.pid, None)
        return code


def _kill(process: _Process) -> None:
    """Kill a process with all of its session and all of its descendants."""
    if _poll(process) is not None:
        return  # its number may be another's by now, that of its session too
    from gitcmat.system import processes

    while True:
        rows = processes.table()
        family = {row.identity for row in processes.descendants(process.pid, rows)}
        family |= {
            row.identity for row in rows.values() if row.session == process.pid and not row.zombie
        }
        # Stopped first: what cannot run cannot start another child between the look and the kill.
        for who in family:
            processes.send(who, signal.SIGSTOP)
        again = {row.identity for row in processes.descendants(process.pid)}
        if again <= family:
            break
    for who in family:
        processes.send(who, signal.SIGKILL)
    if _poll(process) is None:
        os.kill(process.pid, signal.SIGKILL)
    Child(process).wait()
