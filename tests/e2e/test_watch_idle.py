"""An idle daemon costs nothing, and what it writes itself does not keep it awake."""

import time
from pathlib import Path

import pytest

from gitcmat.model.state import State
from tests.support.cli import running
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.watched import Project

_STILL = 3.5
"""Seconds without any work after which it is called still; what is saved is named after 3."""


class Work:
    """What a process does, as its trace file and the kernel count it."""

    def __init__(self, pid: int, trace: Path) -> None:
        self._io = Path(f"/proc/{pid}/io")
        self._trace = trace

    def look(self) -> tuple[int, str, int]:
        """Lines of the trace (processes, files, YAML), bytes and calls of reading."""
        lines = self._trace.read_bytes().count(b"\n") if self._trace.exists() else 0
        counted = dict(line.split(": ") for line in self._io.read_text().splitlines())
        return lines, counted["rchar"], int(counted["syscr"])

    def settle(self) -> None:
        """Wait until nothing is done any more."""
        seen: list[tuple[float, tuple[int, str, int]]] = []

        def still() -> bool:
            now = (time.monotonic(), self.look())
            if not seen or seen[-1][1] != now[1]:
                seen.append(now)
            return now[0] - seen[-1][0] > _STILL

        until(still, 60, "the daemon to be still")


def test_with_a_thousand_tasks_it_starts_no_process_and_reads_no_file(
    repo: TestRepo, tmp_path: Path
) -> None:
    project = Project(repo)
    files = {f".cmat/tasks/t{n:04}.yaml": f"title: Task {n}\nhold: true\n" for n in range(1000)}
    project.repo.commit("A thousand", files)
    trace = tmp_path / "trace"
    env = {"GITCMAT_TRACE": str(trace)}
    with running(repo, "watch", "--every", "3600", logs=tmp_path / "log", env=env) as daemon:
        daemon.says("t0999  new → pending", timeout=90)
        work = Work(daemon.process.pid, trace)
        work.settle()
        before = work.look()
        time.sleep(3)  # the thing under test is that nothing happens
        assert work.look() == before

        project.commit_task("wakes", hold="true")
        daemon.says("wakes  new → pending")
        work.settle()


def test_a_tick_of_the_timer_with_nothing_new_is_cheap(repo: TestRepo, tmp_path: Path) -> None:
    project = Project(repo)
    files = {f".cmat/tasks/t{n:04}.yaml": f"title: Task {n}\nhold: true\n" for n in range(1000)}
    project.repo.commit("A thousand", files)
    trace = tmp_path / "trace"
    env = {"GITCMAT_TRACE": str(trace)}
    with running(repo, "watch", "--every", "8", logs=tmp_path / "log", env=env) as daemon:
        daemon.says("t0999  new → pending", timeout=90)
        work = Work(daemon.process.pid, trace)
        done = 0
        for _ in range(3):  # files that are younger than two seconds are read once more
            work.settle()
            done = len(trace.read_text().splitlines())
            until(lambda: len(trace.read_text().splitlines()) > done, 20, "the next tick")  # noqa: B023
        work.settle()
        new = trace.read_text().splitlines()[done:]
    assert not [line for line in new if line.startswith("yaml")]
    assert len(new) <= 12, "\n".join(new)


@pytest.mark.parametrize("number", range(2))
def test_after_work_it_comes_to_rest(repo: TestRepo, tmp_path: Path, number: int) -> None:
    project = Project(repo)
    trace = tmp_path / "trace"
    env = {"GITCMAT_TRACE": str(trace)}
    with running(repo, "watch", "--every", "3600", logs=tmp_path / "log", env=env) as daemon:
        for task in range(3):
            project.commit_task(f"task-{number}-{task}", "echo x > x")
        project.reaches(f"task-{number}-2", State.REVIEW)
        Work(daemon.process.pid, trace).settle()
