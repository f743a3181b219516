"""The daemon as a person uses it: real processes, real commits, no waiting for a timer.

`--every 3600`: whatever happens within a test was brought about by a hint.
"""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitcmat.model.state import State
from gitcmat.system.locks import FileLock
from tests.support.cli import Running, gitcmat, running
from tests.support.crasher import DIED, crash
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.watched import Project, seconds_until


@pytest.fixture
def project(repo: TestRepo) -> Project:
    return Project(repo)


@contextmanager
def watching(project: Project, logs: Path, *args: str) -> Iterator[Running]:
    with running(project.repo, "watch", "--every", "3600", *args, logs=logs) as daemon:
        daemon.says("watching")
        yield daemon


def said(daemon: Running) -> list[str]:
    """What the daemon said, without the times and with the ids of runs made alike."""
    lines = (re.sub(r"r-[a-z0-9]{8}", "r-xxxxxxxx", line) for line in daemon.err.splitlines())
    return [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in lines]


def test_a_commit_from_another_terminal_starts_within_a_second(
    project: Project, tmp_path: Path
) -> None:
    with watching(project, tmp_path / "log") as daemon:
        took = []
        for number in range(3):
            mark = tmp_path / f"started-{number}"
            project.commit_task(f"task-{number}", f"echo x > {mark}")
            took.append(seconds_until(mark))
            project.reaches(f"task-{number}", State.REVIEW)
        assert min(took) < 1, f"seconds from commit to agent: {took}"
        daemon.says("task-2  active → review")
    assert [line for line in said(daemon) if "→" in line][:3] == [
        "task-0  new → active  r-xxxxxxxx (fake, attempt 1)",
        "task-0  active → review  no gates; no change",
        "task-1  new → active  r-xxxxxxxx (fake, attempt 1)",
    ]


def test_amend_switch_and_pull_start_what_they_bring(project: Project, tmp_path: Path) -> None:
    repo = project.repo
    with watching(project, tmp_path / "log"):
        project.task("amended")
        repo.git("add", "-A")
        repo.git("commit", "-q", "--amend", "--no-edit")
        project.reaches("amended", State.REVIEW)

        repo.git("switch", "-q", "-c", "feat/nested/branch")
        project.commit_task("on-branch")
        project.reaches("on-branch", State.REVIEW)
        repo.switch("main")
        project.commit_task("on-main")
        project.reaches("on-main", State.REVIEW)
        assert project.state("on-branch") is State.REVIEW

        with repo.as_person():
            other = TestRepo(tmp_path / "other")
            other.git("pull", "-q", str(repo.path), "main")
        other.commit("theirs", {".cmat/tasks/theirs.yaml": "title: Theirs\n"})
        repo.git("pull", "-q", str(other.path), "main")
        project.reaches("theirs", State.BACKLOG)


def test_the_second_daemon_is_refused(project: Project, tmp_path: Path) -> None:
    with watching(project, tmp_path / "log") as daemon:
        second = gitcmat(project.repo, "watch")
        assert (second.code, second.out) == (5, "")
        assert second.err == (
            f"error: A daemon watches {project.repo.path} already "
            f"(process {daemon.process.pid}).\n"
            f"hint: kill {daemon.process.pid} ends it; its runs go on\n"
        )


def test_a_number_that_a_killed_daemon_left_is_not_named(project: Project, tmp_path: Path) -> None:
    with watching(project, tmp_path / "log") as daemon:
        daemon.signal(signal.SIGKILL)
        daemon.wait()
    lock = FileLock(project.repo.git_dir / "cmat/watch.lock")
    with lock:  # another daemon has it, and has not written who it is
        second = gitcmat(project.repo, "watch")
        lock.path.write_text(f"{os.getpid()} 1\n")  # the number is somebody's again
        third = gitcmat(project.repo, "watch")
    assert (second.code, third.code) == (5, 5)
    assert (
        second.err
        == third.err
        == (
            f"error: A daemon watches {project.repo.path} already (process unknown).\n"
            "hint: gitcmat status\n"
        )
    )


def test_ctrl_c_ends_the_daemon_and_not_the_runs(project: Project, tmp_path: Path) -> None:
    go = tmp_path / "go"
    project.commit_task("long", f"until [ -e {go} ]; do sleep 0.05; done; echo x > x")
    with watching(project, tmp_path / "log") as daemon:
        daemon.says("long  new → active")
        daemon.signal(signal.SIGINT)
        result = daemon.wait()
    run = project.runs("long")[0].id
    assert result.ok().out == (
        f"These runs go on:\n  {run}  long\n"
        "gitcmat run stop --all ends them; gitcmat watch takes their results in.\n"
    )
    assert said(daemon)[-2:] == [
        "nothing more is started; still at work: r-xxxxxxxx (long)",
        "Ctrl-C again within 3 s stops them too",
    ]
    assert project.alive(run)
    go.touch()
    until(lambda: not project.alive(run), what="the end of the run")
    gitcmat(project.repo, "watch", "--until-idle").ok()
    assert project.state("long") is State.REVIEW


