"""What the README shows and says is so."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from docs.transcript import COMMAND, README, in_any_order, in_readme, transcript
from gitcmat.model.settings import CONFIG_KEYS, USER_KEYS
from gitcmat.model.task import Task
from gitcmat.store import documents, settings
from gitcmat.store.git import discover
from tests.support.repo import TestRepo
from tests.support.typed import takes_apart

FIRST_SCREEN: Final = 40
WIDTH: Final = 100
TEXT: Final = README.read_text(encoding="utf-8")
CODEMOD: Final = """\
import pathlib, sys
assert "Use pathlib" in sys.stdin.read()
pathlib.Path("loader.py").write_text("from pathlib import Path\\n")
"""
TEST: Final = """\
import unittest

import loader


class LoaderTest(unittest.TestCase):
    def test_it_has_a_path(self) -> None:
        self.assertTrue(hasattr(loader, "Path"))
"""


def blocks(language: str) -> list[str]:
    """The code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """Every command of gitcmat that is written out, each once."""
    found = re.findall(r"`(gitcmat [a-z][^`]*)`", TEXT)
    lines = "\n".join(blocks("sh") + blocks("console")).splitlines()
    for line in lines:
        typed = re.sub(r"\s+# .*", "", line.removeprefix("$ "))
        found += [part for part in typed.split(" && ") if part.startswith("gitcmat ")]
    return sorted({text for text in found if not text.endswith("…")})


@pytest.mark.slow
@pytest.mark.timeout(320)
def test_the_transcript_is_what_the_demo_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert in_any_order(transcript()) == in_any_order(in_readme())
    assert list(tmp_path.iterdir()) == []


def test_the_transcript_lies_on_the_first_screen() -> None:
    first = "\n".join(TEXT.splitlines()[:FIRST_SCREEN])
    assert COMMAND in first
    assert in_readme().rstrip("\n") in first


def test_no_line_of_a_block_is_too_wide_for_a_terminal() -> None:
    every = "\n".join(block for kind in ("sh", "console", "yaml") for block in blocks(kind))
    assert [line for line in every.splitlines() if len(line) > WIDTH] == []


@pytest.mark.parametrize("typed", commands())
def test_a_command_exists_with_these_options(typed: str) -> None:
    takes_apart(typed)


def test_the_way_from_a_task_to_a_landing_works_as_typed(
    make_repo: Callable[[str], TestRepo],
) -> None:
    repo = make_repo("my-project")
    files = {"tools/codemod.py": CODEMOD, "tests/test_loader.py": TEST, "loader.py": "import os\n"}
    repo.commit("A project", files)
    (script,) = blocks("sh")
    asks = re.compile(r"^gitcmat trust  .*$", re.MULTILINE)
    unasked = 'gitcmat trust --digest "$(gitcmat trust --print-digest)"'
    script, replaced = asks.subn(lambda _: unasked, script)
    assert replaced == 1

    done = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=repo.path.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert repo.read("loader.py") == "from pathlib import Path\n"
    assert repo.git("log", "-1", "--format=%s") == "Use pathlib in the loader"
    assert repo.status() == ""


def test_the_files_are_valid(repo: TestRepo) -> None:
    task, config, own = (block.encode() for block in blocks("yaml"))
    documents.task(task, name="task")
    documents.config(config, name="config")
    settings.read_personal(own, discover(repo.path))


def test_the_files_name_every_setting() -> None:
    task, config, own = blocks("yaml")
    optional = {"budget", "schema"}
    for text, keys in ((task, set(Task.__dataclass_fields__)), (config, CONFIG_KEYS)):
        assert keys - optional <= set(re.findall(r"^(\w+):", text, re.MULTILINE))
    assert USER_KEYS - optional <= set(re.findall(r"^ *(\w+):", own, re.MULTILINE))
