"""What files take on the disk, and who has them open."""

import os
import sys
from contextlib import suppress
from pathlib import Path

_BLOCK = 512


def size(path: Path) -> int:
    """The bytes that a folder and all below it take on the disk; what vanishes counts nothing."""
    total = 0
    for parent, _, names in os.walk(path):
        for name in (*names, "."):
            with suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_blocks * _BLOCK  # noqa: PTH118 - names that are no text
    return total


def is_open(path: Path) -> bool:
    """Whether a process that we may look at has the file open."""
    try:
        about = path.stat()
    except OSError:
        return False
    if not sys.platform.startswith("linux"):
        return _is_open_elsewhere(path)
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                for one in (process / "fd").iterdir():
                    with suppress(OSError):
                        if os.path.samestat(one.stat(), about):
                            return True
    return False


def _is_open_elsewhere(path: Path) -> bool:
    import psutil

    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if any(Path(one.path) == path for one in process.open_files()):
                return True
    return False