def test_a_second_ctrl_c_stops_the_runs_first(project: Project, tmp_path: Path) -> None:
    project.commit_task("long", "echo half > half; sleep 1000")
    with watching(project, tmp_path / "log") as daemon:
        daemon.says("long  new → active")
        run = project.runs("long")[0].id
        daemon.signal(signal.SIGINT)
        daemon.says("Ctrl-C again")
        daemon.signal(signal.SIGINT)
        result = daemon.wait()
    assert (result.code, result.out) == (
        0,
        f"Stopped, and on hold until gitcmat queue release, or gitcmat run now:\n  {run}  long\n",
    )
    assert not project.alive(run)
    entry = project.entry("long")
    assert entry is not None
    assert (entry.state, entry.hold) == (State.PENDING, True)


def test_sigterm_ends_it_at_once(project: Project, tmp_path: Path) -> None:
    project.commit_task("long", "sleep 1000")
    with watching(project, tmp_path / "log") as daemon:
        daemon.says("long  new → active")
        daemon.signal(signal.SIGTERM)
        assert daemon.wait(10).code == 0
    run = project.runs("long")[0].id
    assert project.alive(run)
    gitcmat(project.repo, "run", "stop", "--all").ok()
    assert not project.alive(run)


def test_until_idle_waits_for_another_attempt_and_says_what_waits_for_whom(
    project: Project,
) -> None:
    project.commit_task("first", "echo x > x")
    project.commit_task("second", "echo y > y", needs="[first]")
    project.commit_task("fails", "exit 3", attempts=2)
    project.commit_task("held", hold="true")
    project.commit_task("lonely", needs="[nobody]")
    result = gitcmat(project.repo, "watch", "--until-idle").ok()
    assert len(project.runs("fails")) == 2
    assert result.out == (
        "Nothing more can start by itself. These wait for:\n"
        "  first  review  your review: gitcmat review show first\n"
        "  held  pending  on hold\n"
        "  lonely  backlog  needs nobody, which is not known\n"
        "  second  pending  needs first\n"
    )
    assert project.state("fails") is State.FAILED


def test_until_idle_with_nothing_to_do_says_so(project: Project) -> None:
    result = gitcmat(project.repo, "watch", "--until-idle")
    assert (result.code, result.out) == (0, "Nothing is left to do.\n")


def test_an_untrusted_plan_is_named_once_and_trust_starts_the_work(
    repo: TestRepo, tmp_path: Path
) -> None:
    project = Project(repo, trusted=False)
    project.commit_task("one")
    with watching(project, tmp_path / "log") as daemon:
        daemon.says("gitcmat trust")
        project.commit_task("two")
        daemon.says("two  new → pending")
        assert daemon.err.count("is not trusted here, so nothing of it starts: gitcmat trust") == 1
        project.trust()
        project.app.wake()
        project.reaches("one", State.REVIEW)


def test_bad_settings_keep_the_last_good_ones_and_are_named(
    project: Project, tmp_path: Path
) -> None:
    with watching(project, tmp_path / "log") as daemon:
        project.repo.commit("oops", {".cmat/config.yaml": "schema: 1\ngatez: {}\n"})
        daemon.says(".cmat/config.yaml:2")
        project.commit_task("still")
        project.reaches("still", State.REVIEW)
        assert daemon.err.count(".cmat/config.yaml:2") == 1
        assert "stay in use" in daemon.err


def test_what_is_saved_and_not_committed_is_named_once(project: Project, tmp_path: Path) -> None:
    with watching(project, tmp_path / "log") as daemon:
        path = project.task("draft")
        daemon.says("saved, not committed")
        project.repo.write(path, "title: Better\n")
        project.commit_task("other")
        project.reaches("other", State.REVIEW)
        line = ".cmat/tasks/draft.yaml: saved, not committed; not used (new)"
        assert said(daemon).count(line) == 1
        assert project.state("draft") is None


