"""One daemon for a repository, whoever starts how many, and none that takes long to end."""

import json
import os
import random
import re
import signal
import subprocess
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

import pytest

from gitcmat.model.state import State
from gitcmat.system import processes
from tests.support.cli import running
from tests.support.repo import TestRepo
from tests.support.runs import processes_in
from tests.support.wait import until
from tests.support.watched import Project

SEED: Final = os.environ.get("GITCMAT_SEED") or str(random.SystemRandom().randrange(10**6))
STARTS: Final = 50
STOPS: Final = 20
LONGEST_STOP: Final = 10.0
"""Seconds from SIGTERM to the end of a daemon, at most."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def test_of_50_that_start_at_once_exactly_one_lives(repo: TestRepo, tmp_path: Path) -> None:
    project = Project(repo)
    with ExitStack() as stack:
        daemons = [
            stack.enter_context(running(repo, "watch", logs=tmp_path / f"daemon-{number}"))
            for number in range(STARTS)
        ]
        until(lambda: sum(d.process.poll() is None for d in daemons) == 1, 120, "all but one end")
        (one,) = [daemon for daemon in daemons if daemon.process.poll() is None]
        one.says("watching")
        project.commit_task("work", "echo x > x.txt")
        project.reaches("work", State.REVIEW)
        others = [daemon.wait() for daemon in daemons if daemon is not one]
        one.signal(signal.SIGTERM)
        assert one.wait(LONGEST_STOP).code == 0
    assert [(other.code, other.out) for other in others] == [(5, "")] * (STARTS - 1)
    told = {re.sub(r"\d+", "N", other.err) for other in others}
    known = f"error: A daemon watches {repo.path} already"
    assert told <= {
        re.sub(r"\d+", "N", f"{known} (process 1).\nhint: kill 1 ends it; its runs go on\n"),
        # asked between the moment when it takes the lock and that when it writes who it is
        re.sub(r"\d+", "N", f"{known} (process unknown).\nhint: gitcmat status\n"),
    }
    named = {int(n) for other in others for n in re.findall(r"kill (\d+)", other.err)}
    assert named == {one.process.pid}
    assert len(project.runs("work")) == 1


def test_stopped_again_and_again_at_any_moment_it_ends_soon_and_harms_no_run(
    repo: TestRepo, tmp_path: Path
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - to be repeated
    project = Project(repo)
    times = tmp_path / "times"
    for number in range(10):
        say = f"echo $CMAT_TASK >> {times}"
        project.task(f"t{number}", f"{say}; sleep 0.{chance.randrange(10)}; echo x > x{number}")
    repo.commit("Ten tasks")
    took = []
    for number in range(STOPS):
        with running(repo, "watch", logs=tmp_path / f"watch-{number}") as daemon:
            time.sleep(chance.uniform(0, 1.2))
            begun = time.monotonic()
            daemon.signal(signal.SIGTERM)
            ended = daemon.wait(LONGEST_STOP)
            took.append(time.monotonic() - begun)
            # Before it listens it has nothing to end, and dies of it.
            assert ended.code == 0 or (ended.code, ended.err) == (-signal.SIGTERM, ""), ended
    assert max(took) < LONGEST_STOP, f"GITCMAT_SEED={SEED}: {took}"
    with running(repo, "watch", "--until-idle", logs=tmp_path / "last") as daemon:
        daemon.wait().ok()
    assert sorted(times.read_text().split()) == [f"t{number}" for number in range(10)]
    assert {str(run.outcome) for run in project.runs()} == {"finished"}


def test_after_a_restart_of_the_machine_it_goes_on_and_harms_no_stranger(
    repo: TestRepo, tmp_path: Path
) -> None:
    project = Project(repo)
    first = tmp_path / "first"
    project.commit_task("long", f"echo $$ >> {first}; [ -e {first}.2 ] || sleep 1000; echo x > x")
    with running(repo, "watch", logs=tmp_path / "watch") as daemon:
        until(first.exists, what="the agent")
        run = project.runs("long")[0].id
        folder = repo.git_dir / "cmat/runs" / run
        record = folder / "processes"
        until(record.exists, what="the record of its processes")
        # Power is cut: everything is gone at once.
        for pid in (*processes_in(folder), int(first.read_text()), daemon.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        daemon.wait()
        until(lambda: not project.alive(run), what="the end of the runner")
    Path(f"{first}.2").touch()
    stranger = subprocess.Popen(["sleep", "1000"])
    who = processes.identity(stranger.pid)
    assert who is not None
    try:
        # The machine is up again, and has given old numbers to new processes.
        (repo.git_dir / "cmat/watch.lock").write_text(f"{who.pid} {who.started}\n")
        said = json.loads(record.read_text())
        said |= {"boot": "of another day", "processes": [[who.pid, who.started]]}
        record.write_text(json.dumps(said))
        with running(repo, "watch", "--until-idle", logs=tmp_path / "next") as daemon:
            daemon.wait().ok()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
    assert [str(run.outcome) for run in project.runs("long")] == ["finished", "interrupted"]
    assert project.state("long") is State.REVIEW
