"""The demo, as a person starts it: it goes the whole way, touches nothing of theirs, and says so
when it does not.
"""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.support.cli import Result, gitcmat, running
from tests.support.runs import processes_with

MOST_LINES: Final = 34
WIDTH: Final = 100


def demo(tmp_path: Path, *options: str, path: Path | None = None) -> Result:
    """Run the demo with its temporary folder below `tmp_path`; `path` goes before the PATH."""
    (tmp_path / "tmp").mkdir()
    env = {"TMPDIR": str(tmp_path / "tmp")}
    if path is not None:
        env["PATH"] = f"{path}:/usr/bin:/bin"
    return gitcmat(tmp_path, "demo", *options, env=env, timeout=300)


def git(project: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=project, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.slow
@pytest.mark.timeout(320)
def test_the_demo_leaves_a_repository_with_real_commits(tmp_path: Path, home: Path) -> None:
    before = sorted(home.rglob("*"))
    done = demo(tmp_path, "--keep").ok()
    assert done.err == ""
    assert len(done.out.splitlines()) <= MOST_LINES + 1
    assert max(map(len, done.out.splitlines()[:-2])) <= WIDTH
    assert "\x1b" not in done.out

    (folder,) = (tmp_path / "tmp").iterdir()
    project = folder / "shop"
    assert f"All tests pass now. It is in {project}\n" in done.out
    assert git(project, "log", "--format=%s").splitlines() == [
        "Say what each one pays",
        "Merge cmat/prices: Show prices in the README",
        *git(project, "log", "--format=%s", "--skip=2").splitlines(),
    ]
    assert git(project, "status", "--porcelain", "--untracked-files=all") == ""
    assert git(project, "branch", "--format=%(refname:short)") == "main"
    runs = git(project, "for-each-ref", "refs/cmat/runs").splitlines()
    assert len(runs) == 5 + 1  # the last landing was judged once more, on top of the one before
    assert "2.50 EUR" in (project / "README.md").read_text()
    assert len(list(project.glob(".cmat/queue/done/*/*.yaml"))) == 3
    assert sorted(home.rglob("*")) == before


@pytest.mark.timeout(120)
def test_a_step_that_ends_otherwise_fails_the_demo_and_leaves_its_folder(tmp_path: Path) -> None:
    """Every test is green here, whatever the code: the demo must not take that for its failure."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python3").write_text("#!/bin/sh\n")
    (programs / "python3").chmod(0o755)
    done = demo(tmp_path, path=programs)
    (folder,) = (tmp_path / "tmp").iterdir()
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "error: `python3 -m unittest discover -s tests -t .` exited 0:\n\n"
        f"hint: cd {folder}/shop and look\n"
    )


def test_the_demo_explains_itself(tmp_path: Path) -> None:
    help_text = gitcmat(tmp_path, "demo", "--help").ok().out
    assert re.findall(r"--[a-z-]+", help_text) == [
        "--keep",
        "--json",
        "--quiet",
        "--help",
    ]


@pytest.mark.timeout(120)
def test_ctrl_c_ends_what_runs_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    env = {"TMPDIR": str(folder)}
    with running(tmp_path, "demo", logs=tmp_path / "logs", env=env) as program:
        program.says("→ active", timeout=60)
        program.signal()
        done = program.wait()
    assert (done.code, done.err) == (130, "Interrupted.\n")
    assert list(folder.iterdir()) == []
    assert list(processes_with(str(folder))) == []
