"""Real agents put what their shell tool starts into sessions of their own; none of it outlives its
run, however that ends, and nobody else's process is touched.
"""

import signal
from pathlib import Path
from typing import Any

import pytest

from gitcmat.model.state import State
from tests.support.boxed import bubblewrap
from tests.support.cli import gitcmat, running
from tests.support.fakemodel.server import FakeModel
from tests.support.realcli import sleeper
from tests.support.realcli.project import ALWAYS, RealProject
from tests.support.realcli.sleeper import Sleeper
from tests.support.repo import TestRepo
from tests.support.wait import until

pytestmark = [pytest.mark.agents, pytest.mark.slow]


@pytest.fixture(params=ALWAYS)
def cli(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["off", "bwrap"])
def sandbox(request: pytest.FixtureRequest) -> str:
    if request.param == "bwrap":
        bubblewrap()
    return str(request.param)


@pytest.fixture
def model() -> Any:
    with FakeModel(*map(sleeper.script, ("stopped", "late", "killed"))) as model:
        yield model


def take_in(repo: TestRepo) -> None:
    """Do what has nothing to do with the runs: any command that writes takes in what has ended."""
    gitcmat(repo, "queue", "add", "Another task", "--hold").ok()


def test_a_run_that_is_stopped_leaves_no_process(
    repo: TestRepo, cli: str, sandbox: str, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = RealProject(repo, cli, model, monkeypatch, permissions="all", sandbox=sandbox)
    project.wants("stopped", "Sleep on stopped.", timeout="90s")
    gitcmat(repo, "run", "now", "stopped", "--background").ok()
    tool = Sleeper(project, "stopped")
    tool.begins()
    with tool.beside_strangers():
        gitcmat(repo, "run", "stop", "stopped").ok()
        until(tool.is_over, 60, "the end of the runner")
        assert tool.remains() == []
    take_in(repo)
    assert tool.record.outcome == "stopped"
    assert repo.show(tool.record.head, "begun.txt") == "one\n"


def test_a_run_that_takes_too_long_leaves_no_process(
    repo: TestRepo, cli: str, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = RealProject(repo, cli, model, monkeypatch, permissions="all")
    project.wants("late", "Sleep on late.", timeout="15s", attempts=1)
    gitcmat(repo, "run", "now", "late", "--background").ok()
    tool = Sleeper(project, "late")
    tool.begins()
    with tool.beside_strangers():
        until(tool.is_over, 60, "the end of the runner")
        assert tool.remains() == []
    take_in(repo)
    assert (tool.record.outcome, project.state("late")) == ("timed out", State.FAILED)
    assert tool.record.message == "did not end within 15 seconds"
    assert repo.show(tool.record.head, "begun.txt") == "one\n"


def test_a_run_whose_daemon_and_runner_were_killed_leaves_no_process(
    repo: TestRepo,
    cli: str,
    sandbox: str,
    model: FakeModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = RealProject(repo, cli, model, monkeypatch, permissions="all", sandbox=sandbox)
    tool = Sleeper(project, "killed")
    with running(repo, "watch", logs=tmp_path / "logs") as daemon:
        daemon.says("watching")
        project.wants("killed", "Sleep on killed.", timeout="90s")
        tool.begins()
        daemon.signal(signal.SIGKILL)
        daemon.wait()
    assert not tool.is_over()
    with tool.beside_strangers():
        tool.orphan()
        if sandbox == "off" and cli == "claude":  # the terminal of Codex's tools ends with it
            assert tool.remains()
        elif sandbox == "bwrap":
            until(lambda: not tool.remains(), 10, "the kernel to end what was inside")
        take_in(repo)
        assert tool.remains() == []
    entry = project.entry("killed")
    assert entry is not None
    assert (entry.state, entry.attempt) == (State.PENDING, 0)
    assert tool.record.outcome == "interrupted"
    assert repo.show(tool.record.head, "begun.txt") == "one\n"
