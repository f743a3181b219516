"""Changes the state of a node in a process of its own.

``python -m tests.support.changer REPO NAME COUNT`` takes in COUNT entries, one change each.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.support.store import entry, open_store, put

_ROOT: Final = Path(__file__).parents[2]


def start(path: Path, name: str, count: int) -> subprocess.Popen[bytes]:
    """Start the program."""
    argv = [sys.executable, "-m", "tests.support.changer", str(path), name, str(count)]
    return subprocess.Popen(argv, env={**os.environ, "PYTHONPATH": str(_ROOT)})


def _main(path: str, name: str, count: str) -> None:
    store = open_store(Path(path))
    for number in range(int(count)):
        put(store, entry(f"{name}-{number}"), note=f"{name}-{number}: new")


if __name__ == "__main__":
    _main(*sys.argv[1:])
