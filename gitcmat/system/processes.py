"""What runs on this machine: who is whose child, and signals that cannot hit a stranger.

A process is named by its pid *and* its start time (`Identity`); pids are used again within seconds
on a busy machine. Linux is read from ``/proc``; elsewhere psutil is imported when it is needed.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_LINUX = sys.platform == "linux"
_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Fields of /proc/<pid>/stat, counted from the state, which follows the command's closing bracket.
_STATE, _PARENT, _GROUP, _SESSION, _TERMINAL, _STARTED = 0, 1, 2, 3, 4, 19


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """One process for as long as the machine is up: its pid and when it started.

    `started` is in clock ticks since boot on Linux and in milliseconds since 1970 elsewhere: good
    to compare with another one of this machine since its last start, and for nothing else.
    """

    pid: int
    started: int


@dataclass(frozen=True, slots=True)
class Process:
    """A row of the process table. `terminal` is true when it has a controlling terminal."""

    identity: Identity
    parent: int
    group: int
    session: int
    zombie: bool
    terminal: bool

    @property
    def pid(self) -> int:
        """The pid alone, to look others up by."""
        return self.identity.pid


def boot_id() -> str:
    """The name of this run of the machine: pids and start times mean nothing across."""
    if _LINUX:
        with contextlib.suppress(OSError):
            return (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    import psutil

    return str(int(psutil.boot_time()))


def identity(pid: int) -> Identity | None:
    """Who has this pid now, or None when nobody has (a zombie counts: its pid is still taken)."""
    row = _row(pid)
    return row.identity if row else None


def table() -> dict[int, Process]:
    """Every process of this machine by pid, as far as we may see them; zombies included."""
    return {row.pid: row for row in each()}


def each() -> Iterator[Process]:
    """Every process, read while you iterate, the newest first.

    One that forks and exits all the time to get away lives for a millisecond: look at it at once.
    """
    for pid in sorted(_linux_pids() if _LINUX else _other_pids(), reverse=True):
        row = _row(pid)
        if row:
            yield row


def descendants(root: int, rows: Mapping[int, Process] | None = None) -> list[Process]:
    """Children of `root`, their children and so on, parents first; no zombies."""
    return closure([root], table() if rows is None else rows)


def closure(roots: Iterable[int], rows: Mapping[int, Process]) -> list[Process]:
    """Living processes of `rows` below any of `roots`, without these, parents first."""
    children: dict[int, list[Process]] = {}
    for row in rows.values():
        children.setdefault(row.parent, []).append(row)
    seen = set(roots)
    queue = list(seen)
    found: list[Process] = []
    for pid in queue:
        for child in children.get(pid, ()):
            if child.pid not in seen:
                seen.add(child.pid)
                queue.append(child.pid)
                if not child.zombie:
                    found.append(child)
    return found


def children(pid: int) -> list[Identity]:
    """The direct children of `pid`, zombies included; on Linux much faster than `table`."""
    try:
        with os.scandir(_PROC / str(pid) / "task") as threads:
            texts = [Path(thread.path, "children").read_text("ascii") for thread in threads]
    except OSError:  # no Linux, or a kernel without this file
        return [row.identity for row in each() if row.parent == pid]
    found = (identity(int(child)) for text in texts for child in text.split())
    return [who for who in found if who]


def ancestors(pid: int, rows: Mapping[int, Process]) -> list[int]:
    """The pids above `pid`, its parent first, up to the first one that is not in `rows`."""
    found: list[int] = []
    while (row := rows.get(pid)) is not None and row.parent > 0 and row.parent not in found:
        found.append(row.parent)
        pid = row.parent
    return found


def environment(pid: int) -> dict[str, str]:
    """The environment `pid` was started with; empty when it is gone or not ours to read."""
    if not _LINUX:
        import psutil

        try:
            return dict(psutil.Process(pid).environ())
        except (psutil.Error, OSError):
            return {}
    try:
        text = os.fsdecode((_PROC / str(pid) / "environ").read_bytes())
    except OSError:
        return {}
    return dict(part.split("=", 1) for part in text.split("\0") if "=" in part)


def memory(who: Iterable[Identity]) -> int:
    """How many bytes of memory these processes hold together, without what they share with others:
    a library counts for none of them.
    """
    total = 0
    for pid in (one.pid for one in who):
        if not _LINUX:
            import psutil

            with contextlib.suppress(psutil.Error, OSError):
                total += psutil.Process(pid).memory_info().rss
            continue
        with contextlib.suppress(OSError, ValueError):
            _, resident, shared = (_PROC / str(pid) / "statm").read_bytes().split()[:3]
            total += (int(resident) - int(shared)) * _PAGE
    return total


def folder(pid: int) -> Path | None:
    """The working folder of `pid`; None when it is gone or not ours to read."""
    if not _LINUX:
        import psutil

        try:
            return Path(psutil.Process(pid).cwd())
        except (psutil.Error, OSError):
            return None
    try:
        # The kernel adds this mark when the folder has been removed under the process.
        return Path(str((_PROC / str(pid) / "cwd").readlink()).removesuffix(" (deleted)"))
    except OSError:
        return None


def send(who: Identity, number: int) -> bool:
    """Send a signal to exactly this process; False when it is gone or not ours to signal.

    With pidfds (Linux) the process is held before its start time is compared, so that the pid
    cannot change hands in between; elsewhere a gap of microseconds is left.
    """
    opened = getattr(os, "pidfd_open", None)
    deliver = getattr(signal, "pidfd_send_signal", None)
    if opened is None or deliver is None:
        return identity(who.pid) == who and _kill(who.pid, number)
    try:
        held = opened(who.pid)
    except ProcessLookupError:
        return False
    except OSError:  # an old kernel, or a filter that does not know the call
        return identity(who.pid) == who and _kill(who.pid, number)
    try:
        if identity(who.pid) != who:
            return False
        deliver(held, number)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(held)


def _kill(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True


def _row(pid: int) -> Process | None:
    if not _LINUX:
        return _other_row(pid)
    try:
        # A plain name and no buffer: a look at all processes is a hundred of these.
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123
            text = file.read()
    except OSError:
        return None
    # The command may hold spaces and brackets: what follows the last bracket is regular.
    fields = text[text.rfind(b")") + 2 :].split()
    return Process(
        identity=Identity(pid, int(fields[_STARTED])),
        parent=int(fields[_PARENT]),
        group=int(fields[_GROUP]),
        session=int(fields[_SESSION]),
        zombie=fields[_STATE] in (b"Z", b"X"),
        terminal=fields[_TERMINAL] != b"0",
    )


def _linux_pids() -> list[int]:
    with os.scandir(_PROC) as entries:
        return [int(entry.name) for entry in entries if entry.name.isdigit()]


def _other_pids() -> list[int]:
    import psutil

    return list(psutil.pids())


def _other_row(pid: int) -> Process | None:
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            return Process(
                identity=Identity(pid, int(process.create_time() * 1000)),
                parent=process.ppid(),
                group=os.getpgid(pid),
                session=os.getsid(pid),
                zombie=process.status() == psutil.STATUS_ZOMBIE,
                terminal=process.terminal() is not None,
            )
    except (psutil.Error, OSError):
        return None
