"""`run stop --all` and `queue pause`: the daemon that watches starts nothing new until `resume`."""

import re
from pathlib import Path

import pytest

from gitcmat.model.state import State
from tests.support.cli import Running, gitcmat, running
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.watched import Project

HELD = "paused by Pat Person (gitcmat queue resume)"


@pytest.fixture
def project(repo: TestRepo) -> Project:
    project = Project(repo)
    gitcmat(repo, "config", "set", "parallel", "1").ok()
    return project


def said(daemon: Running) -> list[str]:
    """What the daemon said after its first line, without times and ids of runs."""
    lines = [re.sub(r"r-[a-z0-9]{8}", "r-1", line[9:]) for line in daemon.err.splitlines()]
    # A slow commit is noticed before it is done.
    return [line for line in lines if "not committed" not in line][1:]


def test_stopping_all_leaves_nothing_running_though_more_is_ready(
    project: Project, tmp_path: Path
) -> None:
    repo = project.repo
    project.commit_task("first", "sleep 600")
    with running(repo, "watch", logs=tmp_path / "log") as daemon:
        daemon.says("first  new → active")
        project.commit_task("second", "echo x > x")
        daemon.says("second  new → pending")
        stopped = gitcmat(repo, "run", "stop", "--all").ok()
        assert re.sub(r"r-[a-z0-9]{8}", "r-1", stopped.out) == (
            "r-1 (first): stopped\n"
            "first is on hold: gitcmat queue release first\n"
            "the daemon starts nothing new until: gitcmat queue resume\n"
        )
        daemon.says("nothing new is started for now")
        until(lambda: HELD in gitcmat(repo, "status").ok().out, 30, "the note")
        assert (project.state("second"), project.runs("second")) == (State.PENDING, [])

        assert gitcmat(repo, "queue", "resume").ok().out == "resumed\n"
        project.reaches("second", State.REVIEW)
        daemon.says("second  active → review")
        assert said(daemon) == [
            "first  new → active  r-1 (fake, attempt 1)",
            "second  new → pending",
            "first  active → pending  stopped by a person",
            f"nothing new is started for now: {HELD}",
            "second  pending → active  r-1 (fake, attempt 1)",
            "what is ready is started again",
            "second  active → review  no gates",
        ]


def test_a_pause_lets_go_on_what_runs_and_start_what_is_named(
    project: Project, tmp_path: Path
) -> None:
    repo = project.repo
    go = tmp_path / "go"
    project.commit_task("first", f"until [ -e {go} ]; do sleep 0.05; done; echo x > x")
    with running(repo, "watch", logs=tmp_path / "log") as daemon:
        daemon.says("first  new → active")
        paused = gitcmat(repo, "queue", "pause").ok().out
        assert paused == "paused; what runs goes on: gitcmat run stop --all\n"
        project.commit_task("second", "echo y > y")
        go.touch()
        project.reaches("first", State.REVIEW)
        daemon.says("nothing new is started for now")
        gitcmat(repo, "run", "now", "second").ok()
    assert project.state("second") is State.REVIEW


def test_a_pause_ends_with_its_daemon(project: Project, tmp_path: Path) -> None:
    repo = project.repo
    with running(repo, "watch", logs=tmp_path / "log") as daemon:
        daemon.says("watching")
        gitcmat(repo, "queue", "pause").ok()
        project.commit_task("one", "echo x > x")
        daemon.says("nothing new is started for now")
    gitcmat(repo, "watch", "--until-idle").ok()
    assert project.state("one") is State.REVIEW


def test_until_idle_does_not_wait_for_the_end_of_a_pause(project: Project, tmp_path: Path) -> None:
    repo = project.repo
    go = tmp_path / "go"
    project.commit_task("first", f"until [ -e {go} ]; do sleep 0.05; done; echo x > x")
    project.commit_task("second", "echo y > y")
    with running(repo, "watch", "--until-idle", logs=tmp_path / "log") as daemon:
        daemon.says("first  new → active")
        gitcmat(repo, "queue", "pause").ok()
        go.touch()
        ended = daemon.wait()
    assert ended.ok().out == (
        "Nothing more can start by itself. These wait for:\n"
        "  first  review  your review: gitcmat review show first\n"
        f"  second  pending  {HELD}\n"
    )


def test_without_a_daemon_there_is_nothing_to_pause(project: Project) -> None:
    for verb, message, hint in (
        ("pause", "No daemon watches: nothing starts by itself.", "gitcmat watch"),
        ("resume", "Nothing is paused.", "gitcmat status"),
    ):
        result = gitcmat(project.repo, "queue", verb)
        assert (result.code, result.err) == (6, f"error: {message}\nhint: {hint}\n")
