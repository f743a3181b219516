"""A disk that is full while work goes on: nothing of the work is lost, it is said once, and all
goes on when there is space again.
"""

import os
import signal
from pathlib import Path
from typing import Final

import pytest

from gitcmat.model.job import RunOutcome
from gitcmat.model.state import State
from tests.support.acked import FOR_PEOPLE
from tests.support.cli import gitcmat, running
from tests.support.faults import Faults
from tests.support.repo import TestRepo
from tests.support.runs import Bench, Runner, processes_with, python
from tests.support.wait import until
from tests.support.watched import Project

FULL: Final = "no space is left on the disk"
REFUSES: Final = "echo 'fatal: write error: No space left on device' >&2; exit 128"

pytestmark = pytest.mark.slow


@pytest.fixture
def faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Faults:
    made = Faults(tmp_path / "faults")
    monkeypatch.setenv("PATH", made.path, prepend=os.pathsep)
    return made


def test_a_daemon_says_once_that_the_disk_is_full_and_goes_on(
    repo: TestRepo, tmp_path: Path, faults: Faults
) -> None:
    project = Project(repo)
    with running(repo, "watch", logs=tmp_path / "logs") as daemon:
        daemon.says("watching")
        own = f'[ "$PPID" = {daemon.process.pid} ] || exec {faults.git} "$@"'
        faults.git_does(None, f"{own}; {REFUSES}")
        project.commit_task("a", "echo x > x.txt")
        daemon.says(FULL)
        tried = faults.gits
        until(lambda: faults.gits > tried + 2, 30, "further tries")
        assert daemon.process.poll() is None
        assert (daemon.out + daemon.err).count(FULL) == 1
        faults.clear()
        project.reaches("a", State.REVIEW)
        daemon.says("it works again")


def test_the_work_of_a_dead_runner_waits_for_space(
    repo: TestRepo, tmp_path: Path, faults: Faults
) -> None:
    project = Project(repo)
    begun = tmp_path / "begun"
    project.commit_task("a", f"echo work > work.txt; touch {begun}; sleep 60")
    run = gitcmat(repo, "run", "now", "a", "--background").ok().out.strip()
    until(begun.exists, 30, "the agent")
    for pid in processes_with(str(repo.git_dir / "cmat/runs/")):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not project.alive(run), 20, "its death")
    faults.verb_fails("index-pack")
    result = gitcmat(repo, "queue", "hold", "a")
    assert (result.code, result.out) == (1, "")
    assert FOR_PEOPLE.fullmatch(result.err), result
    assert FULL in result.err
    faults.clear()
    assert project.state("a") is State.ACTIVE
    gitcmat(repo, "queue", "hold", "a").ok()
    assert project.state("a") is State.PENDING
    assert repo.show(f"refs/cmat/runs/{run}", "work.txt") == "work\n"


def test_a_runner_that_finds_no_space_keeps_the_work_and_says_where(
    repo: TestRepo, tmp_path: Path, faults: Faults
) -> None:
    bench = Bench(repo, tmp_path / "cache")
    faults.verb_fails("index-pack")
    result = bench.run(bench.job("echo work > work.txt"))
    faults.clear()
    assert result.outcome is RunOutcome.FAILED
    assert FULL in result.message
    (mark,) = result.marks
    place = Path(mark.removeprefix("work not brought home: it lies in "))
    assert (place / "tree/work.txt").read_text(encoding="ascii") == "work\n"


def test_a_log_that_may_not_grow_costs_the_run_and_not_the_work(
    repo: TestRepo, tmp_path: Path
) -> None:
    bench = Bench(repo, tmp_path / "cache")
    job = bench.job(python("open('work.txt', 'w').write('work'); print('x' * 80_000)"))
    limit = ("sh", "-c", 'ulimit -f 100; exec "$@"', "sh")
    result = Runner(bench.claim(job), {}, before=limit).result()
    assert result.outcome is RunOutcome.FAILED
    assert result.message == "the log cannot be written: File too large"
    assert repo.show(job.run_ref, "work.txt") == "work"


@pytest.mark.parametrize("verb", ["index-pack", "update-ref", "write-tree", "update-index"])
def test_a_checkpoint_is_whole_or_not_there(repo: TestRepo, faults: Faults, verb: str) -> None:
    Project(repo)
    repo.write("new.txt", "new\n")
    faults.verb_fails(verb)
    result = gitcmat(repo, "checkpoint", "create", "mine")
    faults.clear()
    if result.code:
        assert FOR_PEOPLE.fullmatch(result.err), result
        assert FULL in result.err
        assert repo.refs("refs/cmat/checkpoints/") == {}
        gitcmat(repo, "checkpoint", "create", "mine").ok()
    (ref,) = repo.refs("refs/cmat/checkpoints/")
    assert repo.show(ref, "new.txt") == "new\n"
    repo.git("fsck", "--strict", "--no-dangling")


@pytest.mark.parametrize("verb", ["merge-tree", "index-pack", "update-ref", "read-tree"])
def test_what_cannot_be_landed_for_want_of_space_is_landed_later(
    repo: TestRepo, faults: Faults, verb: str
) -> None:
    project = Project(repo)
    project.commit_task("a", "echo x > x.txt")
    gitcmat(repo, "run", "now", "a", "--quiet").ok()
    repo.write("mine.txt", "mine\n")
    before = repo.tip()
    faults.verb_fails(verb)
    result = gitcmat(repo, "land", "a")
    faults.clear()
    assert FULL in result.err, result
    assert (repo.tip(), repo.status()) == (before, "?? mine.txt")
    gitcmat(repo, "land", "a", changes=("refs:refs/heads/main", "index", "files")).ok()
    assert (repo.read("x.txt"), repo.status()) == ("x\n", "?? mine.txt")