def test_a_view_folder_that_was_deleted_comes_back_and_takes_answers(
    project: Project, tmp_path: Path
) -> None:
    repo = project.repo
    project.commit_task("asks", '[ -e answered ] || gitcmat blocker ask "Which?"; touch answered')
    with watching(project, tmp_path / "log"):
        project.reaches("asks", State.BLOCKED)
        folder = repo.path / ".cmat/blockers"
        until(lambda: folder.is_dir() and list(folder.glob("b-*.yaml")), what="the question")
        shutil.rmtree(folder)
        [question] = until(lambda: list(folder.glob("b-*.yaml")), what="the question again")
        text = question.read_text()
        question.write_text(re.sub(r"answer: \|\n", "answer: |\n  This one.\n", text))
        project.reaches("asks", State.REVIEW, timeout=40)


def test_a_claim_that_was_cut_off_is_cleared_away_by_the_next_daemon(project: Project) -> None:
    project.commit_task("one", "echo x > x")
    assert crash(project.repo.path, "before the state moves") == DIED
    (left,) = (project.repo.git_dir / "cmat/runs").iterdir()
    gitcmat(project.repo, "watch", "--until-idle").ok()
    (run,) = project.runs("one")
    assert run.id != left.name
    assert [p.name for p in (project.repo.git_dir / "cmat/runs").iterdir()] == [run.id]
    assert list(project.repo.refs("refs/cmat/runs/")) == [f"refs/cmat/runs/{run.id}"]


def test_an_error_is_said_once_and_it_works_again_by_itself(
    project: Project, tmp_path: Path
) -> None:
    project.commit_task("one")
    gitcmat(project.repo, "watch", "--until-idle").ok()
    [ref] = project.repo.refs("refs/cmat/state/")
    lock = project.repo.git_dir / f"{ref}.lock"
    with watching(project, tmp_path / "log") as daemon:
        lock.touch()
        project.commit_task("two")
        daemon.says("error: ", timeout=60)
        lock.unlink()
        project.reaches("two", State.REVIEW)
        daemon.says("it works again")
        assert daemon.err.count("error: ") == 1


def test_a_killed_daemon_is_no_loss(project: Project, tmp_path: Path) -> None:
    go = tmp_path / "go"
    project.commit_task("long", f"until [ -e {go} ]; do sleep 0.05; done; echo x > x")
    with watching(project, tmp_path / "log-1") as first:
        first.says("long  new → active")
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
    run = project.runs("long")[0].id
    assert project.alive(run)
    with watching(project, tmp_path / "log-2") as second:
        go.touch()  # its end is noticed although another daemon started it
        second.says("long  active → review")
        assert [r.id for r in project.runs("long")] == [run]


def test_a_killed_runner_is_noticed_and_the_task_starts_again(
    project: Project, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    project.commit_task(
        "long", f"echo $PPID >> {pids}; [ -e {pids}.2 ] || {{ touch {pids}.2; sleep 1000; }}"
    )
    with watching(project, tmp_path / "log") as daemon:
        until(pids.exists)
        os.kill(int(pids.read_text().split()[0]), signal.SIGKILL)
        daemon.says("long  active → review")
    outcomes = [str(r.outcome) for r in project.runs("long")]
    assert outcomes == ["finished", "interrupted"]


def test_never_more_runs_at_once_than_the_limit_says(project: Project, tmp_path: Path) -> None:
    times = tmp_path / "times"
    for number in range(5):
        script = f"echo begin >> {times}\nsleep 0.3\necho end >> {times}"
        project.commit_task(f"task-{number}", script)
    gitcmat(project.repo, "watch", "--until-idle").ok()
    words = times.read_text().split()
    alive = [words[:n].count("begin") - words[:n].count("end") for n in range(len(words) + 1)]
    assert (len(words), max(alive)) == (10, 2)


def test_strange_files_do_not_end_it(project: Project, tmp_path: Path) -> None:
    tasks = project.repo.path / ".cmat/tasks"
    with watching(project, tmp_path / "log"):
        with project.repo.as_person():
            tasks.mkdir(exist_ok=True)
            os.mkfifo(tasks / "pipe.yaml")
            (tasks / "loop.yaml").symlink_to("loop.yaml")
            (tasks / "folder.yaml").mkdir()
            (tasks / "huge.yaml").write_bytes(b"x" * 5_000_000)
            (tasks / "not text\n.yaml").write_bytes(b"\xff\x00")
        project.commit_task("good")
        project.reaches("good", State.REVIEW)


def test_until_idle_ends_with_the_error_that_does_not_go_away(project: Project) -> None:
    project.commit_task("one")
    gitcmat(project.repo, "watch", "--until-idle").ok()
    [ref] = project.repo.refs("refs/cmat/state/")
    project.commit_task("two")
    (project.repo.git_dir / f"{ref}.lock").touch()
    result = gitcmat(project.repo, "watch", "--until-idle")
    assert result.code == 5
    assert "two" not in result.err
    assert f"{ref}.lock.\nhint: try again; if that git was killed" in result.err
