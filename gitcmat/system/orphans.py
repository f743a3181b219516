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
from dataclasses import dataclass
from pathlib import Path

from gitcmat.system import files, proc, processes, supervise
from gitcmat.system.processes import Identity, Process

VARIABLE = "CMAT_RUN"
_PAUSE = 0.01
_KILL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: how many processes it ended, and how many would not end."""

    ended: int
    left: int


def record_descendants(path: Path) -> None:
    """Write down what runs below this process, for a sweep after our own violent end.

    Call it when the agent has started and every second or so: a process that loses its mark in
    between is found only below one that is known.
    """
    rows = [[who.pid, who.started] for who in supervise.descendants()]
    text = json.dumps({"boot": processes.boot_id(), "processes": rows})
    files.write_atomic(path, text.encode(), mode=0o600)


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
    run_id: str, roots: Sequence[Path], *, record: Path | None = None
) -> list[Identity]:
    """Living processes of the run `run_id` whose workspace is one of `roots`.

    This process and those above it are never among them. Only for a run whose runner is dead.
    """
    rows = processes.table()
    spared = {os.getpid(), *processes.ancestors(os.getpid(), rows)}
    known = recorded(record) if record else set()
    folders = [folder.resolve() for folder in roots]
    marked = [
        row
        for row in rows.values()
        if not row.zombie
        and row.pid not in spared
        and (
            row.identity in known
            or processes.environment(row.pid).get(VARIABLE) == run_id
            or (_is_inside(row.pid, folders) and _is_orphan(row, rows, spared, folders))
        )
    ]
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
    while left := find_marked(run_id, roots, record=record):
        if time.monotonic() > begun + grace + _KILL_SECONDS:
            break
        fresh = [who for who in left if who not in seen]
        seen.update(left)
        if time.monotonic() >= begun + grace:
            supervise.stop_and_kill(left)
        else:
            for who in fresh:
                processes.send(who, signal.SIGTERM)
                processes.send(who, signal.SIGCONT)
        time.sleep(_PAUSE)
    return Swept(ended=len(seen) - len(left), left=len(left))


def _is_inside(pid: int, folders: Sequence[Path]) -> bool:
    place = processes.folder(pid)
    return place is not None and any(place.is_relative_to(folder) for folder in folders)


def _is_orphan(
    row: Process, rows: Mapping[int, Process], spared: Collection[int], folders: Sequence[Path]
) -> bool:
    """Whether only an adopter (init, a subreaper above us) is above it and its kind."""
    while True:
        if row.terminal:
            return False
        parent = rows.get(row.parent)
        if parent is None or parent.pid == 1:
            return True
        if row.pid in proc.started():
            return False  # we started it for something else
        if parent.pid in spared:
            # An adopter, or the shell that we were started from: that one's children share its
            # session.
            return row.session != parent.session
        if not _is_inside(parent.pid, folders):
            return False
        row = parent
