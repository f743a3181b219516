"""The environment of this very process: exchanged, and not found by whoever looks from outside."""

import contextlib
import ctypes
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_ENV_START: Final = 47
_ENV_END: Final = 48
"""Where ``/proc/self/stat`` says that the environment lies, counted behind the program's name."""


def become(env: Mapping[str, str]) -> None:
    """Make `env` the environment of this process, and of all that it starts from now on.

    What it was started with is gone: on Linux ``/proc/<pid>/environ`` shows it for as long as a
    process lives, to every process of the same user.
    """
    held = dict(env)
    os.environ.clear()
    _wipe()
    os.environ.update(held)


def _wipe() -> None:
    """Overwrite what the kernel shows. Nothing points there any more: the variables are unset."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        about = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace")
        fields = about.rpartition(")")[2].split()
        start, end = int(fields[_ENV_START]), int(fields[_ENV_END])
        if 0 < start < end:
            ctypes.memset(start, 0, end - start)
