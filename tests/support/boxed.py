"""A sandbox for tests, with a person's home around it; skips, loudly, where there is none."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from gitcmat.system import bwrap, proc
from gitcmat.system.bwrap import Bubblewrap, Inside
from gitcmat.system.surroundings import Surroundings

# At import: tests themselves see nothing of the environment they were started in.
NEEDED: Final = bool(os.environ.get("GITCMAT_REQUIRE_SANDBOX"))
"""Whether tests without a sandbox would show nothing: they then fail."""


def bubblewrap() -> Bubblewrap:
    """The bwrap of this machine, or no test."""
    found = bwrap.find()
    if isinstance(found, Bubblewrap):
        return found
    if NEEDED:
        pytest.fail(f"no sandbox to test: {found.why}")
    pytest.skip(f"NO SANDBOX TO TEST: {found.why}")


class Boxed:
    """Runs commands in a sandbox over a work tree of its own."""

    def __init__(self, folder: Path) -> None:
        self.bubblewrap = bubblewrap()
        self.tree = folder / "work tree"
        self.tree.mkdir(parents=True)
        self.own = folder / "own"
        self.around = Surroundings.of_person(os.environ)
        self.also: tuple[tuple[Path, str], ...] = ()
        self.network = True

    def argv(self, *command: str, status_fd: int | None = None) -> list[str]:
        """How `command` is started in it."""
        env = {**os.environ, "PATH": os.defpath}
        self.around.show_programs(env)
        self.around.show(sys.prefix)
        self.around.show(sys.base_prefix)
        self.around.write(self.tree)
        bwrap.renew(self.own)
        inside = Inside(
            outlook=self.around.outlook,
            own=self.own,
            cwd=self.tree,
            network=self.network,
            also=self.also,
        )
        return bwrap.argv(self.bubblewrap, inside, command, status_fd=status_fd)

    def run(self, *command: str, env: Mapping[str, str] | None = None) -> proc.Done:
        """Run a command to its end."""
        return proc.run(self.argv(*command), cwd=Path("/"), env=env or os.environ, timeout=60)

    def sh(self, script: str) -> proc.Done:
        """Run a piece of shell."""
        return self.run("sh", "-c", script)

    def python(self, code: str, *args: str) -> proc.Done:
        """Run a piece of Python."""
        return self.run(sys.executable, "-I", "-S", "-c", code, *args)
