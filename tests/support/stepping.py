"""Runs a function in a child process, call by call of the system, and kills it before a chosen one.

strace cannot name one call of one of several processes that a program starts one after the other,
nor count what a child does before it becomes git; this can. Linux alone has what it needs.
"""

import ctypes
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_TRACEME: Final = 0
_CONT: Final = 7
_SYSCALL: Final = 24
_SETOPTIONS: Final = 0x4200
_GETEVENTMSG: Final = 0x4201
_GET_SYSCALL_INFO: Final = 0x420E

_OPTIONS: Final = 0x10001F
"""Mark stops at calls; follow fork, vfork, clone and exec; nobody outlives the one who traces."""
_FORK, _VFORK, _CLONE = 1, 2, 3
_AT_A_CALL: Final = signal.SIGTRAP | 0x80
_ENTRY: Final = 1
_INFO_SIZE: Final = 88
_NUMBER: Final = slice(24, 32)
_ANY_CHILD: Final = 0x40000000
_BROKEN: Final = 70
_MOMENT: Final = 0.0001

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


class Call(NamedTuple):
    """One system call: the `nth` with that number in the tables of the system, in one process.

    Processes are counted from 0, the function itself, in the order in which they begin.
    """

    process: int
    number: int
    nth: int


class Blow(NamedTuple):
    """SIGKILL before a call: for the process that makes it, or for all that live then."""

    at: Call
    everybody: bool


@dataclass(slots=True)
class Story:
    """What was seen: all of its calls if nobody was to be killed."""

    code: int = 0
    """How the function's own process ended: its exit code, or minus the signal."""
    struck: bool = False
    calls: list[Call] = field(default_factory=list)
    accompanied: list[bool] = field(default_factory=list)
    """For each call, whether more than one process lived."""


@dataclass(slots=True)
class _Tracee:
    pid: int
    number: int
    stopped: bool = False
    attached: bool = False
    waits_for_child: bool = False
    """Until what it began by vfork becomes another program."""
    signal: int = 0
    """To be passed on to it."""


def run(prepare: Callable[[], Callable[[], int]], blow: Blow | None = None) -> Story:
    """Run what `prepare` returns in a child, which ends with the code that it returns; nothing
    counts that is done in `prepare`. All that was started has ended, too, when this returns.
    """
    return _Stepping(blow).run(prepare)


class _Stepping:
    def __init__(self, blow: Blow | None) -> None:
        self._blow = blow
        self._story = Story()
        self._tracees: dict[int, _Tracee] = {}
        self._begun = 0
        self._seen: Counter[tuple[int, int]] = Counter()
        self._info = ctypes.create_string_buffer(_INFO_SIZE)

    def run(self, prepare: Callable[[], Callable[[], int]]) -> Story:
        pid = os.fork()
        if pid == 0:
            try:
                function = prepare()
                _ptrace(_TRACEME, 0)
                os.kill(os.getpid(), signal.SIGSTOP)
                os._exit(function())
            finally:
                os._exit(_BROKEN)  # a fork does not go on where it came from
        os.waitpid(pid, _ANY_CHILD)
        _ptrace(_SETOPTIONS, pid, 0, _OPTIONS)
        self._begins(pid)
        self._tracees[pid].stopped = self._tracees[pid].attached = True
        while self._tracees:
            if self._one_at_a_time:
                self._settle()
            ready = [tracee for tracee in self._tracees.values() if tracee.stopped]
            if ready:
                self._go_on(max(ready, key=lambda tracee: tracee.number))
            elif self._tracees:
                self._take(*os.waitpid(-1, _ANY_CHILD))
        return self._story

    @property
    def _one_at_a_time(self) -> bool:
        """Whether a parent waits for its children, so that it asks for them equally often in each
        run; a git that works alone does the same in each.
        """
        return not self._story.struck and (self._blow is None or self._blow.at.process == 0)

    def _settle(self) -> None:
        """Wait until everybody has stopped, sleeps or has ended."""
        while running := [one for one in self._tracees.values() if not one.stopped]:
            if len(self._tracees) == 1:
                self._take(*os.waitpid(-1, _ANY_CHILD))
                continue
            asleep = all(one.waits_for_child or _sleeps(one.pid) for one in running)
            pid, status = os.waitpid(-1, _ANY_CHILD | os.WNOHANG)
            if pid:
                self._take(pid, status)
            elif asleep:
                return
            else:
                time.sleep(_MOMENT)

    def _go_on(self, tracee: _Tracee) -> None:
        tracee.stopped = False
        stepwise = not self._story.struck and (
            self._blow is None or tracee.number == self._blow.at.process
        )
        with suppress(ProcessLookupError):  # killed meanwhile: that is told by its end
            _ptrace(_SYSCALL if stepwise else _CONT, tracee.pid, 0, tracee.signal)
        tracee.signal = 0

    def _take(self, pid: int, status: int) -> None:
        """Note what a process stopped for, or that it has ended."""
        if not os.WIFSTOPPED(status):
            ended = self._tracees.pop(pid)
            if ended.number == 0:
                self._story.code = os.waitstatus_to_exitcode(status)
            return
        self._begins(pid)
        tracee = self._tracees[pid]
        tracee.stopped, tracee.waits_for_child = True, False
        reason, event = os.WSTOPSIG(status), status >> 16
        if event in (_FORK, _VFORK, _CLONE):
            tracee.waits_for_child = event == _VFORK
            child = ctypes.c_ulong()
            with suppress(ProcessLookupError):  # the child tells of itself, too
                _ptrace(_GETEVENTMSG, pid, 0, ctypes.addressof(child))
                self._begins(child.value)
        elif reason == _AT_A_CALL:
            self._at_a_call(tracee)
        elif not event and (tracee.attached or reason != signal.SIGSTOP):
            tracee.signal = reason
        tracee.attached = True

    def _begins(self, pid: int) -> None:
        if pid not in self._tracees:
            self._tracees[pid] = _Tracee(pid, self._begun)
            self._begun += 1

    def _at_a_call(self, tracee: _Tracee) -> None:
        info = ctypes.addressof(self._info)
        with suppress(ProcessLookupError):
            _ptrace(_GET_SYSCALL_INFO, tracee.pid, _INFO_SIZE, info)
            if self._info.raw[0] == _ENTRY:
                self._enters(tracee, int.from_bytes(self._info.raw[_NUMBER], "little"))

    def _enters(self, tracee: _Tracee, number: int) -> None:
        self._seen[tracee.number, number] += 1
        call = Call(tracee.number, number, self._seen[tracee.number, number])
        if self._blow is None:
            self._story.calls.append(call)
            self._story.accompanied.append(len(self._tracees) > 1)
        elif call == self._blow.at and not self._story.struck:
            self._story.struck = True
            for each in self._tracees if self._blow.everybody else (tracee.pid,):
                os.kill(each, signal.SIGKILL)


def _sleeps(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - asked very often
            return file.read().rpartition(b") ")[2].startswith(b"S")
    except OSError:
        return False


def _ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> None:
    if _libc.ptrace(request, pid, address, data) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
