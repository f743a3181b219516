"""The daemon, or a run in the foreground, calls the person: their program, a line, and the bell."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import PROGRAM, gitcmat
from tests.support.repo import TestRepo
from tests.support.watched import Project


@pytest.fixture
def project(repo: TestRepo, tmp_path: Path) -> Project:
    """One task that asks, and a program that writes down what it is told."""
    made = Project(repo)
    teller = tmp_path / "tell-me"
    teller.write_text(f"#!/bin/sh\ncat >> {tmp_path}/told\n", encoding="utf-8")
    teller.chmod(0o755)
    gitcmat(repo, "config", "set", "notify", json.dumps([str(teller)])).ok()
    made.commit_task("asks", "gitcmat blocker ask 'Which one?'")
    return made


def test_a_question_reaches_the_person_s_program_and_the_output(
    project: Project, tmp_path: Path
) -> None:
    result = gitcmat(project.repo, "watch", "--until-idle").ok()
    told = json.loads((tmp_path / "told").read_text(encoding="utf-8"))
    assert (told["event"], told["task"], told["what"]) == ("question", "asks", "Which one?")
    line = f'asks asks: Which one?  (gitcmat blocker answer {told["blocker"]} "…")\n'
    assert line in result.err
    assert "\a" not in result.err  # a pipe has no bell


def test_a_run_in_the_foreground_tells_the_person_s_program_too(
    project: Project, tmp_path: Path
) -> None:
    result = gitcmat(project.repo, "run", "now", "asks")
    told = json.loads((tmp_path / "told").read_text(encoding="utf-8"))
    assert (told["event"], told["task"], told["what"]) == ("question", "asks", "Which one?")
    assert f'asks asks: Which one?  (gitcmat blocker answer {told["blocker"]} "…")' in result.err


@pytest.mark.parametrize(("flags", "rings"), [((), True), (("--quiet",), False)])
def test_the_bell_rings_at_a_terminal(
    project: Project, flags: tuple[str, ...], *, rings: bool
) -> None:
    ours, theirs = pty.openpty()
    argv = [*PROGRAM, "watch", "--until-idle", *flags]
    # The few lines fit into the terminal's buffer, so they can be read afterwards.
    subprocess.run(
        argv, cwd=project.repo.path, stdout=subprocess.DEVNULL, stderr=theirs, check=True
    )
    os.write(theirs, b"!")
    said = b""
    while not said.endswith(b"!"):
        said += os.read(ours, 65536)
    os.close(ours)
    os.close(theirs)
    assert (b"\a" in said) is rings
