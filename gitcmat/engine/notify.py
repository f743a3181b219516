"""Starts the person's own program when they are wanted: ``notify:`` of their own settings.

It is given one JSON object on standard input and ten seconds. It starts outside of the repository,
and is not looked for there.
"""

import json
import os
import queue
import shlex
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from gitcmat.engine.deps import Deps
from gitcmat.errors import UserError
from gitcmat.system import proc
from gitcmat.system.environment import clean_path, find_program

SECONDS: Final = 10.0
"""How long the program may take for one event."""

_KEPT: Final = 2_000
"""Bytes of its output that are looked at."""
_DROPPED: Final = ("GIT_", "CMAT_")


class Notifier:
    """Hands events to the program, one after the other, in a thread: nobody waits for it."""

    def __init__(self, deps: Deps, say: Callable[[str], None]) -> None:
        """`say` is given each failure, once."""
        self._argv = deps.settings.notify
        self._roots = [p for p in (deps.repo.work_tree, deps.repo.common_dir) if p is not None]
        self._say = say
        self._said: set[str] = set()
        self._waiting: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    def send(self, event: dict[str, Any]) -> None:
        """Hand over one event; nothing where the person has named no program."""
        if not self._argv:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()
        self._waiting.put(event)

    def close(self) -> None:
        """Wait until everything has been handed over, but for no longer than one event may take."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(SECONDS)
            self._closing.set()
            self._thread.join(SECONDS)

    def _work(self) -> None:
        while (event := self._waiting.get()) is not None and not self._closing.is_set():
            failure = self._run(event)
            if failure and failure not in self._said:
                self._said.add(failure)
                self._say(f"notify: {failure}")

    def _run(self, event: Mapping[str, Any]) -> str:
        """Start the program for one event; say what went wrong, if anything."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(_DROPPED)}
        env["PATH"] = clean_path(env.get("PATH", os.defpath), self._roots)
        name = os.path.expanduser(self._argv[0])  # noqa: PTH111 - a name without a slash stays one
        program = find_program(name, env, self._roots)
        shown = shlex.join(self._argv)
        if program is None:
            return f"{shown}: there is no such program outside of the repository"
        try:
            done = proc.run(
                [str(program), *self._argv[1:]],
                cwd=_home(),
                env=env,
                input=json.dumps(event).encode() + b"\n",
                timeout=SECONDS,
                max_output=_KEPT,
            )
        except proc.Timeout:
            return f"{shown} did not end within {SECONDS:g} seconds"
        except (UserError, OSError) as error:
            return f"{shown}: {error.message if isinstance(error, UserError) else error}"
        if done.ok:
            return ""
        said = done.err.decode("utf-8", "replace").strip().splitlines()
        return f"{shown} ended with {done.code}{f': {said[-1]}' if said else ''}"


def _home() -> Path:
    """Where it starts: not in the repository, whose files would come before a language's own."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home raises where there is none
    return home if home.is_dir() else Path("/")
