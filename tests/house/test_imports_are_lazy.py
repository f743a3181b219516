"""What starts often starts light: no third-party library for `--version` and `run exec`."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.codebase

HEAVY: Final = frozenset({"click", "git", "github", "jinja2", "rich", "ruamel", "watchdog"})


def _imported(*args: str) -> set[str]:
    """Run Python with `args` and return the top-level names of all modules it imported."""
    done = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", *args],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    names = {line.rpartition("|")[2].strip() for line in lines}
    assert "gitcmat" in names, done.stderr
    return {name.partition(".")[0] for name in names}


def test_the_version_costs_no_library() -> None:
    assert not _imported("-m", "gitcmat", "--version") & (HEAVY | {"msgspec", "psutil"})


def test_a_run_costs_no_library_of_the_command_line_or_the_store(tmp_path: Path) -> None:
    assert not _imported("-m", "gitcmat", "run", "exec", str(tmp_path / "gone")) & HEAVY


def test_the_version_is_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "gitcmat", "--version"], capture_output=True, check=True
    )
    assert done.stdout == b"gitcmat 0.1.0\n"
    assert done.stderr == b""
