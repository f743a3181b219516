"""What this machine has to spare: load, memory, disk."""

import os
import sys
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from gitcmat.model.machine import Spare

_MEMINFO: Final = Path("/proc/meminfo")
_AVAILABLE: Final = b"MemAvailable:"


class ThisMachine:
    """The machine that this process runs on."""

    def spare(self, folders: Collection[Path]) -> Spare:
        """Measure, now, in some 50 microseconds; a folder that is not there yet counts as where it
        would be made.
        """
        disks: dict[str, int] = {}
        seen: set[int] = set()
        for folder in folders:
            place = next(p for p in (folder, *folder.parents) if p.exists())
            if (device := place.stat().st_dev) not in seen:
                seen.add(device)
                about = os.statvfs(place)
                disks[str(place)] = about.f_bavail * about.f_frsize
        return Spare(load=_load(), memory=_memory(), disks=disks)


def _load() -> float | None:
    """Per processor of the whole machine, which is what the load is of, also in a container."""
    with suppress(OSError):
        return os.getloadavg()[0] / (os.cpu_count() or 1)
    return None


def _memory() -> int | None:
    if sys.platform != "linux":
        import psutil

        return int(psutil.virtual_memory().available)
    with suppress(OSError, ValueError):
        for line in _MEMINFO.read_bytes().splitlines():
            if line.startswith(_AVAILABLE):
                return int(line.split()[1]) * 1024
    return None
