"""What this machine must have to spare before anything new is started, and what one run may use.

Pure: `shortage` is given what was measured. A limit is the person's own setting: a repository must
not decide how far it may go.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from gitcmat.model.task import seconds

_UNITS: Final = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([KMGT]?B)", re.IGNORECASE)


def size(text: str) -> int:
    """Read a number of bytes such as ``500MB`` or ``1.5GB``; units are powers of 1000.

    Raises ValueError for anything else.
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a size (write 500MB or 1.5GB)")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def shown(count: float) -> str:
    """A number of bytes as `size` reads it."""
    unit = next((u for u in ("TB", "GB", "MB", "KB") if count >= _UNITS[u]), "B")
    return f"{count / _UNITS[unit]:.3g}{unit}" if count < 1000 * _UNITS[unit] else f"{count:.0f}B"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What must be free for a new run to start, and what each run may use."""

    load: float = field(
        default=32.0, metadata={"doc": "Load per processor that keeps runs from starting"}
    )
    memory: str = field(
        default="300MB", metadata={"doc": "Memory that must be free for a run to start"}
    )
    disk: str = field(
        default="500MB", metadata={"doc": "Space that must be free on each disk for that"}
    )
    wait: str = field(
        default="5m", metadata={"doc": "How long `run now` waits for these, then it refuses"}
    )
    run_memory: str = field(
        default="8GB", metadata={"doc": "Memory of all processes of a run together; more ends it"}
    )
    run_processes: int = field(
        default=1000, metadata={"doc": "Processes of a run at once; more ends it"}
    )
    logs: str = field(
        default="2GB", metadata={"doc": "Logs that are kept; the oldest runs' go first"}
    )

    def __post_init__(self) -> None:
        if self.load <= 0:
            raise ValueError("load is more than 0")
        if self.run_processes < 1:
            raise ValueError("run_processes is 1 or more")
        if not size(self.run_memory):
            raise ValueError("run_memory is more than 0")
        for text in (self.memory, self.disk, self.logs):
            size(text)
        seconds(self.wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spare:
    """What a machine has to spare at a moment; None where it does not tell."""

    load: float | None
    """The load average of the last minute, for each processor."""
    memory: int | None
    """Bytes that programs can get without swapping."""
    disks: Mapping[str, int]
    """Folder → bytes that are free for us where it lies."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """Why nothing new is started."""

    limit: str
    """The setting that says so, such as ``limits.load``."""
    text: str
    """Half a sentence with both numbers."""
    until: datetime | None = None
    """When it ends, where that is known."""


def shortage(limits: Limits, spare: Spare) -> Shortage | None:
    """The first limit that keeps a run from starting, None when there is room for one."""
    if spare.load is not None and spare.load > limits.load:
        text = f"the load is {spare.load:.1f} per processor, more than {limits.load:g}"
        return _short("limits.load", text)
    wanted = size(limits.memory)
    if spare.memory is not None and spare.memory < wanted:
        text = f"{shown(spare.memory)} of memory are free, less than {shown(wanted)}"
        return _short("limits.memory", text)
    wanted = size(limits.disk)
    for folder, free in spare.disks.items():
        if free < wanted:
            text = f"{shown(free)} are free on the disk of {folder}, less than {shown(wanted)}"
            return _short("limits.disk", text)
    return None


def _short(limit: str, text: str) -> Shortage:
    return Shortage(limit, f"{text} ({limit})")
