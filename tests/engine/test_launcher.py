"""Runners that are forked by a process which has the program in memory."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.engine.claims import Claim
from gitcmat.engine.launcher import Launcher
from gitcmat.engine.runfolder import RunFolder
from gitcmat.model.job import Result, RunOutcome
from gitcmat.system.locks import FileLock, wait_until_free
from tests.support.cli import gitcmat
from tests.support.repo import TestRepo
from tests.support.runs import PYTHON, Bench, processes_in
from tests.support.wait import until


@pytest.fixture
def bench(repo: TestRepo, tmp_path: Path) -> Bench:
    repo.freeze()
    return Bench(repo, tmp_path)


@pytest.fixture
def runs(repo: TestRepo) -> Path:
    return repo.git_dir / "cmat/runs"


@pytest.fixture
def launcher(runs: Path) -> Iterator[Launcher]:
    with Launcher(runs) as launcher:
        yield launcher


def claim(bench: Bench, script: str) -> Claim:
    job = bench.job(script)
    folder = bench.claim(job)
    return Claim(folder, FileLock(folder.lock).acquire(), job)


def result(folder: RunFolder) -> Result:
    wait_until_free(folder.lock)
    found = folder.read_result()
    assert found is not None, folder.runner_log.read_text()
    assert folder.runner_log.read_text() == ""
    return found


def forking(runs: Path) -> list[int]:
    return [pid for pid, folder in processes_in(runs).items() if folder == runs]


def test_a_forked_runner_is_as_one_that_was_executed(
    bench: Bench, launcher: Launcher, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    made = claim(bench, f"until [ -e {go} ]; do sleep 0.01; done; ps -o ppid= $$ > x; echo done")
    launcher.start(made)
    (runner,) = until(lambda: processes_in(made.folder.path), what="the runner")
    assert os.getsid(runner) == runner
    assert Path(f"/proc/{runner}/fd/0").readlink() == Path("/dev/null")
    go.touch()
    found = result(made.folder)
    assert (found.outcome, found.message) == (RunOutcome.FINISHED, "done")
    assert bench.repo.show(found.head, "x").split() == [str(runner)]


def test_runners_outlive_the_launcher_which_ends_with_the_daemon(
    bench: Bench, runs: Path, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    made = claim(bench, f"until [ -e {go} ]; do sleep 0.01; done; echo done")
    with Launcher(runs) as launcher:
        launcher.start(made)
        until(lambda: processes_in(made.folder.path), what="the runner")
    until(lambda: not forking(runs), what="the end of the launcher")
    go.touch()
    assert result(made.folder).outcome is RunOutcome.FINISHED


def test_without_a_launcher_runners_are_executed(
    bench: Bench, launcher: Launcher, runs: Path
) -> None:
    for pid in until(lambda: forking(runs), what="the launcher"):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not forking(runs), what="the end of the launcher")
    made = claim(bench, "echo done")
    launcher.start(made)
    assert result(made.folder).outcome is RunOutcome.FINISHED


def test_a_request_that_is_lost_with_the_launcher_leaves_the_run_without_a_runner(
    bench: Bench, launcher: Launcher, runs: Path
) -> None:
    (pid,) = until(lambda: forking(runs), what="the launcher")
    os.kill(pid, signal.SIGSTOP)
    made = claim(bench, "echo done")
    launcher.start(made)
    os.kill(pid, signal.SIGKILL)
    wait_until_free(made.folder.lock)
    assert not made.folder.runner_log.exists()
    assert made.folder.read_result() is None


LATE = """
import sys
from pathlib import Path
from gitcmat import app
from gitcmat.engine import forks

def serve():
    global before
    before = set(sys.modules)
    return Path(sys.argv[1])

def end(code):
    print(code, *sorted(set(sys.modules) - before))
    sys.exit(0)

forks.serve, forks.end = serve, end
app.run_launch()
"""
"""The launcher, as if forked for the run in the folder that is named, telling what it imports."""


def test_a_forked_runner_imports_nothing_that_may_be_another_version_by_then(bench: Bench) -> None:
    job = bench.job("echo x > x; sleep 1.5; echo y > y", checkpoint_every=1)
    argv = [PYTHON, "-c", LATE, str(bench.claim(job).path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert bench.repo.refs("refs/cmat/checkpoints/")
    assert done.stdout == "0\n"


def test_a_person_who_types_what_daemons_start_is_told_so(repo: TestRepo) -> None:
    done = gitcmat(repo, "run", "launch")
    assert (done.code, done.err) == (
        2,
        "error: `run launch` is for daemons to start.\nhint: gitcmat run now TASK\n",
    )
