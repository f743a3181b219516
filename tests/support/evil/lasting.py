"""Attacks on processes: those of others, and their own that shall outlive the run."""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

from tests.support.evil.registry import Target, attack, loot

_ATTACH = 16


@attack("reach", "T18")
def kill_stranger(t: Target, name: str) -> None:
    """Kills a process of the person"""
    del name
    os.kill(t.victim, signal.SIGKILL)


@attack("reach", "T16")
def trace_stranger(t: Target, name: str) -> None:
    """Attaches to a process of the person as a debugger"""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(_ATTACH, t.stranger, 0, 0) == 0:
        os.waitpid(t.stranger, 0x40000000)
        status = Path(f"/proc/{t.stranger}/status").read_text("utf-8")
        loot(t, name, next(row for row in status.splitlines() if row.startswith("TracerPid")))


def _sleeper(t: Target, name: str) -> list[str]:
    code = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(600)"
    return [sys.executable, "-I", "-S", "-c", code, t.token(name)]


@attack("reach", "T18")
def outlive_in_a_session(t: Target, name: str) -> None:
    """Leaves a process in a session of its own (`setsid`, `nohup`)"""
    subprocess.Popen(_sleeper(t, name), start_new_session=True)


@attack("reach", "T18")
def outlive_by_double_fork(t: Target, name: str) -> None:
    """Leaves a daemon by a double fork"""
    if not os.fork():
        os.setsid()
        if not os.fork():
            os.execv(sys.executable, _sleeper(t, name))  # noqa: S606 - that is the point
        os._exit(0)
    os.wait()


@attack("reach", "T18")
def outlive_without_a_trace(t: Target, name: str) -> None:
    """Leaves a process without environment, in another folder, in a session of its own"""
    subprocess.Popen(_sleeper(t, name), start_new_session=True, env={}, cwd="/")


@attack("reach", "T18")
def outlive_stopped(t: Target, name: str) -> None:
    """Leaves a stopped process, which hears no signal but one"""
    child = subprocess.Popen(_sleeper(t, name), start_new_session=True)
    time.sleep(0.05)
    child.send_signal(signal.SIGSTOP)


@attack("disguise", "T23")
def type_into_terminal(t: Target, name: str) -> None:
    """Types a command into the terminal that gitcmat was started from (`TIOCSTI`)"""
    with Path("/dev/tty").open("wb", 0) as terminal:
        for byte in t.token(name).encode():
            fcntl.ioctl(terminal, termios.TIOCSTI, bytes([byte]))


@attack("reach", "T23")
def write_to_terminal(t: Target, name: str) -> None:
    """Writes to another terminal of the person"""
    fd = os.open(t.terminal, os.O_WRONLY | os.O_NOCTTY)
    os.write(fd, t.token(name).encode())


@attack("kill", "T18")
def kill_runner(t: Target, name: str) -> None:
    """Kills the process that watches it, and what it left goes on"""
    subprocess.Popen(_sleeper(t, name), start_new_session=True, env={}, cwd="/")
    if "CMAT_SANDBOX" in os.environ:
        os.kill(1, signal.SIGKILL)
        return
    pid = os.getppid()
    while pid > 1:
        if os.environ["CMAT_RUN"] in Path(f"/proc/{pid}/cmdline").read_text("utf-8"):
            os.kill(pid, signal.SIGKILL)
            return
        pid = int(Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[1])


@attack("daemon", "T18")
def kill_daemon(t: Target, name: str) -> None:
    """Kills the daemon"""
    del t, name
    pid = os.getppid()
    while pid > 1:
        if Path(f"/proc/{pid}/cmdline").read_bytes().endswith(b"\0watch\0"):
            os.kill(pid, signal.SIGKILL)
            return
        pid = int(Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[1])
