"""bubblewrap: whether it works on this machine, and how a command is started in it.

The sandbox sees the machine's files as an `Outlook` says, has a ``/dev`` and a ``/proc`` of its
own, no capabilities, and processes that all end when its first one does, or ours.
"""

import functools
import os
import stat
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitcmat.model.outlook import Access, Outlook
from gitcmat.system import environment, proc
from gitcmat.system.files import remove_tree

_SECONDS: Final = 20.0
# What a root without capabilities can still write, as the kernel asks these for the user alone:
# core_pattern starts a program outside of any sandbox, sysrq-trigger stops the machine.
_KERNEL: Final = tuple(
    f"/proc/{name}" for name in ("sys", "sysrq-trigger", "fs", "acpi", "scsi", "mtrr")
)
_NAMESPACES: Final = ("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """A bwrap that was tried: the program, and what it needs to be told on this machine."""

    program: Path
    rights: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is none, for people, to go on behind a colon; and what helps."""

    why: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What a command meets in a sandbox."""

    outlook: Outlook
    own: Path
    """An empty folder outside, for what is its own; whoever made it removes it."""
    cwd: Path
    network: bool
    """Whether it has that of the machine; without, only a loopback of its own."""
    also: tuple[tuple[Path, str], ...] = ()
    """Further files of ours and where they lie in it, to be read."""


def find(forbidden: Collection[Path] = ()) -> Bubblewrap | Refused:
    """Return the bwrap of this machine, tried once in this process; none inside of `forbidden`."""
    if sys.platform != "linux":
        return Refused("bubblewrap is for Linux only")
    program = environment.find_program("bwrap", os.environ, tuple(forbidden))
    if program is None:
        return Refused("bubblewrap is not installed", "apt install bubblewrap")
    return _tried(program)


def why_not(forbidden: Collection[Path] = ()) -> str:
    """Why there is no sandbox on this machine; empty when there is one."""
    found = find(forbidden)
    return found.why if isinstance(found, Refused) else ""


@functools.cache
def _tried(program: Path) -> Bubblewrap | Refused:
    """Run it once, with all that we are going to ask of it."""
    # Only root can do without a user namespace, and some containers let root do with one only.
    tries = [(), ("--unshare-user",)] if os.geteuid() == 0 else [("--unshare-user",)]
    said = ""
    for rights in tries:
        found = Bubblewrap(program, rights)
        trial = (*_frame(found, network=False), "--tmpfs", "/tmp", "--remount-ro", "/tmp")  # noqa: S108 - a mount
        try:
            done = proc.run(
                [*trial, *_locks(), "--", "true"],
                cwd=Path("/"),
                env={"PATH": os.environ.get("PATH", os.defpath)},
                timeout=_SECONDS,
            )
        except proc.Timeout:
            said = "it did not end"
            continue
        if done.ok:
            return found
        said = done.err.decode("utf-8", "replace").strip().removeprefix("bwrap: ")
    return _explained(said)


def _explained(said: str) -> Refused:
    if "namespace" in said or "uid map" in said or "loopback" in said:
        return Refused(
            f"this machine lets bubblewrap make no namespaces ({_first_line(said)})",
            "in a container: start it with --security-opt seccomp=unconfined; on Ubuntu 23.10 or "
            "newer: an AppArmor profile for bwrap that allows userns",
        )
    if "Unknown option" in said:
        return Refused(f"bubblewrap is too old ({_first_line(said)})", "upgrade bubblewrap")
    return Refused(f"bubblewrap does not work here ({_first_line(said)})")


def _first_line(said: str) -> str:
    return said.splitlines()[0] if said else "it says nothing"


def argv(
    found: Bubblewrap, inside: Inside, command: Sequence[str], *, status_fd: int | None = None
) -> list[str]:
    """Return what starts `command` in a sandbox, and make what it needs in `inside.own`.

    `status_fd`, to be handed to it, gets a JSON object with ``exit-code`` only if the command could
    be started. The exit code is the command's own, 128 and the signal for one that was killed.

    Raises:
        OSError: what it needs cannot be made.
    """
    named = [] if status_fd is None else ["--json-status-fd", str(status_fd)]
    mounts = list(_mounts(inside))
    # Only when everything has found its place in them: an agent would keep files in memory there.
    closed = [
        word for kind, *path in mounts if kind == "--tmpfs" for word in ("--remount-ro", *path)
    ]
    # What it lies in may have been shown since: then it is there.
    links = {p: to for p, to in inside.outlook.links.items() if inside.outlook.is_gone(p)}
    return [
        *_frame(found, network=inside.network),
        *named,
        *(word for mount in mounts for word in mount),
        *_locks(),
        *(word for path, to in links.items() for word in ("--symlink", to, path)),
        *(word for path, place in inside.also for word in ("--ro-bind", str(path), place)),
        *closed,
        *("--chdir", str(inside.cwd), "--", *command),
    ]


def _frame(found: Bubblewrap, *, network: bool) -> list[str]:
    # No --new-session: what we start has a session of its own and no terminal. When our process
    # dies bwrap does, and with the first process of a PID namespace the kernel ends all others.
    return [
        *(str(found.program), *found.rights, *_NAMESPACES),
        *(() if network else ("--unshare-net",)),
        *("--die-with-parent", "--cap-drop", "ALL"),
        *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
    ]


def _locks() -> list[str]:
    there = [path for path in _KERNEL if Path(path).exists()]
    return [word for path in there for word in ("--ro-bind", path, path)]


def _mounts(inside: Inside) -> Iterator[tuple[str, ...]]:
    nothing = inside.own / "nothing"
    nothing.touch(mode=0o444)
    for number, (path, access) in enumerate(inside.outlook.steps()):
        try:
            is_folder = stat.S_ISDIR(Path(path).stat().st_mode)
        except OSError:
            if access in (Access.HIDDEN, Access.OWN):
                continue  # what is not there, or not to be seen, is hidden well
            raise
        match access:
            case Access.READ:
                yield "--ro-bind", path, path
            case Access.WRITE:
                yield "--bind", path, path
            case Access.HIDDEN if is_folder:
                yield "--tmpfs", path
            case Access.OWN if is_folder:
                own = inside.own / f"{number}"
                own.mkdir(mode=0o700)
                yield "--bind", str(own), path
            case Access.HIDDEN | Access.OWN:
                yield "--ro-bind", str(nothing), path


def renew(own: Path) -> None:
    """Make `own` an empty folder for the one who owns it, whatever was there."""
    remove_tree(own)
    own.mkdir(mode=0o700, parents=True)
