"""One transition of the state, from a queue to cancelled, again and again, and killed on the way.

``python -m tests.support.transition REPO TASK`` has all imported; each transition is done by a fork
of it, whose calls count from when the store is open. It reads a line for each: a `Blow`, or null.
"""

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gitcmat.engine import queue
from gitcmat.engine.deps import Deps
from gitcmat.errors import UserError
from gitcmat.store.git import Git, discover
from tests.support import stepping
from tests.support.stepping import Blow, Call, Story
from tests.support.store import NOW, Clock

_ROOT: Final = Path(__file__).parents[2]
_REFUSED: Final = 1
_BROKEN: Final = 70


@dataclass(frozen=True, slots=True)
class Ended:
    """How one transition ended."""

    story: Story
    acknowledged: bool
    """Whether the caller was told that it is done."""


class Transitions:
    """The program, running; a context."""

    def __init__(self, path: Path, task: str) -> None:
        """Start it; the transition has been done once when it is ready."""
        self._stack = ExitStack()
        self._process = self._stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "tests.support.transition", str(path), task],
                env={**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONHASHSEED": "0"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        )
        self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._stack.close()

    def once(self, blow: Blow | None = None) -> Ended:
        """Do it, with that blow."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(blow).encode() + b"\n")
        self._process.stdin.flush()
        story, acknowledged = json.loads(self._answer())
        story["calls"] = [Call(*call) for call in story["calls"]]
        return Ended(Story(**story), acknowledged)

    def _answer(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the program ended: {self._process.wait()}"
        return line


def opened(path: Path) -> Deps:
    """Open the repository at a time that is always the same, so that commits are, too."""
    repo = discover(path)
    return Deps(repo, Git(repo.common_dir), Clock(NOW))


def _ready(path: Path, task: str, tell: int) -> Callable[[], int]:
    """Open the store; return the transition."""
    deps = opened(path)
    deps.store.read().states()

    def transition() -> int:
        try:
            queue.cancel(deps, [task], "Not now")
        except UserError:
            return _REFUSED
        except Exception:  # noqa: BLE001 - to be told before the fork is gone
            traceback.print_exc()
            return _BROKEN
        os.write(tell, b".")
        deps.store.close()
        return 0

    return transition


def _main(path: Path, task: str) -> None:
    told, tell = os.pipe()
    _ready(path, task, tell)()  # imports all that it needs
    os.read(told, 1)
    os.set_blocking(told, False)
    _say("ready")
    for line in sys.stdin:
        given = json.loads(line)
        blow = Blow(Call(*given[0]), given[1]) if given else None
        story = stepping.run(lambda: _ready(path, task, tell), blow)
        try:
            acknowledged = bool(os.read(told, 1))
        except BlockingIOError:
            acknowledged = False
        _say(json.dumps([asdict(story), acknowledged]))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2])
