"""What starts often starts light: no third-party library for `--version` and `run exec`."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support.cli import gitcmat
from tests.support.repo import TestRepo
from tests.support.store import entry, open_store, put

pytestmark = pytest.mark.codebase

HEAVY: Final = frozenset({"click", "git", "github", "jinja2", "rich", "ruamel", "watchdog"})


def _imported(*args: str, at: Path | None = None) -> set[str]:
    """Run Python with `args` and return the top-level names of all modules it imported."""
    done = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", *args],
        cwd=at,
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


@pytest.mark.parametrize("args", [("queue", "list"), ("status",)])
def test_what_is_asked_all_the_time_starts_without_click(
    repo: TestRepo, args: tuple[str, ...]
) -> None:
    gitcmat(repo, "queue", "add", "Something", "--hold")
    assert not _imported("-m", "gitcmat", *args, at=repo.path) & (HEAVY - {"ruamel"})


def test_a_list_decodes_no_record(repo: TestRepo) -> None:
    put(open_store(repo.path), entry("a"))
    gitcmat(repo, "queue", "list")
    assert not _imported("-m", "gitcmat", "queue", "list", at=repo.path) & {
        *HEAVY,
        "msgspec",
        "dataclasses",
        "inspect",
        "secrets",
    }


def test_the_version_is_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "gitcmat", "--version"], capture_output=True, check=True
    )
    assert done.stdout == b"gitcmat 0.1.0\n"
    assert done.stderr == b""
