"""Crash reports: what is needed to mend a bug, in a file of this machine."""

import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from gitcmat import __version__
from gitcmat.errors import UserError
from gitcmat.store.git import discover
from gitcmat.system import clock, proc
from gitcmat.system.files import write_atomic


def write_report(args: Sequence[str], trace: str) -> Path | None:
    """Write versions, command line and traceback to ``.git/cmat/crash/``; None where there is no
    repository to write to.
    """
    try:
        folder = discover(Path()).cmat / "crash"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        place = folder / f"{clock.now():%Y%m%dT%H%M%S}.txt"
        lines = [
            f"gitcmat {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"argv: {' '.join(map(repr, args))}",
            "",
            trace,
        ]
        write_atomic(place, "\n".join(lines).encode("utf-8", "backslashreplace"), mode=0o600)
    except (OSError, UserError, proc.Timeout):
        sys.stderr.write(trace)
        return None
    return place
