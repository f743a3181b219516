"""`gitcmat run now --background`: it returns at once, and needs no daemon."""

from pathlib import Path

from gitcmat.model.state import State
from tests.support.cli import gitcmat
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.watched import Project


def test_a_run_goes_on_behind_the_command_and_the_next_one_takes_it_in(
    repo: TestRepo, tmp_path: Path
) -> None:
    project = Project(repo)
    go = tmp_path / "go"
    project.commit_task("long", f"until [ -e {go} ]; do sleep 0.05; done; echo x > x; echo bye")
    started = gitcmat(repo, "run", "now", "long", "--background").ok()
    run = project.runs("long")[0].id
    assert started.out == f"{run}\n"
    assert started.err == f"long runs, attempt 1: gitcmat run follow {run}\n"
    assert project.state("long") is State.ACTIVE
    assert gitcmat(repo, "run", "now", "long", "--background").err == (
        f"error: long runs already, as {run}.\nhint: gitcmat run follow {run}\n"
    )
    go.touch()
    assert "bye\n" in gitcmat(repo, "run", "follow", run).ok().out
    until(lambda: not project.alive(run), 30, "the end of the runner")
    assert project.state("long") is State.ACTIVE  # nobody has looked yet
    gitcmat(repo, "queue", "add", "Other", "--agent", "fake", "--hold").ok()
    assert project.state("long") is State.REVIEW


def test_what_cannot_run_is_refused_as_in_the_foreground(repo: TestRepo) -> None:
    project = Project(repo, trusted=False)
    project.commit_task("one")
    result = gitcmat(repo, "run", "now", "one", "--background")
    message = "What gitcmat may start here has not been allowed at this machine."
    assert (result.code, result.err) == (5, f"error: {message}\nhint: gitcmat trust\n")
    assert project.runs() == []
