"""What the numbers were measured on, without saying whose machine it is."""

import os
import platform
import re
from pathlib import Path

import psutil

from gitcmat.system import proc


def describe(folder: Path) -> dict[str, str]:
    """Name the processor, the system, the programs, and the file system that `folder` is on."""
    system = platform.uname()
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{system.system} {system.release.partition('-')[0]}, {system.machine}",
        "file system": _file_system(folder),
        "git": _git_version(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        found = re.search(r"model name\s*:\s*(.+)", info.read_text(encoding="utf-8"))
        if found:
            return found[1].strip()
    return platform.processor() or platform.machine()


def _file_system(folder: Path) -> str:
    mounts = [p for p in psutil.disk_partitions(all=True) if folder.is_relative_to(p.mountpoint)]
    return max(mounts, key=lambda p: len(p.mountpoint)).fstype if mounts else "unknown"


def _git_version() -> str:
    return proc.run(["git", "--version"], cwd=Path.cwd(), env=os.environ).text.split()[2]
