"""A batch of tasks, its daemon killed or stopped in the middle: what is told, and what goes on."""

import os
import re
import signal
from pathlib import Path

import pytest

from gitcmat.model.state import State
from tests.support.cli import Running, gitcmat, running
from tests.support.repo import TestRepo
from tests.support.runs import processes_in
from tests.support.wait import until
from tests.support.watched import Project

pytestmark = pytest.mark.slow

TASKS = tuple(f"t{number}" for number in range(1, 7))
AT_WORK = ("t3", "t4")


class Batch:
    """Six tasks, two at a time: the first two end, the next two wait for `go`."""

    def __init__(self, repo: TestRepo, folder: Path) -> None:
        self.project = Project(repo)
        self.repo = repo
        self._go = folder / "go"
        self._starts = folder / "starts"
        waits = f"; until [ -e {self._go} ]; do sleep 0.05; done"
        for task in TASKS:
            self.project.task(
                task,
                f"echo $CMAT_TASK >> {self._starts}; echo x > {task}.txt"
                + (waits if task in AT_WORK else ""),
            )
        repo.commit("Six tasks")

    def amid(self, daemon: Running) -> dict[str, str]:
        """Wait until the middle of the batch; return task → run of what is at work."""
        for task in AT_WORK:
            daemon.says(f"{task}  pending → active")
        until(lambda: len(self.starts()) == len(AT_WORK) + 2, what="four agents to be at work")
        runs = {task: self.project.runs(task)[0].id for task in AT_WORK}
        assert all(self.project.alive(run) for run in runs.values())
        return runs

    def go(self) -> None:
        self._go.touch()

    def starts(self) -> list[str]:
        """The tasks whose agents were started, sorted."""
        return sorted(self._starts.read_text().split()) if self._starts.exists() else []

    def told(self, *command: str) -> list[str]:
        """What a command prints, with runs and times made alike and no spaces at line ends."""
        text = re.sub(r"r-[a-z0-9]{8}", "r-xxxxxxxx", gitcmat(self.repo, *command).ok().out)
        text = re.sub(r"\d\d:\d\d", "12:00", text)
        return [line.rstrip() for line in text.splitlines()]

    def finish(self, logs: Path) -> None:
        """Let another daemon do what is left."""
        with running(self.repo, "watch", "--until-idle", logs=logs) as daemon:
            daemon.wait().ok()
        assert {t: self.project.state(t) for t in TASKS} == dict.fromkeys(TASKS, State.REVIEW)


@pytest.fixture
def batch(repo: TestRepo, tmp_path: Path) -> Batch:
    return Batch(repo, tmp_path)


def test_a_killed_daemon_leaves_a_batch_that_the_next_one_finishes(
    batch: Batch, tmp_path: Path
) -> None:
    with running(batch.repo, "watch", logs=tmp_path / "first") as first:
        runs = batch.amid(first)
        first.signal(signal.SIGKILL)
        first.wait()
    assert batch.told("status")[:7] == [
        "2 pending, 2 active, 2 review; no daemon is running",
        "",
        "active:",
        "ID  STATE   PRIORITY  AGENT  NOTE                   TITLE",
        "t3  active  normal           r-xxxxxxxx, attempt 1  Task t3",
        "t4  active  normal           r-xxxxxxxx, attempt 1  Task t4",
        "",
    ]
    assert batch.told("queue", "status")[:6] == [
        "2 pending, 2 active, 2 review",
        "",
        "active:",
        "ID  STATE   PRIORITY  AGENT  NOTE                    TITLE",
        "t3  active  normal           r-xxxxxxxx since 12:00  Task t3",
        "t4  active  normal           r-xxxxxxxx since 12:00  Task t4",
    ]
    with running(batch.repo, "watch", logs=tmp_path / "second") as second:
        second.says("2 pending, 2 active, 2 review")
        batch.go()
        for task in TASKS[2:]:
            second.says(f"{task}  active → review")
    batch.finish(tmp_path / "last")
    assert batch.starts() == list(TASKS)
    assert runs == {task: batch.project.runs(task)[0].id for task in AT_WORK}


