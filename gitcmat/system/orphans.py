"""Processes of a run whose runner was itself killed: found by three marks, and ended.

A mark is one of these, never a command line, which a stranger may share:

- the runner wrote it down (pid with start time, valid until the machine starts anew),
- ``CMAT_RUN=<id>`` is in the environment it was started with,
- its working folder is inside the run's workspace, and it is an orphan: a person's shell or editor
in that
  folder has a living parent or a terminal.

What descends from a marked process belongs to it.
"""

import json
import os
import signal
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gitcmat.system import files, proc, processes, supervise
from gitcmat.system.processes import Identity, Process

VARIABLE = "CMAT_RUN"
_PAUSE = 0.01
_KILL_SECONDS = 10.0
# One look can miss a process that forks and exits all the time.
_QUIET_LOOKS = 3


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: how many processes it ended, and how many would not end."""

    ended: int
    left: int


def record_descendants(path: Path) -> list[Identity]:
    """Write down what runs below this process, for a sweep after our own violent end; return it.

    Call it when the agent has started and every second or so: a process that loses its mark in
    between is found only below one that is known.
    """
    found = supervise.descendants()
    rows = [[who.pid, who.started] for who in found]
    text = json.dumps({"boot": processes.boot_id(), "processes": rows})
    with suppress(FileNotFoundError):  # the repository was moved: nobody looks here any more
        files.write_atomic(path, text.encode(), mode=0o600, parents=False)
    return found


def recorded(path: Path) -> set[Identity]:
    """Who was written down at `path`; nobody if it is missing, broken or of an earlier boot."""
    try:
        data = json.loads(path.read_bytes())
        if data["boot"] != processes.boot_id():
            return set()
        return {Identity(int(pid), int(started)) for pid, started in data["processes"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def find_marked(
    run_id: str, roots: Sequence[Path], *, record: Path | None = None, stop: bool = False
) -> list[Identity]:
    """Living processes of the run `run_id` whose workspace is one of `roots`.

    This process and those above it are never among them. Only for a run whose runner is dead. With
    `stop`, those that are certain at first sight are stopped (SIGSTOP) there and then.
    """
    known = recorded(record) if record else set()
    folders = [folder.resolve() for folder in roots]
    spared = {os.getpid(), *processes.ancestors(os.getpid(), processes.table())}
    rows: dict[int, Process] = {}
    marked: list[Process] = []
    inside: dict[int, Process] = {}
    for row in processes.each():
        rows[row.pid] = row
        if row.zombie or row.pid in spared:
            continue
        if row.identity in known or processes.environment(row.pid).get(VARIABLE) == run_id:
            if stop:
                processes.send(row.identity, signal.SIGSTOP)
            marked.append(row)
        elif _is_inside(row.pid, folders):
            inside[row.pid] = row
    marked += [row for row in inside.values() if _is_orphan(row, rows, spared, inside)]
    below = processes.closure([row.pid for row in marked], rows)
    found = {row.identity: None for row in (*marked, *below) if row.pid not in spared}
    return list(found)


def sweep_marked(
    run_id: str, roots: Sequence[Path], *, record: Path | None = None, grace: float = 0.0
) -> Swept:
    """End what `find_marked` finds, until it finds nothing, and count.

    They are asked first (SIGTERM) and given `grace` seconds, if any.
    """
    begun = time.monotonic()
    seen: set[Identity] = set()
    left: list[Identity] = []
    quiet = 0
    while quiet < _QUIET_LOOKS and time.monotonic() < begun + grace + _KILL_SECONDS:
        asking = time.monotonic() < begun + grace
        left = find_marked(run_id, roots, record=record, stop=not asking)
        quiet = 0 if left else quiet + 1
        if asking:
            for who in set(left) - seen:
                processes.send(who, signal.SIGTERM)
                processes.send(who, signal.SIGCONT)
        else:
            supervise.stop_and_kill(left)
        seen.update(left)
        if left:
            time.sleep(_PAUSE)
    return Swept(ended=len(seen) - len(left), left=len(left))


def _is_inside(pid: int, folders: Sequence[Path]) -> bool:
    place = processes.folder(pid)
    return place is not None and any(place.is_relative_to(folder) for folder in folders)


def _is_orphan(
    row: Process,
    rows: Mapping[int, Process],
    spared: Collection[int],
    inside: Mapping[int, Process],
) -> bool:
    """Whether only an adopter (init, a subreaper above us) is above it and its kind."""
    while True:
        if row.terminal or row.pid in proc.started():
            return False
        parent = rows.get(row.parent)
        if parent is None or parent.pid == 1:
            return True
        if parent.pid in spared:
            # An adopter, or the shell that we were started from: its children share its session.
            return row.session != parent.session
        if parent.pid not in inside:
            return False
        row = parent
