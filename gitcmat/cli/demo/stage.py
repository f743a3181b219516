"""Where the demo plays: a temporary folder with a project and a home of its own.

Nothing of the person's is read or written: no settings, no configuration of git, no home.
"""

import json
import os
import shlex
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from gitcmat.errors import CheckFailed, UserError
from gitcmat.system import proc
from gitcmat.system.assets import templates_dir
from gitcmat.system.files import remove_tree

_LONGEST: Final = 120.0
"""Seconds that one command may take."""
_PROGRAM: Final = (sys.executable, "-I", "-m", "gitcmat")
_NOT_PASSED: Final = ("GIT_", "CMAT_", "XDG_", "PYTHON")
_FILES: Final = "demo"
"""The folder of templates with the project and its agents."""


class Stage:
    """The project in a folder, and what is run in it."""

    def __init__(self, folder: Path) -> None:
        """Use an existing, empty folder."""
        self.folder = folder
        self.project = folder / "shop"
        self._files = templates_dir() / _FILES
        self._env = _environment(folder / "home")

    def build(self) -> None:
        """Make the project and the home; no repository yet."""
        (self.folder / "home").mkdir()
        shutil.copytree(self._files / "project", self.project)

    def copy_agents(self) -> None:
        """Put the profiles of the agents below ``.cmat/``."""
        shutil.copytree(self._files / "agents", self.project / ".cmat/agents", dirs_exist_ok=True)

    def clear(self) -> None:
        """End whatever still runs, and remove the folder."""
        if (self.project / ".git").is_dir():
            with suppress(UserError):  # mostly: nothing runs
                self.gitcmat("run", "stop", "--all")
        remove_tree(self.folder)

    def run(self, *argv: str, good: Sequence[int] = (0,)) -> str:
        """Run a program in the project; return what it printed on both streams.

        Raises:
            CheckFailed: it ended with a code that is not among the `good` ones.
        """
        done = proc.run(argv, cwd=self.project, env=self._env, timeout=_LONGEST)
        printed = (done.out + done.err).decode("utf-8", "replace").strip()
        if done.code not in good:
            raise _failed(argv, done.code, printed)
        return printed

    def gitcmat(self, *args: str) -> str:
        """Run gitcmat, as `run` does; return what it printed."""
        return self.run(*_PROGRAM, *args)

    def ask(self, *args: str) -> Any:
        """Run gitcmat with ``--json``; return the data.

        Raises:
            CheckFailed: it did not end with 0.
        """
        argv = (*_PROGRAM, "--json", *args)
        done = proc.run(argv, cwd=self.project, env=self._env, timeout=_LONGEST)
        if not done.ok:
            raise _failed(argv, done.code, done.text)
        return json.loads(done.out)

    def follow(self, *args: str) -> Iterator[str]:
        """Run gitcmat and yield its lines, of both streams, as they come.

        Raises:
            CheckFailed: it did not end with 0, or not in time.
        """
        argv = (*_PROGRAM, *args)
        reading, writing = os.pipe()
        try:
            child = proc.start(
                argv, cwd=self.project, env=self._env, stdout=writing, stderr=writing
            )
        finally:
            os.close(writing)
        limit = threading.Timer(_LONGEST, child.kill)
        limit.start()
        lines: list[str] = []
        try:
            with os.fdopen(reading, encoding="utf-8", errors="replace") as stream:
                for line in stream:
                    lines.append(line.rstrip("\n"))
                    yield lines[-1]
            code = child.wait(_LONGEST)
        finally:
            limit.cancel()
            child.kill()
        if code != 0:
            raise _failed(argv, code, "\n".join(lines))


def _environment(home: Path) -> dict[str, str]:
    """What every program of the demo sees: the person's environment with another home."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_PASSED)}
    env.pop("VIRTUAL_ENV", None)
    # Agents and gates of the demo are Python, and so is this: there need not be another one.
    path = os.environ.get("PATH", os.defpath)
    env["PATH"] = os.pathsep.join([path, str(Path(sys.executable).parent)])
    return env | {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_STATE_HOME": str(home / ".local/state"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "NO_COLOR": "1",
    }


def _failed(argv: Sequence[str], code: int | None, printed: str) -> CheckFailed:
    own = tuple(argv[: len(_PROGRAM)]) == _PROGRAM
    typed = shlex.join(("gitcmat", *argv[len(_PROGRAM) :]) if own else argv)
    return CheckFailed(f"`{typed}` exited {code}:\n{printed}")
