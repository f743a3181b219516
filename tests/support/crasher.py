"""Reconciles once in a process of its own and dies at a chosen place, without any clean-up.

``python -m tests.support.crasher REPO PLACE``; places are the keys of `PLACES`.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from gitcmat.app import open_app
from gitcmat.engine import branches, claims, results, views
from gitcmat.store.objects import ObjectWriter
from gitcmat.store.state import StateStore

DIED: Final = 9

_ROOT: Final = Path(__file__).parents[2]


def _before(owner: Any, name: str) -> None:
    setattr(owner, name, lambda *_args, **_named: os._exit(DIED))


def _after(owner: Any, name: str) -> None:
    whole: Callable[..., Any] = getattr(owner, name)

    def then_die(*args: Any, **named: Any) -> None:
        whole(*args, **named)
        os._exit(DIED)

    setattr(owner, name, then_die)


PLACES: Final[dict[str, Callable[[], None]]] = {
    "before results are taken in": lambda: _before(results, "take_in"),
    "after a claim, before the commit": lambda: _before(StateStore, "_commit"),
    "before the state moves": lambda: _before(ObjectWriter, "publish"),
    "after the commit, before a runner starts": lambda: _before(claims, "start"),
    "after a runner started": lambda: _after(claims, "start"),
    "after a branch moved, before the commit": lambda: _after(branches, "publish"),
    "before the view is written": lambda: _before(views, "write"),
}


def crash(path: Path, place: str) -> int:
    """Run the program; return its exit code, `DIED` when it came to that place."""
    argv = [sys.executable, "-m", "tests.support.crasher", str(path), place]
    done = subprocess.run(argv, env={**os.environ, "PYTHONPATH": str(_ROOT)}, check=False)
    return done.returncode


if __name__ == "__main__":
    PLACES[sys.argv[2]]()
    open_app(Path(sys.argv[1])).reconciler(start=True)
