"""Where the pinned programs lie, and how they get there: never on PATH, never the person's own.

Read at import, before the guards of a test session empty the environment.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

import pytest

from tests.support.realcli.pins import PINS, Pin

_OUTSIDE: Final = dict(os.environ)
"""The environment of whoever started the tests: npm's and pip's own settings are in it."""

FOLDER: Final = Path(
    _OUTSIDE.get("GITCMAT_TEST_CLIS") or Path(__file__).parents[3] / ".cache/test-clis"
).absolute()

_REQUIRED: Final = frozenset(_OUTSIDE.get("GITCMAT_REQUIRE_CLIS", "").split())
"""Those that have been installed: for want of one a test fails instead of skipping."""


class NotInstalled(Exception):
    """The registry, or its client, is not to be had."""


def program(name: str) -> Path:
    """Return the absolute path of a pinned program.

    Skips the test where it is not installed, unless GITCMAT_REQUIRE_CLIS names it.
    """
    found = find(name)
    if found:
        return found
    pin = PINS[name]
    why = (
        f"NOT SHOWN WITH THE REAL {name} {pin.version}: it is not in {FOLDER}; "
        f"`python -m tests.support.realcli {name}` installs it there"
    )
    if is_required(name):
        pytest.fail(why)
    pytest.skip(why)


def is_required(name: str) -> bool:
    """Whether somebody has installed a pinned program for these tests, and says so."""
    return name in _REQUIRED


def find(name: str) -> Path | None:
    """Return the absolute path of a pinned program, or None if it is not installed."""
    pin = PINS[name]
    return next((path for path in (FOLDER / pin.folder).glob(pin.program) if path.is_file()), None)


def install(name: str) -> Path:
    """Install a pinned program if it is not there, whole or not at all; return its path.

    Raises NotInstalled with what the registry's client said.
    """
    found = find(name)
    if found:
        return found
    pin = PINS[name]
    folder = FOLDER / pin.folder
    making = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    try:
        _from_npm(pin, making) if pin.registry == "npm" else _from_pip(pin, making, folder)
        shutil.rmtree(folder, ignore_errors=True)
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    found = find(name)
    if not found:
        raise NotInstalled(f"{pin.wanted[0]} has no {pin.program} for this machine")
    return found


def _from_npm(pin: Pin, making: Path) -> None:
    npm = shutil.which("npm", path=_OUTSIDE.get("PATH"))
    if not npm:
        raise NotInstalled("there is no npm")
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    _run([npm, "install", *quiet, "--prefix", str(making), *pin.wanted], making)


def _from_pip(pin: Pin, making: Path, folder: Path) -> None:
    """Its scripts name the folder that it was made in; they are told where it will lie."""
    venv.create(making, with_pip=True)
    python = making / "bin/python"
    _run([str(python), "-m", "pip", "install", "-q", "--retries", "1", *pin.wanted], making)
    scripts = [path for path in (making / "bin").iterdir() if path.is_file()]
    for script in scripts:
        data = script.read_bytes()
        if data.startswith(b"#!") and not script.is_symlink():
            script.write_bytes(data.replace(bytes(making), bytes(folder)))


def _run(argv: list[str], folder: Path) -> None:
    done = subprocess.run(
        argv, cwd=folder, env=_OUTSIDE, capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode:
        raise NotInstalled(f"{' '.join(argv)}:\n{(done.stdout + done.stderr).strip()}")


def main(names: list[str]) -> int:
    """Install programs by name; 0 if all are there, 1 with a loud word if one is not."""
    missing = 0
    for name in names:
        try:
            sys.stdout.write(f"{install(name)}\n")
        except NotInstalled as error:
            missing += 1
            sys.stdout.write(f"NOT INSTALLED: {name} {PINS[name].version}: {error}\n")
    return int(missing > 0)