def test_what_ends_while_nobody_watches_is_taken_in_and_the_rest_is_done(
    batch: Batch, tmp_path: Path
) -> None:
    with running(batch.repo, "watch", logs=tmp_path / "first") as first:
        runs = batch.amid(first)
        first.signal(signal.SIGKILL)
        first.wait()
    batch.go()
    until(lambda: not any(batch.project.alive(run) for run in runs.values()), what="their ends")
    assert batch.told("status")[4:6] == [
        "t3  active  normal           r-xxxxxxxx, attempt 1, has ended  Task t3",
        "t4  active  normal           r-xxxxxxxx, attempt 1, has ended  Task t4",
    ]
    assert gitcmat(batch.repo, "status", "--json").ok().json["over"] == dict.fromkeys(
        AT_WORK, "has ended"
    )
    batch.finish(tmp_path / "last")
    assert batch.starts() == list(TASKS)


def test_what_dies_with_its_daemon_is_told_and_started_again(batch: Batch, tmp_path: Path) -> None:
    with running(batch.repo, "watch", logs=tmp_path / "first") as first:
        runs = batch.amid(first)
        first.signal(signal.SIGKILL)
        first.wait()
        for run in runs.values():
            for pid in processes_in(batch.repo.git_dir / "cmat/runs" / run):
                os.kill(pid, signal.SIGKILL)
    until(lambda: not any(batch.project.alive(run) for run in runs.values()), what="their ends")
    assert batch.told("status")[4] == (
        "t3  active  normal           r-xxxxxxxx, attempt 1, has died  Task t3"
    )
    batch.go()
    batch.finish(tmp_path / "last")
    assert batch.starts() == sorted([*TASKS, *AT_WORK])
    for task in AT_WORK:
        outcomes = [str(run.outcome) for run in batch.project.runs(task)]
        assert outcomes == ["finished", "interrupted"]


def test_a_graceful_stop_lets_runs_end_and_starts_nothing_more(
    batch: Batch, tmp_path: Path
) -> None:
    with running(batch.repo, "watch", logs=tmp_path / "first") as first:
        runs = batch.amid(first)
        first.signal(signal.SIGTERM)
        ended = first.wait(10).ok()
    assert ended.out == (
        f"These runs go on:\n  {runs['t3']}  t3\n  {runs['t4']}  t4\n"
        "gitcmat run stop --all ends them; gitcmat watch takes their results in.\n"
    )
    batch.go()
    until(lambda: not any(batch.project.alive(run) for run in runs.values()), what="their ends")
    gitcmat(batch.repo, "queue", "hold", "t6").ok()  # as any command that writes, it takes them in
    states = {task: batch.project.state(task) for task in TASKS}
    pending = dict.fromkeys(("t5", "t6"), State.PENDING)
    assert states == dict.fromkeys(TASKS[:4], State.REVIEW) | pending
    gitcmat(batch.repo, "queue", "release", "t6").ok()
    batch.finish(tmp_path / "last")
    assert batch.starts() == list(TASKS)


def test_a_forced_stop_ends_every_process_and_a_release_goes_on(
    batch: Batch, tmp_path: Path
) -> None:
    with running(batch.repo, "watch", logs=tmp_path / "first") as first:
        runs = batch.amid(first)
        first.signal(signal.SIGINT)
        first.says("Ctrl-C again")
        first.signal(signal.SIGINT)
        ended = first.wait(10).ok()
    assert ended.out == (
        "Stopped, and on hold until gitcmat queue release, or gitcmat run now:\n"
        f"  {runs['t3']}  t3\n  {runs['t4']}  t4\n"
    )
    assert not any(batch.project.alive(run) for run in runs.values())
    folders = [batch.repo.git_dir / "cmat/runs" / run for run in runs.values()]
    assert [pid for folder in folders for pid in processes_in(folder)] == []
    assert batch.told("queue", "status")[0] == "4 pending, 2 review"
    for task in AT_WORK:
        gitcmat(batch.repo, "queue", "release", task).ok()
    batch.go()
    batch.finish(tmp_path / "last")
    for task in AT_WORK:
        outcomes = [str(run.outcome) for run in batch.project.runs(task)]
        assert outcomes == ["finished", "stopped"]
