"""The daemon keeps pull requests and their forge in step by itself, and lives without one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.engine import forge_last
from gitcmat.engine.forge_last import Last
from gitcmat.model.forge import MergeMethod
from gitcmat.model.state import State
from gitcmat.system import processes
from tests.support.cli import gitcmat, running
from tests.support.fakegithub.faults import Kind
from tests.support.fakegithub.server import FakeGitHub
from tests.support.own_forge import OwnForge
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.watched import Project


@pytest.fixture
def there(repo: TestRepo, tmp_path: Path) -> Iterator[OwnForge]:
    """A project whose remote is a GitHub, where pull requests are wanted."""
    with FakeGitHub() as hub:
        made = OwnForge(hub, tmp_path, Project(repo))
        made.settings(pull="ready", approvals=0, every="1s")
        yield made


def _last(there: OwnForge) -> Last:
    found = forge_last.read(there.project.app.deps.repo)
    assert found is not None
    return found


def test_what_comes_to_review_is_opened_and_what_is_merged_there_is_done(
    there: OwnForge, tmp_path: Path
) -> None:
    project = there.project
    with running(there.repo, "watch", logs=tmp_path / "log", env=there.env) as daemon:
        project.commit_task("a", "echo one > a.txt")
        project.commit_task("b", "cat a.txt > b.txt", needs="[a]")
        there.stage.push_main()
        daemon.says("a: #1 was opened: ")

        forge = there.stage.forge("rita").pulls
        forge.merge(1, method=MergeMethod.SQUASH, head_sha=forge.get(1).head_sha)

        daemon.says("a: #1 was merged, as ")
        daemon.says("a: cmat/a on pat/project was deleted")
        daemon.says("b: #2 was opened: ")
    assert project.state("a") is State.DONE
    assert list(there.stage.git.branches()) == ["cmat/b", "main"]


def test_a_forge_that_fails_is_said_once_and_ends_nothing(there: OwnForge, tmp_path: Path) -> None:
    there.stage.hub.fail(Kind.NOT_PERMITTED, path="/issues$", times=2)
    with running(there.repo, "watch", logs=tmp_path / "log", env=there.env) as daemon:
        daemon.says("the forge: ")
        until(lambda: _last(there).failures == 2, 30, "a second try")
        shown = gitcmat(there.repo, "status").ok().out
        assert "the look at the forge at " in shown

        daemon.says("the forge answers again")
        there.project.commit_task("a", "echo one > a.txt")
        there.stage.push_main()
        daemon.says("a: #1 was opened: ")
        assert daemon.err.count("the forge: ") == 1
    assert "the look at the forge" not in gitcmat(there.repo, "status").ok().out


def test_a_look_ends_with_the_daemon(there: OwnForge, tmp_path: Path) -> None:
    there.stage.hub.fail(Kind.SLOW, path="/issues$", times=99)
    with running(there.repo, "watch", logs=tmp_path / "log", env=there.env) as daemon:
        until(lambda: there.stage.hub.count("GET", "/issues$"), 30, "a look at the forge")
        before = processes.descendants(daemon.process.pid)
        daemon.process.terminate()
        daemon.process.wait(20)
    gone = lambda: not [r for r in before if processes.identity(r.pid) == r.identity]  # noqa: E731
    until(gone, 10, "all that it started to be gone")


def test_until_idle_opens_what_came_to_review(there: OwnForge) -> None:
    there.project.commit_task("a", "echo one > a.txt")
    there.stage.push_main()

    gitcmat(there.repo, "watch", "--until-idle", env=there.env).ok()

    assert there.stage.forge().pulls.get(1).head == "cmat/a"
    assert (
        gitcmat(there.repo, "status")
        .ok()
        .out.splitlines()[1]
        .startswith("pull requests: 1 waiting for a review; seen at ")
    )


@pytest.mark.parametrize("settings", [{"pull": "off"}, {"pull": "ready", "every": "never"}])
def test_where_it_is_not_wanted_nobody_looks(
    there: OwnForge, tmp_path: Path, settings: dict[str, str]
) -> None:
    there.settings(**settings)
    trace = tmp_path / "trace"
    env = {**there.env, "GITCMAT_TRACE": str(trace)}
    with running(there.repo, "watch", logs=tmp_path / "log", env=env) as daemon:
        there.project.commit_task("a", "echo one > a.txt")
        daemon.says("a  active → review")
    assert there.stage.hub.seen == []
    assert "pr sync" not in trace.read_text()
    assert "forge" not in trace.read_text()
    assert not (there.repo.git_dir / "cmat/forge").exists()
